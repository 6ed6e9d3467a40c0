import type { ObservationSink } from '../sip/observation.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { isPcap, PcapReader, type RecordReader } from './pcap.ts';
import { isPcapng, PcapngReader } from './pcapng.ts';
import type { SourceCounts } from './source-counts.ts';

const MAGIC_BYTES = 4;
const SMALL_BYTES = 65_536;

/** Turns the bytes of a capture file, in pieces of any size, into observations: as soon as their bytes are there. */
export class CaptureReader {
  readonly #decoder: PacketDecoder;
  readonly #counts: SourceCounts;
  #records: RecordReader | undefined;
  #isOther = false;
  #held: Buffer[] = []; // the beginning of a record
  #heldBytes = 0;

  constructor(sink: ObservationSink, counts: SourceCounts) {
    this.#counts = counts;
    this.#decoder = new PacketDecoder(sink, counts);
  }

  /** False as soon as the bytes are known to be no capture. */
  push(chunk: Buffer): boolean {
    let rest = chunk;
    while (this.#heldBytes > 0 && rest.length > 0 && !this.#isOther) rest = this.#complete(rest);
    if (rest.length > 0 && !this.#isOther) this.#read(rest);
    return !this.#isOther;
  }

  /** The file is over; false if it was no capture. */
  end(): boolean {
    const held = this.#takeHeld();
    const used = this.#records?.read(held, 0, true) ?? 0;
    if (this.#records && used < held.length) this.#counts.drop('capture cut off at its end');
    this.#decoder.end();
    return this.#records !== undefined;
  }

  /** Adds what the record that is held lacks, so that all behind it is read where it stands. Returns what is left. */
  #complete(chunk: Buffer): Buffer {
    const needed = this.#records?.needed ?? MAGIC_BYTES;
    const isSmall = needed > 0 && this.#heldBytes < SMALL_BYTES; // else joining little by little would cost too much
    const count = isSmall ? Math.min(chunk.length, Math.max(needed - this.#heldBytes, 1)) : chunk.length;
    this.#hold(chunk.subarray(0, count));
    if (this.#heldBytes >= needed) this.#read(this.#takeHeld());
    return chunk.subarray(count);
  }

  #read(bytes: Buffer): void {
    this.#records ??= this.#recognise(bytes);
    this.#isOther = !this.#records && bytes.length >= MAGIC_BYTES;
    const used = this.#records?.read(bytes, 0, false) ?? 0;
    if (used < bytes.length && !this.#isOther) this.#hold(bytes.subarray(used));
  }

  #hold(bytes: Buffer): void {
    this.#held.push(Buffer.from(bytes));
    this.#heldBytes += bytes.length;
  }

  #takeHeld(): Buffer {
    const bytes = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return bytes;
  }

  #recognise(bytes: Buffer): RecordReader | undefined {
    const sink = this.#decoder.decode.bind(this.#decoder);
    if (isPcap(bytes)) return new PcapReader(sink, this.#counts);
    return isPcapng(bytes) ? new PcapngReader(sink, this.#counts) : undefined;
  }
}
