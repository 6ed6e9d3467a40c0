import type { Socket } from 'node:net';
import type { Address } from '../../sip/observation.ts';
import { StreamFramer } from '../../sip/stream-framer.ts';
import type { Flow } from '../token.ts';
import type { Link, LinkEvents } from './link.ts';

const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const SPEAK_MS = 30_000;
const KEEP_ALIVE_MS = 60_000;
const PONG = Buffer.from('\r\n');

/** A TCP or TLS connection. RFC 3261 §18.3. */
export class StreamLink implements Link {
  readonly transport: 'tcp' | 'tls';
  readonly isReliable = true;
  isRenewable = true;
  readonly remote: Address;
  readonly local: Address;
  readonly flow: Flow;
  readonly #socket: Socket;
  readonly #events: LinkEvents;
  readonly #framer: StreamFramer;
  #pings = 0;
  #hasSpoken = false;

  constructor(transport: 'tcp' | 'tls', socket: Socket, remote: Address, local: Address, events: LinkEvents) {
    this.transport = transport;
    this.#socket = socket;
    this.remote = remote;
    this.local = local;
    this.flow = { transport, remote };
    this.#events = events;
    this.#framer = new StreamFramer((bytes) => this.#receive(bytes));
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (bytes) => this.#read(bytes));
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  send(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.#socket.write(bytes);
    if (this.#socket.writableLength <= MAX_UNSENT_BYTES) return;
    this.#events.onDrop('connection that takes nothing');
    this.#socket.destroy();
  }

  resend(bytes: Buffer): void {
    this.send(bytes);
  }

  /** Whoever connects must say something that is SIP before long. */
  expectSpeech(): void {
    this.isRenewable = false;
    const timer = setTimeout(() => {
      if (!this.#hasSpoken) this.#socket.destroy();
    }, SPEAK_MS).unref();
    this.#socket.once('close', () => clearTimeout(timer));
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(bytes: Buffer): void {
    const { oversized, skippedBytes } = this.#framer;
    this.#framer.push(bytes);
    if (this.#framer.pings > this.#pings) this.#answerPings();
    if (this.#framer.oversized > oversized) this.#events.onDrop('message too large');
    else if (this.#framer.skippedBytes > skippedBytes) this.#events.onDrop('no SIP on a connection');
    if (this.#framer.skippedBytes > skippedBytes && !this.#hasSpoken) this.#socket.destroy();
  }

  /** RFC 5626 §3.5.1. */
  #answerPings(): void {
    this.#pings = this.#framer.pings;
    if (this.isOpen) this.#socket.write(PONG);
  }

  #receive(bytes: Buffer): void {
    this.#hasSpoken = true;
    this.#events.onMessage(Buffer.from(bytes), this);
  }
}
