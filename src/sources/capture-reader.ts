import type { ObservationSink } from '../sip/observation.ts';
import { PacketDecoder } from './packet-decoder.ts';
import { isPcap, PcapReader, type RecordReader } from './pcap.ts';
import { isPcapng, PcapngReader } from './pcapng.ts';
import type { SourceCounts } from './source-counts.ts';

const NOTHING = Buffer.alloc(0);

/** Turns the bytes of a capture file, in pieces of any size, into observations: as soon as their bytes are there. */
export class CaptureReader {
  readonly #decoder: PacketDecoder;
  readonly #counts: SourceCounts;
  #records: RecordReader | undefined;
  #held: Buffer = NOTHING;

  constructor(sink: ObservationSink, counts: SourceCounts) {
    this.#counts = counts;
    this.#decoder = new PacketDecoder(sink, counts);
  }

  /** False as soon as the bytes are known to be no capture. */
  push(chunk: Buffer): boolean {
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#records ??= this.#recognise(bytes);
    const used = this.#records?.read(bytes, 0) ?? 0;
    this.#held = used === bytes.length ? NOTHING : Buffer.from(bytes.subarray(used));
    return this.#records !== undefined || bytes.length < 4;
  }

  /** The file is over; false if it was no capture. */
  end(): boolean {
    if (this.#records && this.#held.length > 0) this.#counts.drop('capture cut off at its end');
    this.#decoder.end();
    return this.#records !== undefined;
  }

  #recognise(bytes: Buffer): RecordReader | undefined {
    const sink = this.#decoder.decode.bind(this.#decoder);
    if (isPcap(bytes)) return new PcapReader(sink, this.#counts);
    return isPcapng(bytes) ? new PcapngReader(sink, this.#counts) : undefined;
  }
}
