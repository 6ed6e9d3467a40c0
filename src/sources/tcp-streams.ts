import { LRUCache } from 'lru-cache';
import type { Address, ObservationSink } from '../sip/observation.ts';
import type { SourceCounts } from './source-counts.ts';
import { openContent, Sniffer, type StreamContent } from './stream-content.ts';

const MAX_STREAMS = 16_384;
const MAX_HELD_BYTES = 262_144;
const MAX_HELD_SEGMENTS = 256;
const GAP_TIMEOUT_MS = 3000;
const MAX_WINDOW = 2 ** 27; // farther off than that is another connection between the same ports

const FIN = 1;
const SYN = 2;
const RST = 4;

/** One direction of a TCP connection. */
interface Stream {
  /** Sequence number of its first byte, and of the next one. */
  readonly first: number;
  next: number;
  readonly content: StreamContent;
  readonly held: { readonly sequence: number; readonly bytes: Buffer }[];
  heldBytes: number;
  heldSince: number;
}

/** Puts TCP streams together again and finds the SIP in them, in the middle of a connection too. RFC 9293 §3.4. */
export class TcpStreams {
  readonly #sink: ObservationSink;
  readonly #counts: SourceCounts;
  readonly #streams: LRUCache<string, Stream>;
  readonly #gapped = new Set<Stream>(); // the one held longest first

  constructor(sink: ObservationSink, counts: SourceCounts) {
    this.#sink = sink;
    this.#counts = counts;
    this.#streams = new LRUCache({ max: MAX_STREAMS, dispose: (stream) => this.#gapped.delete(stream) });
  }

  /** Takes in one segment; `at` is where its header begins. */
  decode(bytes: Buffer, at: number, end: number, source: Address, destination: Address, now: number): void {
    if (this.#gapped.size > 0) this.#giveUpGaps(now);
    const flags = bytes[at + 13]!;
    const start = at + (bytes[at + 12]! >> 4) * 4;
    if (start < at + 20 || start > end) return this.#counts.drop('damaged TCP header');
    const key = `${source.ip} ${source.port} ${destination.ip} ${destination.port}`;
    if ((flags & RST) !== 0) return this.#close(key);
    let sequence = bytes.readUInt32BE(at + 4);
    const open = (data: Buffer) => openContent(data, source, destination, this.#sink, this.#counts);
    if ((flags & SYN) !== 0) this.#begin(key, ++sequence, new Sniffer(open));
    if (start < end) this.#addData(key, sequence, bytes.subarray(start, end), open, now);
    if ((flags & FIN) !== 0) this.#finish(key, sequence + end - start);
  }

  /** No more packets come: what is held behind a gap is read as it is. */
  end(): void {
    for (const stream of this.#gapped) this.#giveUpGap(stream, Infinity);
  }

  /** A SYN; one that comes twice begins nothing new. */
  #begin(key: string, next: number, content: StreamContent): Stream {
    const known = this.#streams.get(key);
    if (known && known.first === next >>> 0) return known;
    const stream = { first: next >>> 0, next: next >>> 0, content, held: [], heldBytes: 0, heldSince: 0 };
    this.#streams.set(key, stream);
    return stream;
  }

  #close(key: string): void {
    const stream = this.#streams.get(key);
    if (!stream) return;
    this.#giveUpGap(stream, Infinity);
    this.#streams.delete(key);
  }

  /** Kept for what is sent again of it; the sequence number of the FIN counts as a byte. */
  #finish(key: string, end: number): void {
    const stream = this.#streams.get(key);
    if (stream && distance(stream.next, end) === 0) stream.next = (stream.next + 1) >>> 0;
  }

  #addData(
    key: string,
    sequence: number,
    bytes: Buffer,
    open: (data: Buffer) => StreamContent | undefined,
    now: number,
  ): void {
    let stream = this.#streams.get(key);
    if (stream && Math.abs(distance(stream.next, sequence)) > MAX_WINDOW) {
      this.#close(key);
      stream = undefined;
    }
    stream ??= this.#join(key, sequence, open(bytes));
    if (!stream) return void this.#counts.otherTraffic++;
    this.#accept(stream, sequence, bytes, now);
    if (stream.content instanceof Sniffer && stream.content.isOther) this.#streams.delete(key);
  }

  /** The capture began in the middle of the connection: a segment that begins a message is where reading begins. */
  #join(key: string, sequence: number, content: StreamContent | undefined): Stream | undefined {
    return content && this.#begin(key, sequence, content);
  }

  #accept(stream: Stream, sequence: number, bytes: Buffer, now: number): void {
    const ahead = distance(stream.next, sequence);
    if (ahead > 0) return this.#hold(stream, sequence, bytes, now);
    if (-ahead >= bytes.length) return; // all of it was there before
    this.#deliver(stream, bytes.subarray(-ahead), now);
    this.#deliverHeld(stream, now);
  }

  #deliver(stream: Stream, bytes: Buffer, now: number): void {
    stream.next = (stream.next + bytes.length) >>> 0;
    stream.content.push(bytes, now);
  }

  #hold(stream: Stream, sequence: number, bytes: Buffer, now: number): void {
    if (stream.held.length === 0) stream.heldSince = now;
    this.#gapped.add(stream);
    stream.held.push({ sequence, bytes: Buffer.from(bytes) });
    stream.heldBytes += bytes.length;
    if (stream.heldBytes > MAX_HELD_BYTES || stream.held.length > MAX_HELD_SEGMENTS) this.#giveUpGap(stream, Infinity);
  }

  #deliverHeld(stream: Stream, now: number): void {
    if (stream.held.length === 0) return;
    stream.held.sort((a, b) => distance(stream.next, a.sequence) - distance(stream.next, b.sequence));
    while (stream.held.length > 0 && distance(stream.next, stream.held[0]!.sequence) <= 0) {
      const { sequence, bytes } = stream.held.shift()!;
      stream.heldBytes -= bytes.length;
      const known = -distance(stream.next, sequence);
      if (known < bytes.length) this.#deliver(stream, bytes.subarray(known), now);
    }
    if (stream.held.length === 0) this.#gapped.delete(stream);
  }

  #giveUpGaps(now: number): void {
    for (const stream of this.#gapped) {
      if (now - stream.heldSince < GAP_TIMEOUT_MS) return;
      this.#giveUpGap(stream, now);
    }
  }

  /** The bytes of the gap were missed by whoever captured: goes on behind it. */
  #giveUpGap(stream: Stream, now: number): void {
    const at = now === Infinity ? stream.heldSince : now;
    while (stream.held.length > 0) {
      this.#counts.drop('gap in a TCP stream');
      stream.content.resync();
      stream.held.sort((a, b) => distance(stream.next, a.sequence) - distance(stream.next, b.sequence));
      stream.next = stream.held[0]!.sequence >>> 0;
      this.#deliverHeld(stream, at);
    }
  }
}

/** How far `sequence` lies ahead of `next`, over the wrap at 2^32. */
const distance = (next: number, sequence: number): number => (sequence - next) | 0;
