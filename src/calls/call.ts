import type { SipMessage } from '../sip/message.ts';
import type { Address } from '../sip/observation.ts';
import { detach } from '../sip/text.ts';
import { NO_CAUSE } from './cause.ts';
import type { Timed } from './deadlines.ts';
import type { Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { PartyState } from './party-states.ts';

const NONE: readonly never[] = [];

/** The list with one more: most hold one or two, and an array that grows in place takes room for seventeen. */
export const append = <T>(list: readonly T[], item: T): readonly T[] => (list.length === 0 ? [item] : [...list, item]);

/** All legs joined under one CallAPIID. */
export class Call {
  readonly id: string;
  /** The number the caller dialled, and the public number it was, if it was one. */
  readonly dialled: string;
  readonly did: string;
  legs: readonly Leg[] = NONE;
  parties: readonly Party[] = NONE;
  /** Events told so far. */
  sequence = 0;

  constructor(id: string, dialled: string, did: string) {
    this.id = id;
    this.dialled = dialled;
    this.did = did;
  }

  /** The party that an extension takes in the call at present. */
  party(extension: Extension, role: Party['role']): Party | undefined {
    return this.parties.find(
      (party) => party.role === role && party.state !== 'over' && party.extension.number === extension.number,
    );
  }

  /** Whether the call was sent to a device of the called side at all. */
  get wasOffered(): boolean {
    return this.legs.some(({ transactions }) => transactions.some(({ aim, isLeaf }) => isLeaf && aim !== 'addressed'));
  }
}

/** One continuous participation of one extension in one call, as caller or as called. */
export class Party {
  readonly call: Call;
  readonly extension: Extension;
  readonly role: 'caller' | 'called';
  /** Counts the parties of the call, from 1. */
  readonly ordinal: number;
  /** As at the Dial: fixed for all of the party's events but for CallStatus. */
  readonly params: CallParameters;
  state: PartyState = 'held';
  dialledAt = 0;
  rangAt = 0;
  answeredAt = 0;
  /** Of a caller: the extension that answered. */
  answeredBy: string | undefined = undefined;

  constructor(call: Call, extension: Extension, role: 'caller' | 'called', params: CallParameters) {
    this.call = call;
    this.extension = extension;
    this.role = role;
    this.params = params;
    call.parties = append(call.parties, this);
    this.ordinal = call.parties.length;
  }

  /** The clock was set by so many ms. */
  leap(byMs: number): void {
    if (this.dialledAt > 0) this.dialledAt += byMs;
    if (this.rangAt > 0) this.rangAt += byMs;
    if (this.answeredAt > 0) this.answeredAt += byMs;
  }
}

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

/** The two ends between which a message was seen. */
export interface Hop {
  readonly source: Address;
  readonly destination: Address;
}

/** Where a leg can be found as the cause of another; see `Feeders`. */
export interface Feeding {
  readonly leg: Leg;
  /** Where the leg went. */
  readonly destination: Address;
  readonly key: string;
  previous: Feeding | undefined;
  next: Feeding | undefined;
  readonly nextOfLeg: Feeding | undefined;
}

/** One INVITE-initiated dialog set (Call-ID and From-tag) with all its forks. */
export class Leg implements Timed {
  readonly call: Call;
  readonly callId: string;
  readonly fromTag: string;
  /** Who sent it, on the hop on which it was seen first. */
  readonly source: Address;
  /** The leg that a PBX made this one for, where that is known. */
  readonly feeder: Leg | undefined;
  /** A PBX sent the INVITE: the caller is on another leg, known or not. */
  readonly isFed: boolean;
  /** Sequence number of the attempt that counts: a challenge or redirection makes another. */
  cseq: number;
  attempts = 0;
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
  transactions: readonly Transaction[] = NONE;
  dialogs: readonly Dialog[] = NONE;
  deadline = Infinity;
  queuedAt = Infinity;
  /** Next leg of the same Call-ID. */
  next: Leg | undefined = undefined;
  /** How many legs a PBX made for this one, and where it stands in the index for finding that out. */
  feeds = 0;
  feeding: Feeding | undefined = undefined;

  constructor(call: Call, message: SipMessage, source: Address, isFed: boolean, feeder: Leg | undefined) {
    this.call = call;
    this.callId = detach(message.callId);
    this.fromTag = detach(message.fromTag);
    this.cseq = message.cseq;
    this.source = source;
    this.isFed = isFed;
    this.feeder = feeder;
    call.legs = append(call.legs, this);
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

  /** The dialog between two tags, whichever side sent the request; an RFC 2543 peer leaves the other side's tag out. */
  dialog(tag: string, otherTag: string): Dialog | undefined {
    if (tag === this.fromTag) return this.dialogs.find(({ toTag }) => toTag === otherTag || otherTag === '');
    const isOther = otherTag === this.fromTag || otherTag === '';
    return isOther ? this.dialogs.find(({ toTag }) => toTag === tag) : undefined;
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

  /** The clock was set by so many ms. */
  leap(byMs: number): void {
    this.deadline += byMs;
    this.queuedAt += byMs;
    if (this.answeredAt > 0) this.answeredAt += byMs;
    for (const transaction of this.transactions) {
      transaction.startedAt += byMs;
      if (transaction.endedAt > 0) transaction.endedAt += byMs;
    }
  }

  /** Whoever waits for the answer went away, on this leg or on the one it was made for. */
  get isGivenUp(): boolean {
    return this.callerLeft || (this.feeder !== undefined && (this.feeder.isGivenUp || this.feeder.isOver));
  }
}

/**
 * What an INVITE on one hop aims at: `offered`: a device of the called side; `addressed`: a PBX, trunk or domain that
 * will decide; `open`: the configuration does not tell which.
 */
export type Aim = 'offered' | 'addressed' | 'open';

/** One INVITE transaction as seen on one hop. RFC 3261 §17. */
export class Transaction {
  readonly branch: string;
  readonly cseq: number;
  aim: Aim;
  startedAt: number;
  /** The transaction on the hop before, where that was seen. */
  readonly parent: Transaction | undefined;
  /** No further hop was seen: what answers it is the end of the way. */
  isLeaf = true;
  /** The called party that this leads to. */
  party: Party | undefined = undefined;
  rang = false;
  /** Who sent a CANCEL for it: who waits for the answer, or a proxy or PBX between. */
  cancelledBy: 'caller' | 'network' | undefined = undefined;
  /** Final response code; 0 while there is none. */
  code = 0;
  phrase = '';
  cause = NO_CAUSE;
  endedAt = 0;
  /** To-tag of its last early dialog. */
  earlyTag = '';

  constructor(branch: string, cseq: number, aim: Aim, startedAt: number, parent: Transaction | undefined) {
    this.branch = detach(branch);
    this.cseq = cseq;
    this.aim = aim;
    this.startedAt = startedAt;
    this.parent = parent;
    if (parent) parent.isLeaf = false;
  }

  /** What it reached only passes the call on. */
  passOn(): void {
    this.aim = 'addressed';
    this.party = undefined;
  }

  get isAnswered(): boolean {
    return this.code >= 200 && this.code < 300;
  }

  get hasFailed(): boolean {
    return this.code >= 300;
  }
}

/** A dialog that a 2xx confirmed. RFC 3261 §12. */
export interface Dialog {
  readonly toTag: string;
  /** Who answered, where that is an extension. */
  party: Party | undefined;
  over: boolean;
}
