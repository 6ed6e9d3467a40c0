import { ByteQueue } from './byte-queue.ts';
import { startsAsSip } from './start-line.ts';
import { decodeToken } from './text.ts';

const CR = 13;
const LF = 10;
const START_BYTES = 64; // enough to tell a start line
const MAX_BELIEVED = 16; // times the largest body; a length beyond is damage, and what follows may be a message

/** Sizes in bytes that one message on a stream may have. */
export interface FramerLimits {
  readonly maxHeaderBytes: number;
  readonly maxBodyBytes: number;
}

export const FRAMER_LIMITS: FramerLimits = { maxHeaderBytes: 65_536, maxBodyBytes: 1_048_576 };

/**
 * Cuts a byte stream into SIP messages by Content-Length; without one there is no body. RFC 3261 §18.3, §7.5.
 *
 * Keep-alives (RFC 5626 §3.5.1) are passed over. After garbage, an oversized message or a gap it goes on at the next line
 * that begins as SIP does; what it passed over is counted.
 */
export class StreamFramer {
  /** Bytes that belonged to no message. */
  skippedBytes = 0;
  /** Messages that were larger than the limits. */
  oversized = 0;
  /** Double CRLF seen: the peer asks for a single one in return. */
  pings = 0;
  readonly #limits: FramerLimits;
  readonly #emit: (message: Buffer) => void;
  readonly #queue = new ByteQueue();
  #state: 'between' | 'header' | 'body' | 'skip' | 'lost' | 'line' = 'between';
  #searched = 0; // bytes in which the end of the header section is not
  #lineEndBytes = 0;
  #needed = 0; // size of the message, or of what is to be skipped

  /** `emit` gets each message; its bytes are valid until it returns. */
  constructor(emit: (message: Buffer) => void, limits: FramerLimits = FRAMER_LIMITS) {
    this.#emit = emit;
    this.#limits = limits;
  }

  push(bytes: Uint8Array): void {
    this.#queue.add(bytes);
    while (this.#queue.length > 0 && this.#step());
  }

  /** Bytes were lost here: what is held can't be completed. */
  resync(): void {
    this.#skip(this.#queue.length);
    this.#enter('line');
  }

  /** Goes one step on; false if that takes more bytes. */
  #step(): boolean {
    switch (this.#state) {
      case 'between':
        return this.#passKeepAlives();
      case 'header':
        return this.#readHeader();
      case 'body':
        return this.#readBody();
      case 'skip':
        return this.#passOversized();
      case 'lost':
        return this.#passLine();
      case 'line':
        return this.#tryLine();
    }
  }

  #passKeepAlives(): boolean {
    const { bytes } = this.#queue;
    let at = 0;
    while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at++;
    this.#lineEndBytes += at;
    this.#queue.drop(at);
    if (this.#lineEndBytes >= 4) {
      this.pings++;
      this.#lineEndBytes = 0;
    }
    if (this.#queue.length === 0) return false;
    this.#lineEndBytes = 0;
    this.#enter('header');
    return true;
  }

  #enter(state: 'between' | 'header' | 'lost' | 'line'): void {
    this.#state = state;
    this.#searched = 0;
  }

  #readHeader(): boolean {
    const { bytes } = this.#queue;
    const end = findHeaderEnd(bytes, this.#searched);
    const size = end < 0 ? bytes.length : end;
    if ((end >= 0 || size >= START_BYTES) && !startsAsSip(bytes, 0, size)) return this.#lose();
    if (size > this.#limits.maxHeaderBytes) {
      this.oversized++;
      return this.#lose();
    }
    this.#searched = Math.max(0, size - 3);
    if (end < 0) return false;
    this.#measure(end, findContentLength(bytes, end));
    return true;
  }

  #measure(bodyStart: number, length: number): void {
    const { maxBodyBytes } = this.#limits;
    this.#needed = bodyStart + length;
    this.#state = length > maxBodyBytes ? 'skip' : 'body';
    if (this.#state === 'body') return;
    this.oversized++;
    if (length <= maxBodyBytes * MAX_BELIEVED) return;
    this.#skip(bodyStart);
    this.#enter('line');
  }

  #readBody(): boolean {
    const { bytes } = this.#queue;
    if (bytes.length < this.#needed) return false;
    this.#emit(bytes.subarray(0, this.#needed));
    this.#queue.drop(this.#needed);
    this.#enter('between');
    return true;
  }

  #passOversized(): boolean {
    const count = Math.min(this.#needed, this.#queue.length);
    this.#needed -= count;
    this.#skip(count);
    if (this.#needed === 0) this.#enter('between');
    return true;
  }

  #lose(): boolean {
    this.#skip(1);
    this.#enter('lost');
    return true;
  }

  /** Passes over the rest of a line that is no SIP. */
  #passLine(): boolean {
    const line = this.#queue.bytes.indexOf(LF);
    this.#skip(line < 0 ? this.#queue.length : line + 1);
    if (line >= 0) this.#enter('line');
    return line >= 0;
  }

  /** Goes on here if this line begins as SIP does. */
  #tryLine(): boolean {
    const { bytes } = this.#queue;
    if (startsAsSip(bytes)) this.#enter('header');
    else if (bytes.length >= START_BYTES || bytes.includes(LF)) this.#enter('lost');
    else return false;
    return true;
  }

  #skip(count: number): void {
    this.skippedBytes += count;
    this.#queue.drop(count);
  }
}

/** Offset behind the empty line that ends the header section, or -1. */
function findHeaderEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LF, from); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2;
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3;
  }
  return -1;
}

const CONTENT_LENGTH = /\n(?:content-length|l)[ \t]*:\s*(\d{1,15})\s*\n/i;

/** Body size by Content-Length; 0 where it is missing or no number. */
function findContentLength(bytes: Buffer, bodyStart: number): number {
  const match = CONTENT_LENGTH.exec(decodeToken(bytes, 0, bodyStart));
  return match ? Number(match[1]) : 0;
}
