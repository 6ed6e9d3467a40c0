import { decodeToken } from '../../sip/text.ts';
import type { Link } from './link.ts';
import type { Timed, Timer, Timers } from './timers.ts';
import {
  classOf,
  INVITE_SERVER,
  OTHER_SERVER,
  type ServerState,
  T1_MS,
  T2_MS,
  T4_MS,
  TIMEOUT_MS,
} from './transaction-states.ts';

/** A caller gets 100 Trying if nothing else was sent by then; it may be up to 200 ms. RFC 3261 §17.2.1. */
const TRYING_AFTER_MS = 100;

/** What server transactions need of their surroundings. */
export interface ServerHost {
  readonly timers: Timers;
  /** Sends a response; it is one that goes again if `isCopy`. */
  sendResponse(transaction: ServerTransaction, bytes: Buffer, code: number, isCopy: boolean): void;
  /** Nothing was sent yet. */
  onSilence(transaction: ServerTransaction): void;
  onEnd(transaction: ServerTransaction): void;
}

/** Our side towards whoever sent a request. RFC 3261 §17.2. */
export class ServerTransaction implements Timed {
  readonly key: string;
  readonly method: string;
  /** Where responses go. */
  readonly link: Link;
  /** The request as it came; empty once it is not needed any more. */
  request: Buffer;
  /** What cancels it, while it is under way. */
  onCancel: ((cancel: Buffer) => void) | undefined = undefined;
  state: ServerState = 'proceeding';
  readonly #host: ServerHost;
  #response = ''; // as latin1 text, which costs less to keep than bytes; empty if there is none to send again
  #code = 0;
  #timer: Timer | undefined;
  #retransmitMs = T1_MS;
  #finalAt = 0;

  constructor(key: string, method: string, link: Link, request: Buffer, host: ServerHost) {
    this.key = key;
    this.method = method;
    this.link = link;
    this.request = request;
    this.#host = host;
    this.#timer = host.timers.start(this.#isInvite ? TRYING_AFTER_MS : TIMEOUT_MS, this);
  }

  /** A final response was sent. */
  get isFinal(): boolean {
    return this.state !== 'proceeding';
  }

  /** Sends a response, unless a final one was sent; 2xx to an INVITE always goes. */
  respond(bytes: Buffer, code: number): void {
    const response = classOf(code);
    const isFurther2xx = this.#isInvite && response === 'success' && this.state !== 'terminated';
    if (this.isFinal && !isFurther2xx) return;
    const { state } = this;
    this.state = (this.#isInvite ? INVITE_SERVER : OTHER_SERVER)[state][response];
    this.#code = code;
    this.#host.sendResponse(this, bytes, code, false);
    // Whoever answered sends a 2xx again itself.
    this.#response = this.state === 'accepted' ? '' : decodeToken(bytes, 0, bytes.length);
    if (this.state !== state) this.#close();
    else if (this.#isInvite) this.#stop();
  }

  /** The request came again. */
  retransmit(): void {
    if (this.#response !== '') this.#resend();
    else if (this.state === 'proceeding' && this.#isInvite) this.#host.onSilence(this);
  }

  /** The ACK of a failure. */
  acknowledge(): void {
    if (this.state !== 'completed' || !this.#isInvite) return;
    this.state = 'confirmed';
    this.#response = '';
    this.#start(this.link.isReliable ? 0 : T4_MS);
  }

  fire(now: number): void {
    this.#timer = undefined;
    if (this.state === 'proceeding' && this.#isInvite) return this.#host.onSilence(this);
    const isUnacknowledged = this.state === 'completed' && this.#isInvite;
    if (!isUnacknowledged || now - this.#finalAt >= TIMEOUT_MS) return this.#end();
    if (!this.link.isReliable) this.#resend();
    this.#retransmitMs = Math.min(2 * this.#retransmitMs, T2_MS);
    this.#start(Math.min(this.#retransmitMs, this.#finalAt + TIMEOUT_MS - now));
  }

  #resend(): void {
    this.#host.sendResponse(this, Buffer.from(this.#response, 'latin1'), this.#code, true);
  }

  get #isInvite(): boolean {
    return this.method === 'INVITE';
  }

  /** A final response was sent: timers G and H, J, or L. */
  #close(): void {
    this.#finalAt = this.#host.timers.now;
    this.request = NOTHING;
    this.onCancel = undefined;
    if (this.state === 'accepted') this.#start(TIMEOUT_MS);
    else if (this.#isInvite) this.#start(this.link.isReliable ? TIMEOUT_MS : T1_MS);
    else this.#start(this.link.isReliable ? 0 : TIMEOUT_MS);
  }

  #start(afterMs: number): void {
    this.#timer?.cancel();
    if (afterMs <= 0) this.#end();
    else this.#timer = this.#host.timers.start(afterMs, this);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #end(): void {
    this.#stop();
    this.state = 'terminated';
    this.#response = '';
    this.#host.onEnd(this);
  }
}

const NOTHING = Buffer.alloc(0);
