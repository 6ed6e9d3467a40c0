import type { Address } from '../../../src/sip/observation.ts';
import type { Clock } from './clock.ts';
import { type Message, respond } from './message.ts';

const T1_MS = 500;
const T2_MS = 4000;
const LIMIT_MS = 64 * T1_MS;

/** Sends to a peer. */
export type Send = (message: Message) => void;

/** Sends again and again, at doubling intervals, until told to stop or 64 × T1 are over. */
class Repetition {
  isOn = true;
  #left = LIMIT_MS;

  constructor(clock: Clock, longestMs: number, repeat: () => void, giveUp?: () => void) {
    const wait = (intervalMs: number): void => {
      clock.after(Math.min(intervalMs, this.#left), () => {
        if (!this.isOn) return;
        this.#left -= intervalMs;
        if (this.#left <= 0) return giveUp?.();
        repeat();
        wait(Math.min(intervalMs * 2, longestMs));
      });
    };
    wait(T1_MS);
  }
}

/** A request on its way and its answers. RFC 3261 §17.1. */
export class ClientTransaction {
  readonly request: Message;
  isAnswered = false;
  readonly #send: Send;
  readonly #onResponse: (response: Message) => void;
  readonly #repetition: Repetition;

  /** `onResponse` is told of provisional responses, the first final one, and of every 2xx to an INVITE; 408 if none comes. */
  constructor(clock: Clock, request: Message, send: Send, onResponse: (response: Message) => void) {
    this.request = request;
    this.#send = send;
    this.#onResponse = onResponse;
    const longest = request.method === 'INVITE' ? LIMIT_MS : T2_MS;
    this.#repetition = new Repetition(
      clock,
      longest,
      () => send(request),
      () => this.#finish(respond(request, 408, '')),
    );
    send(request);
  }

  receive(response: Message): void {
    const isInvite = this.request.method === 'INVITE';
    if (response.status < 200 && !isInvite) return;
    this.#repetition.isOn = false;
    if (response.status < 200) return this.isAnswered ? undefined : this.#onResponse(response);
    if (isInvite && response.status >= 300) this.#acknowledge(response);
    if (isInvite && response.status < 300) this.#onResponse(response);
    else this.#finish(response);
    this.isAnswered = true;
  }

  #finish(response: Message): void {
    if (!this.isAnswered) this.#onResponse(response);
    this.isAnswered = true;
  }

  /** RFC 3261 §17.1.1.3. */
  #acknowledge({ toTag }: Message): void {
    this.#send({ ...this.request, method: 'ACK', toTag, headers: [], body: '' });
  }
}

/** A request that came and what was answered. RFC 3261 §17.2. */
export class ServerTransaction {
  readonly request: Message;
  readonly source: Address;
  /** The last answer. */
  response: Message | undefined;
  readonly #clock: Clock;
  readonly #send: Send;
  #repetition: Repetition | undefined;

  constructor(clock: Clock, request: Message, source: Address, send: Send) {
    this.#clock = clock;
    this.request = request;
    this.source = source;
    this.#send = send;
  }

  /** A final answer to an INVITE is repeated until `acknowledge`. */
  respond(status: number, toTag: string, headers: readonly string[] = [], body = ''): void {
    const response = respond(this.request, status, status === 100 ? '' : toTag, headers, body);
    this.response = response;
    this.#send(response);
    if (this.request.method !== 'INVITE' || status < 200) return;
    this.#repetition = new Repetition(this.#clock, T2_MS, () => this.#send(response));
  }

  /** The request came once more. */
  repeat(): void {
    if (this.response) this.#send(this.response);
  }

  acknowledge(): void {
    if (this.#repetition) this.#repetition.isOn = false;
  }
}
