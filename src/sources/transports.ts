import type { Address, ObservationSink, Transport } from '../sip/observation.ts';
import { startsAsSip } from '../sip/start-line.ts';
import { looksLikeHep, parseHep } from './hep.ts';
import { SctpStreams } from './sctp.ts';
import type { SourceCounts } from './source-counts.ts';
import { TcpStreams } from './tcp-streams.ts';

const CR = 13;
const LF = 10;
const UPPER_A = 65;
const UPPER_Z = 90;
const VXLAN_PORT = 4789;

/** Finds SIP in what UDP, TCP and SCTP carry, on any port: by content. */
export class Transports {
  readonly #sink: ObservationSink;
  readonly #counts: SourceCounts;
  readonly #decodeFrame: (bytes: Buffer, at: number, end: number) => void;
  readonly #tcp: TcpStreams;
  readonly #sctp = new SctpStreams();

  /** `decodeFrame` takes the frame that a tunnel carries. */
  constructor(
    sink: ObservationSink,
    counts: SourceCounts,
    decodeFrame: (bytes: Buffer, at: number, end: number) => void,
  ) {
    this.#sink = sink;
    this.#counts = counts;
    this.#decodeFrame = decodeFrame;
    this.#tcp = new TcpStreams(sink, counts);
  }

  /** `protocol` is 17, 6 or 132; the bytes begin with its header. */
  decode(
    bytes: Buffer,
    at: number,
    end: number,
    protocol: number,
    source: Address,
    destination: Address,
    observedAt: number,
  ): void {
    if (protocol === 17) this.#decodeUdp(bytes, at, end, source, destination, observedAt);
    else if (protocol === 6) this.#tcp.decode(bytes, at, end, source, destination, observedAt);
    else {
      const emit = (message: Buffer) => this.#emit(message, 0, message.length, 'sctp', source, destination, observedAt);
      this.#sctp.decode(bytes, at, end, source, destination, emit);
    }
  }

  end(): void {
    this.#tcp.end();
  }

  #decodeUdp(bytes: Buffer, at: number, packetEnd: number, source: Address, destination: Address, now: number): void {
    const length = (bytes[at + 4]! << 8) | bytes[at + 5]!;
    const end = length >= 8 ? Math.min(packetEnd, at + length) : packetEnd;
    let start = at + 8;
    while (start < end && (bytes[start] === CR || bytes[start] === LF)) start++;
    const first = start < end ? bytes[start]! : 0;
    if (first >= UPPER_A && first <= UPPER_Z && startsAsSip(bytes, start, end)) {
      return this.#emit(bytes, start, end, 'udp', source, destination, now);
    }
    if (looksLikeHep(bytes, at + 8, end)) return this.#decodeHep(bytes, at + 8, end, now);
    if (destination.port === VXLAN_PORT && end - at > 16) return this.#decodeFrame(bytes, at + 16, end);
    this.#counts.otherTraffic++;
  }

  #emit(
    bytes: Buffer,
    start: number,
    end: number,
    transport: Transport,
    source: Address,
    destination: Address,
    observedAt: number,
  ): void {
    this.#counts.messages++;
    this.#sink({
      observedAt,
      source,
      destination,
      transport,
      bytes: new Uint8Array(bytes.buffer, bytes.byteOffset + start, end - start),
    });
  }

  #decodeHep(bytes: Buffer, at: number, end: number, now: number): void {
    const result = parseHep(bytes.subarray(at, end), now);
    if (typeof result === 'string') return this.#counts.drop(result);
    this.#counts.messages++;
    this.#sink(result);
  }
}
