import type { SipMessage } from '../../sip/message.ts';
import type { Relay, Target } from '../decision.ts';
import type { Hop } from '../peers.ts';
import { chooseBest, type Final } from './best-response.ts';
import type { ClientOwner, ClientTransaction } from './client-transaction.ts';
import type { Preparation } from './preparation.ts';
import type { ServerTransaction } from './server-transaction.ts';
import { TIMEOUT_MS, TIMER_C_MS } from './transaction-states.ts';

/** One way on which a request was sent on. */
export interface Branch {
  readonly context: ResponseContext;
  readonly target: Target;
  /** Other addresses of the same target. */
  alternates: readonly Hop[];
  /** Missing while a name is resolved. */
  transaction: ClientTransaction | undefined;
  /** How it ended; undefined while it is under way. */
  final: Final | undefined;
  /** Header lines of the CANCEL that is to be sent, or was. */
  cancelLines: string | undefined;
  isCancelSent: boolean;
  /** We gave it up: what it answers then counts as no answer. */
  isGivenUp: boolean;
  isLimited: boolean;
}

/** What a response context needs done. */
export interface ContextHost extends ClientOwner {
  /** Sends the request, read already or not, to the target of a branch: at once, or when its name is resolved. */
  open(branch: Branch, request?: SipMessage): void;
  /** Sends a CANCEL for the branch. */
  cancel(branch: Branch): void;
  acknowledge(branch: Branch, response: SipMessage): void;
  /** A response as it goes back: without our Via. */
  strip(response: SipMessage, context: ResponseContext): Buffer;
  /** A response that we make ourselves. */
  makeResponse(context: ResponseContext, final: Final): Buffer;
  mergeChallenges(best: Buffer, others: readonly Buffer[]): Buffer;
  /** How long the target may ring in ms, 0: as long as Timer C allows. */
  readonly ringMs: number;
}

const ANSWERED_ELSEWHERE = 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n';
const RING_TIMEOUT = 'Reason: SIP;cause=408;text="Request Timeout"\r\n';

/** Everything a proxy knows of a request that it sent on, until the last response. RFC 3261 §16.7. */
export class ResponseContext {
  readonly server: ServerTransaction;
  readonly preparation: Preparation;
  readonly relay: Relay;
  readonly #host: ContextHost;
  #groups: readonly (readonly Target[])[];
  #branches: readonly Branch[] = [];
  #isCancelled = false;
  #isDone = false;

  constructor(server: ServerTransaction, preparation: Preparation, relay: Relay, host: ContextHost) {
    this.server = server;
    this.preparation = preparation;
    this.relay = relay;
    this.#groups = relay.groups;
    this.#host = host;
  }

  /** Sends the request to the next group of targets. */
  begin(request?: SipMessage): void {
    const [group = [], ...rest] = this.#groups;
    this.#groups = rest;
    const branches = group.map((target): Branch => {
      const isList = typeof target.to !== 'string' && !('transport' in target.to);
      return {
        context: this,
        target,
        alternates: isList ? target.to.slice(1) : [],
        transaction: undefined,
        final: undefined,
        cancelLines: undefined,
        isCancelSent: false,
        isGivenUp: false,
        isLimited: false,
      };
    });
    this.#branches = this.#branches.length === 0 ? branches : [...this.#branches, ...branches];
    for (const branch of branches) this.#host.open(branch, request);
  }

  /** Whether the branch must not be sent any more. */
  isOver(branch: Branch): boolean {
    return branch.final !== undefined;
  }

  receive(branch: Branch, response: SipMessage): void {
    const code = response.statusCode;
    const transaction = branch.transaction!;
    if (code >= 300 && transaction.isInvite && transaction.isPending) this.#host.acknowledge(branch, response);
    if (!transaction.receive(code)) return;
    const isSettled = code >= 200 && (code < 300 || !transaction.isInvite);
    // What comes again is passed back by its Vias alone, so that nothing need be kept of it.
    if (isSettled && !this.server.link.isReliable) transaction.abandon();
    if (code < 200) this.#proceed(branch, transaction, response);
    else if (code < 300) this.#succeed(branch, response);
    else if (!branch.final) this.#fail(branch, response);
  }

  /** Every branch is cancelled; the caller gets its 487 when they have ended. RFC 3261 §16.10. */
  cancel(reasonLines: string): void {
    this.#isCancelled = true;
    this.#groups = [];
    this.#cancelPending(reasonLines);
    this.#finish();
  }

  timeOut(branch: Branch): void {
    const transaction = branch.transaction!;
    if (transaction.state === 'proceeding' && transaction.isInvite && !branch.isCancelSent) {
      branch.isGivenUp = true;
      return this.#cancelBranch(branch, RING_TIMEOUT);
    }
    const wasSilent = transaction.state === 'calling';
    transaction.abandon();
    if (wasSilent && this.#tryAlternate(branch)) return;
    this.end(branch, { code: this.#isCancelled ? 487 : 408, response: undefined, reason: '' });
  }

  /** The target refuses, or can't be reached. */
  fail(branch: Branch, final: Final): void {
    branch.transaction?.abandon();
    if (!this.#tryAlternate(branch)) this.end(branch, final);
  }

  /** A branch ended with a failure. */
  end(branch: Branch, final: Final): void {
    if (branch.final) return;
    branch.final = final;
    if (final.code >= 600) {
      this.#groups = [];
      this.#cancelPending('');
    }
    this.#finish();
  }

  #proceed(branch: Branch, transaction: ClientTransaction, response: SipMessage): void {
    if (branch.cancelLines !== undefined && !branch.isCancelSent) this.#sendCancel(branch);
    else if (transaction.isInvite && !branch.isCancelSent) this.#limit(branch, transaction);
    const { server } = this;
    if (response.statusCode > 100 && !server.isFinal) {
      server.respond(this.#host.strip(response, this), response.statusCode);
    }
  }

  /** Timer C begins anew with every provisional response; a ring time-out does not. RFC 3261 §16.7 step 2. */
  #limit(branch: Branch, transaction: ClientTransaction): void {
    const { ringMs } = this.#host;
    if (branch.isLimited && ringMs > 0) return;
    branch.isLimited = true;
    transaction.limit(ringMs > 0 ? Math.min(ringMs, TIMER_C_MS) : TIMER_C_MS);
  }

  #succeed(branch: Branch, response: SipMessage): void {
    const code = response.statusCode;
    const isFirst = !branch.final;
    branch.final ??= { code, response: undefined, reason: '' };
    this.#groups = [];
    this.server.respond(this.#host.strip(response, this), code);
    this.#isDone = true;
    if (isFirst) this.#cancelPending(ANSWERED_ELSEWHERE);
  }

  #fail(branch: Branch, response: SipMessage): void {
    const code = response.statusCode;
    if (code === 503 && this.#tryAlternate(branch)) return;
    if (branch.isGivenUp) return this.end(branch, { code: 408, response: undefined, reason: '' });
    this.end(branch, { code, response: this.#host.strip(response, this), reason: '' });
  }

  /** RFC 3263 §4.3. */
  #tryAlternate(branch: Branch): boolean {
    const [next, ...rest] = branch.alternates;
    if (!next || this.#isDone || branch.cancelLines !== undefined) return false;
    branch.final = NEVER;
    const other: Branch = {
      ...branch,
      target: { ...branch.target, to: [next] },
      alternates: rest,
      final: undefined,
      isLimited: false,
    };
    other.transaction = undefined;
    this.#branches = [...this.#branches.filter((known) => known !== branch), other];
    this.#host.open(other);
    return true;
  }

  #cancelPending(reasonLines: string): void {
    for (const branch of this.#branches) if (!branch.final) this.#cancelBranch(branch, reasonLines);
  }

  /** A CANCEL waits for the first provisional response. RFC 3261 §9.1. */
  #cancelBranch(branch: Branch, reasonLines: string): void {
    if (branch.cancelLines !== undefined) return;
    branch.cancelLines = reasonLines;
    if (!branch.transaction) branch.final = { code: 487, response: undefined, reason: '' };
    else if (branch.transaction.state === 'proceeding') this.#sendCancel(branch);
  }

  #sendCancel(branch: Branch): void {
    if (!branch.transaction!.isInvite) return;
    branch.isCancelSent = true;
    this.#host.cancel(branch);
    branch.transaction!.limit(TIMEOUT_MS);
  }

  #finish(): void {
    if (this.#isDone || this.#branches.some(({ final }) => !final)) return;
    if (this.#groups.length > 0) return this.begin();
    this.#isDone = true;
    const finals = this.#branches.map(({ final }) => final!);
    const best = chooseBest(finals, this.#isCancelled);
    if (!best.response) return this.server.respond(this.#host.makeResponse(this, best), best.code);
    const others = finals.filter((final) => final !== best && (final.code === 401 || final.code === 407));
    const isChallenge = best.code === 401 || best.code === 407;
    const merged = isChallenge && others.length > 0;
    const bytes = merged
      ? this.#host.mergeChallenges(
          best.response,
          others.map(({ response }) => response!),
        )
      : best.response;
    this.server.respond(bytes, best.code);
  }
}

const NEVER: Final = { code: 503, response: undefined, reason: '' };
