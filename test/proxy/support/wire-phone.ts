import type { Endpoint } from './relay.ts';
import { Received, tellMessage } from './wire-message.ts';
import { openWire, type Wire, type WireOptions, type WireTransport } from './wire-transports.ts';

export { authorize } from './wire-digest.ts';
export { Received } from './wire-message.ts';
export { makeCertificate, type Certificate } from './certificate.ts';
export type { WireTransport } from './wire-transports.ts';

/**
 * Which message is meant: a request by its method (`INVITE`), a response by its code (`180`, `2xx`) with or without the
 * method that it answers (`200 BYE`), or any by a function.
 */
export type Wanted = number | string | ((message: Received) => boolean);

/** Gives the texts to answer a request with, in order; none to leave it to the test. */
export type Answerer = (request: Received) => readonly string[] | Promise<readonly string[]>;

export interface WirePhoneOptions extends Partial<WireOptions> {
  /** Where texts go that are sent to nowhere else. */
  readonly target?: Endpoint;
}

interface Waiter {
  readonly wanted: Wanted;
  readonly resolve: (message: Received) => void;
}

const NEXT_MS = 3000;

function isWanted(wanted: Wanted, message: Received): boolean {
  if (typeof wanted === 'function') return wanted(message);
  if (typeof wanted === 'number') return message.code === wanted;
  const [first, method] = wanted.split(' ');
  if (!/^\d/.test(first!)) return message.isRequest && message.method === first;
  const isCode = first!.endsWith('xx') ? `${message.code}`[0] === first![0] : message.code === Number(first);
  return !message.isRequest && isCode && (method === undefined || message.method === method);
}

/** A SIP user agent without a mind of its own: sends the texts it is given and tells what comes. */
export class WirePhone {
  readonly transport: WireTransport;
  readonly ip: string;
  readonly target: Endpoint | undefined;
  /** Everything that came, in order, keep-alives aside. */
  readonly received: Received[] = [];
  /** What came that was no message: line ends, as they were. */
  readonly keepAlives: string[] = [];
  /** Responses that could not be sent by `answer`. */
  readonly failures: unknown[] = [];
  readonly #consumed = new Set<Received>();
  readonly #waiters = new Set<Waiter>();
  #closing: Promise<void> | undefined;
  #wire!: Wire;
  #answerer: Answerer | undefined;

  constructor({ transport = 'udp', ip = '127.0.0.1', target }: WirePhoneOptions) {
    this.transport = transport;
    this.ip = ip;
    this.target = target;
  }

  async open(options: WirePhoneOptions): Promise<this> {
    const place = { ...options, transport: this.transport, ip: this.ip };
    this.#wire = await openWire(place, (text, from) => this.#take(text, from));
    return this;
  }

  get port(): number {
    return this.#wire.port;
  }

  /** `ip:port` */
  get at(): string {
    return `${this.ip}:${this.port}`;
  }

  /** How many messages of a kind came so far. */
  count(wanted: Wanted): number {
    return this.received.filter((message) => isWanted(wanted, message)).length;
  }

  /** Peers that a connection is open to. */
  get peers(): readonly Endpoint[] {
    return this.#wire.peers;
  }

  /** What came and was asked for by no `next`. */
  get unconsumed(): Received[] {
    return this.received.filter((message) => !this.#consumed.has(message));
  }

  /** Sends a text as it is, by default to the target, else to where the last message came from. */
  async send(text: string, to: Endpoint | undefined = this.target ?? this.received.at(-1)?.from): Promise<void> {
    if (!to) throw new Error(`nowhere to send to: ${text.split('\r\n')[0]}`);
    await this.#wire.send(text, to);
  }

  /** Sends a response to where its request came from: over the same connection, if there is one. */
  async reply(request: Received, text: string): Promise<void> {
    await this.#wire.send(text, request.from);
  }

  /** From now on requests are answered by this function; `next` gives them to the test all the same. */
  answer(answerer: Answerer): void {
    this.#answerer = answerer;
  }

  /** The first message that fits and was given to nobody yet, now or when it comes. */
  next(wanted: Wanted, timeoutMs = NEXT_MS): Promise<Received> {
    const there = this.unconsumed.find((message) => isWanted(wanted, message));
    if (there) return Promise.resolve(this.#consume(there));
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(this.#tellMissing(wanted, timeoutMs)));
      }, timeoutMs);
      const waiter: Waiter = {
        wanted,
        resolve: (message) => {
          clearTimeout(timer);
          resolve(message);
        },
      };
      this.#waiters.add(waiter);
    });
  }

  /** Breaks off all connections; the phone keeps listening. */
  disconnect(): void {
    this.#wire.disconnect();
  }

  /** May be closed twice: by a test, and at its end. */
  close(): Promise<void> {
    return (this.#closing ??= this.#wire.close());
  }

  #take(text: string, from: Endpoint): void {
    if (/^[\r\n\0]*$/.test(text)) return void this.keepAlives.push(text);
    const message = new Received(text, from);
    this.received.push(message);
    const waiter = [...this.#waiters].find(({ wanted }) => isWanted(wanted, message));
    if (message.isRequest && this.#answerer) void this.#autoAnswer(message, this.#answerer);
    if (!waiter) return;
    this.#waiters.delete(waiter);
    waiter.resolve(this.#consume(message));
  }

  async #autoAnswer(request: Received, answerer: Answerer): Promise<void> {
    try {
      for (const text of await answerer(request)) await this.reply(request, text);
    } catch (error) {
      this.failures.push(error);
    }
  }

  #consume(message: Received): Received {
    this.#consumed.add(message);
    return message;
  }

  #tellMissing(wanted: Wanted, timeoutMs: number): string {
    const came = this.received.map(
      (message) => `  ${this.#consumed.has(message) ? '(taken) ' : ''}${tellMessage(message)}`,
    );
    const list = came.length > 0 ? `it got:\n${came.join('\n')}` : 'it got nothing';
    const failed = this.failures.map((error) => `\nanswering failed: ${String(error)}`).join('');
    return `${this.transport} phone ${this.ip}:${this.port} waited ${timeoutMs} ms for ${String(wanted)}; ${list}${failed}`;
  }
}

/** Opens a phone at a free port, unless one is given. */
export function openWirePhone(options: WirePhoneOptions = {}): Promise<WirePhone> {
  return new WirePhone(options).open(options);
}
