import type { Address } from '../sip/observation.ts';
import { startsAsSip } from '../sip/start-line.ts';

const MAX_STREAMS = 1024;
const MAX_MESSAGE = 262_144;
const DATA = 0;
const ENDS = 1;
const BEGINS = 2;

/** The fragments of a message, in the order of their numbers. */
interface Partial {
  nextTsn: number;
  bytes: Buffer;
}

/** Finds the SIP messages in SCTP packets, fragmented ones too, as far as their DATA chunks come in order. RFC 9260 §3.3.1, RFC 4168. */
export class SctpStreams {
  readonly #partials = new Map<string, Partial>();

  /** Takes in a packet from its common header on; `emit` gets each message. */
  decode(
    bytes: Buffer,
    start: number,
    end: number,
    source: Address,
    destination: Address,
    emit: (message: Buffer) => void,
  ): void {
    let at = start + 12;
    while (end - at >= 4) {
      const length = bytes.readUInt16BE(at + 2);
      if (length < 4) return;
      if (bytes[at] === DATA && length > 16 && at + length <= end) {
        const key = `${source.ip} ${source.port} ${destination.ip} ${destination.port} ${bytes.readUInt16BE(at + 8)}`;
        const message = this.#join(
          key,
          bytes[at + 1]!,
          bytes.readUInt32BE(at + 4),
          bytes.subarray(at + 16, at + length),
        );
        if (message && startsAsSip(message)) emit(message);
      }
      at += Math.ceil(length / 4) * 4;
    }
  }

  /** The message that this chunk completes. */
  #join(key: string, flags: number, tsn: number, data: Buffer): Buffer | undefined {
    if ((flags & BEGINS) !== 0 && (flags & ENDS) !== 0) return data;
    const partial = (flags & BEGINS) !== 0 ? { nextTsn: tsn, bytes: Buffer.alloc(0) } : this.#partials.get(key);
    this.#partials.delete(key);
    if (!partial || partial.nextTsn !== tsn || partial.bytes.length + data.length > MAX_MESSAGE) return undefined;
    const bytes = Buffer.concat([partial.bytes, data]);
    if ((flags & ENDS) !== 0) return bytes;
    if (this.#partials.size >= MAX_STREAMS) this.#partials.clear();
    this.#partials.set(key, { nextTsn: (tsn + 1) >>> 0, bytes });
    return undefined;
  }
}
