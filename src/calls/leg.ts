import type { Call } from './call.ts';
import type { Timed } from './deadlines.ts';
import type { Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { Party } from './party.ts';
import type { Dialog, Transaction } from './transaction.ts';

/**
 * Where a leg stands: `held` until it is certain to be a call, `challenged` by 401, 407 or 422 and `redirected` by 3xx
 * while a new INVITE may follow, `pending` until the final response, `failed` while forks are left to close, `answered`,
 * and `ended`, kept for a while because copies and retransmissions still come.
 */
export type LegPhase = 'held' | 'challenged' | 'pending' | 'redirected' | 'failed' | 'answered' | 'ended';

/** An extension behind a PBX, and the parameters of its events should nothing ever be sent to it. */
export interface Addressee {
  readonly extension: Extension;
  readonly params: CallParameters;
}

/** One INVITE-initiated dialog set (Call-ID and From-tag) with all its forks. */
export class Leg implements Timed {
  readonly call: Call;
  readonly callId: string;
  readonly fromTag: string;
  /** The leg that a PBX made this one for, where that is known. */
  readonly feeder: Leg | undefined;
  /** A PBX sent the INVITE: the caller is on another leg, known or not. */
  readonly isFed: boolean;
  /** Sequence number of the attempt that counts: a challenge or redirection makes another. */
  cseq: number;
  phase: LegPhase = 'held';
  /** It is a call for certain: its parties have been told of. */
  isReleased = false;
  caller: Party | undefined = undefined;
  addressee: Addressee | undefined = undefined;
  /** CANCEL or early BYE by the calling side. */
  callerLeft = false;
  /** An ACK was seen that belongs to no failed transaction. */
  isAcknowledged = false;
  /** Session interval, 0 for none. RFC 4028. */
  sessionMs = 0;
  answeredAt = 0;
  transactions: Transaction[] = [];
  dialogs: Dialog[] = [];
  deadline = Infinity;
  queuedAt = Infinity;
  /** Next leg of the same Call-ID. */
  next: Leg | undefined = undefined;
  /** How many legs a PBX made for this one, and where it stands in the index for finding that out. */
  feeds = 0;
  feederKeys: string[] | undefined = undefined;

  constructor(call: Call, callId: string, fromTag: string, cseq: number, isFed: boolean, feeder: Leg | undefined) {
    this.call = call;
    this.callId = callId;
    this.fromTag = fromTag;
    this.cseq = cseq;
    this.isFed = isFed;
    this.feeder = feeder;
    call.legs.push(this);
  }

  /** Transaction of a branch; where that was never seen, the only one of the sequence number. */
  transaction(branch: string, cseq: number): Transaction | undefined {
    let only: Transaction | undefined;
    let count = 0;
    for (const transaction of this.transactions) {
      if (transaction.cseq !== cseq) continue;
      if (transaction.branch === branch) return transaction;
      only = transaction;
      count++;
    }
    return count === 1 ? only : undefined;
  }

  /** Whether an end of the way leads to the party. */
  leadsTo(party: Party): boolean {
    return this.transactions.some((transaction) => transaction.isLeaf && transaction.party === party);
  }

  hasBranch(branch: string, cseq: number): boolean {
    for (const transaction of this.transactions) {
      if (transaction.branch === branch && transaction.cseq === cseq) return true;
    }
    return false;
  }

  /** The dialog between two tags, whichever side sent the request. */
  dialog(tag: string, otherTag: string): Dialog | undefined {
    if (tag === this.fromTag) return this.dialogs.find(({ toTag }) => toTag === otherTag);
    return otherTag === this.fromTag ? this.dialogs.find(({ toTag }) => toTag === tag) : undefined;
  }

  /** Every dialog is over or, with none, every transaction of the calling side failed. */
  get isOver(): boolean {
    return this.dialogs.length > 0 ? this.dialogs.every(({ over }) => over) : this.hasFailed;
  }

  get hasFailed(): boolean {
    return this.transactions.every(({ parent, hasFailed }) => parent !== undefined || hasFailed);
  }

  /** The transaction of the calling side. */
  get root(): Transaction | undefined {
    return this.transactions.find(({ parent }) => parent === undefined);
  }

  /** Whoever waits for the answer went away, on this leg or on the one it was made for. */
  get isGivenUp(): boolean {
    return this.callerLeft || (this.feeder !== undefined && (this.feeder.isGivenUp || this.feeder.isOver));
  }
}
