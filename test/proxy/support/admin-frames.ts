// Frames of the admin protocol of a drachtio server: `LENGTH#TEXT`, the length in bytes.

/** Cuts a stream into frames. */
export class AdminFramer {
  #bytes = Buffer.alloc(0);

  push(bytes: Buffer): string[] {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    const frames: string[] = [];
    for (;;) {
      const hash = this.#bytes.indexOf('#');
      const start = hash + 1;
      const end = start + Number(this.#bytes.toString('latin1', 0, Math.max(hash, 0)));
      if (hash < 0 || this.#bytes.length < end) return frames;
      frames.push(this.#bytes.toString('utf8', start, end));
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}

export const writeFrame = (text: string): string => `${Buffer.byteLength(text)}#${text}`;
