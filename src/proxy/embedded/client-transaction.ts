import type { Link } from './link.ts';
import type { Timed, Timer, Timers } from './timers.ts';
import {
  classOf,
  type ClientState,
  INVITE_CLIENT,
  OTHER_CLIENT,
  T1_MS,
  T2_MS,
  T4_MS,
  TIMEOUT_MS,
} from './transaction-states.ts';

/** Answers come a moment before the sender of the request gives up itself. RFC 3261 §17.1.2.2, RFC 4320 §3. */
const OTHER_TIMEOUT_MS = TIMEOUT_MS - 1000;
const COMPLETED_MS = TIMEOUT_MS;

/** Whom a client transaction tells what became of its request. */
export interface ClientOwner {
  /** It was sent, or sent again, over the link. */
  onSend(transaction: ClientTransaction, isCopy: boolean): void;
  /** No final response came in time. */
  onTimeout(transaction: ClientTransaction): void;
  onEnd(transaction: ClientTransaction): void;
}

/** Our side towards whom a request is sent on. RFC 3261 §17.1. */
export class ClientTransaction implements Timed {
  /** Branch; for CANCEL, which shares that of its INVITE, with the method behind it. */
  readonly key: string;
  readonly method: string;
  /** Changes where a connection that closed was opened again. */
  link: Link;
  /** The request as it was sent; until a final response came. */
  request: Buffer;
  state: ClientState = 'calling';
  readonly #timers: Timers;
  readonly #owner: ClientOwner;
  #timer: Timer | undefined;
  #retransmitMs = T1_MS;
  #startedAt = 0;
  #ack: Buffer | undefined;

  constructor(key: string, method: string, link: Link, request: Buffer, timers: Timers, owner: ClientOwner) {
    this.key = key;
    this.method = method;
    this.link = link;
    this.request = request;
    this.#timers = timers;
    this.#owner = owner;
  }

  get isInvite(): boolean {
    return this.method === 'INVITE';
  }

  /** No final response came yet. */
  get isPending(): boolean {
    return this.state === 'calling' || this.state === 'proceeding';
  }

  start(): void {
    this.#startedAt = this.#timers.now;
    this.#owner.onSend(this, false);
    this.#schedule(this.link.isReliable ? this.#timeoutMs : T1_MS);
  }

  /** Takes in a response; false if it is a copy of a final one that was taken in before. */
  receive(code: number): boolean {
    const before = this.state;
    this.state = (this.isInvite ? INVITE_CLIENT : OTHER_CLIENT)[before][classOf(code)];
    if (before === 'completed' && this.#ack) this.link.send(this.#ack);
    if (before === 'completed' || before === 'terminated') return false;
    if (this.state !== 'proceeding') {
      if (before !== 'accepted') this.#close();
    } else if (before === 'calling') this.#proceed();
    return true;
  }

  /** The ACK of the failure that came: sent now, and whenever that comes again. RFC 3261 §17.1.1.3. */
  acknowledge(ack: Buffer): void {
    this.#ack = ack;
    this.link.send(ack);
  }

  /** Waits so long for a final response from now on: Timer C, or what a CANCEL is given. */
  limit(afterMs: number): void {
    if (this.isPending) this.#schedule(afterMs);
  }

  /** Gives up: nothing more is taken in. */
  abandon(): void {
    this.#end();
  }

  fire(now: number): void {
    this.#timer = undefined;
    if (!this.isPending) return this.#end();
    const elapsedMs = now - this.#startedAt;
    const isRetransmitting = !this.link.isReliable && (this.state === 'calling' || !this.isInvite);
    if (!isRetransmitting || elapsedMs >= this.#timeoutMs - 1) return this.#owner.onTimeout(this);
    this.#owner.onSend(this, true);
    this.#retransmitMs = this.isInvite ? 2 * this.#retransmitMs : Math.min(2 * this.#retransmitMs, T2_MS);
    if (this.state === 'proceeding') this.#retransmitMs = T2_MS;
    this.#schedule(Math.min(this.#retransmitMs, this.#timeoutMs - elapsedMs));
  }

  get #timeoutMs(): number {
    return this.isInvite ? TIMEOUT_MS : OTHER_TIMEOUT_MS;
  }

  /** An INVITE is not sent again once the other side works on it; how long it may ring, its owner says. */
  #proceed(): void {
    if (!this.isInvite) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** A final response came: timers D, K, or M. */
  #close(): void {
    this.request = NOTHING;
    if (this.isInvite) this.#schedule(this.link.isReliable && this.state === 'completed' ? 0 : COMPLETED_MS);
    else this.#schedule(this.link.isReliable ? 0 : T4_MS);
  }

  #schedule(afterMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (afterMs <= 0) this.#end();
    else this.#timer = this.#timers.start(afterMs, this);
  }

  #end(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.state === 'terminated') return;
    this.state = 'terminated';
    this.#owner.onEnd(this);
  }
}

const NOTHING = Buffer.alloc(0);
