import type { Address, ObservationSink, Transport } from '../sip/observation.ts';
import { startsAsSip } from '../sip/start-line.ts';
import { StreamFramer } from '../sip/stream-framer.ts';
import { HepFramer, isHep3 } from './hep.ts';
import type { SourceCounts } from './source-counts.ts';
import { beginsAsWebSocket, WebSocketReader } from './websocket.ts';

/** What a stream carries: takes its bytes in order. */
export interface StreamContent {
  push(bytes: Buffer, observedAt: number): void;
  /** Bytes were lost here. */
  resync(): void;
}

/** Opens what the bytes begin: SIP, SIP over WebSocket or HEP; undefined if it is none of them. */
export function openContent(
  bytes: Buffer,
  source: Address,
  destination: Address,
  sink: ObservationSink,
  counts: SourceCounts,
): StreamContent | undefined {
  const emit = (transport: Transport) => (message: Buffer, observedAt: number) => {
    counts.messages++;
    sink({ observedAt, source, destination, transport, bytes: message });
  };
  if (beginsAsSip(bytes)) return new SipContent(emit('tcp'), counts);
  if (beginsAsWebSocket(bytes)) return new WebSocketReader(emit('ws'), counts);
  return isHep3(bytes, 0, bytes.length) ? new HepFramer(sink, counts) : undefined;
}

const SNIFF_BYTES = 64;
const SNIFF_HTTP_BYTES = 8192;

/** Waits at the beginning of a connection until there is enough to tell what it carries. */
export class Sniffer implements StreamContent {
  readonly #open: (bytes: Buffer) => StreamContent | undefined;
  #content: StreamContent | undefined;
  #held: Buffer = Buffer.alloc(0);
  /** It carries nothing that is read here. */
  isOther = false;

  constructor(open: (bytes: Buffer) => StreamContent | undefined) {
    this.#open = open;
  }

  push(bytes: Buffer, observedAt: number): void {
    if (this.#content) return this.#content.push(bytes, observedAt);
    this.#held = Buffer.concat([this.#held, bytes]);
    this.#content = this.#open(this.#held);
    if (this.#content) this.#content.push(this.#held, observedAt);
    else this.isOther = this.#held.length >= (isHttp(this.#held) ? SNIFF_HTTP_BYTES : SNIFF_BYTES);
    if (this.#content || this.isOther) this.#held = Buffer.alloc(0);
  }

  resync(): void {
    this.#content?.resync();
    this.#held = Buffer.alloc(0);
  }
}

const isHttp = (bytes: Buffer): boolean => /^(GET |HTTP)/.test(bytes.toString('latin1', 0, 4));

function beginsAsSip(bytes: Buffer): boolean {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === 10) at++;
  return startsAsSip(bytes, at);
}

class SipContent implements StreamContent {
  readonly #framer: StreamFramer;
  readonly #counts: SourceCounts;
  #observedAt = 0;

  constructor(emit: (message: Buffer, observedAt: number) => void, counts: SourceCounts) {
    this.#counts = counts;
    this.#framer = new StreamFramer((message) => emit(message, this.#observedAt));
  }

  push(bytes: Buffer, observedAt: number): void {
    const { oversized } = this.#framer;
    this.#observedAt = observedAt;
    this.#framer.push(bytes);
    if (this.#framer.oversized > oversized) this.#counts.drop('message too large');
  }

  resync(): void {
    this.#framer.resync();
  }
}
