import type { SipMessage } from '../sip/message.ts';
import type { Address } from '../sip/observation.ts';
import { detach } from '../sip/text.ts';
import { NO_CAUSE } from './cause.ts';
import type { Timed } from './deadlines.ts';
import type { DialogName } from './dialog-name.ts';
import type { Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { JoinMethod } from './join.ts';
import type { PartyState } from './party-states.ts';
import type { Pickup } from './tenant.ts';

const NONE: readonly never[] = [];

/** The list with one more: most hold one or two, and an array that grows in place takes room for seventeen. */
export const append = <T>(list: readonly T[], item: T): readonly T[] => (list.length === 0 ? [item] : [...list, item]);

/** A peer may send any number of them. */
export const MAX_ALIASES = 64;

/** All legs joined under one CallAPIID. */
export class Call {
  readonly id: string;
  /** Time of its first leg. */
  startedAt: number;
  /** The number the caller dialled, and the public number it was, if it was one. */
  readonly dialled: string;
  readonly did: string;
  legs: readonly Leg[] = NONE;
  parties: readonly Party[] = NONE;
  /** Parties that it began with itself, and events told so far. */
  births = 0;
  sequence = 0;
  /** Sequence of the last event when its state was taken down. */
  keptSequence = 0;
  /** Other ids under which it is known: of calls it absorbed, and as our marker named it. */
  aliases: readonly string[] = NONE;

  constructor(id: string, startedAt: number, dialled: string, did: string) {
    this.id = id;
    this.startedAt = startedAt;
    this.dialled = dialled;
    this.did = did;
  }

  /** The party that an extension takes in the call at present. */
  party(extension: Extension, role: Party['role']): Party | undefined {
    return this.parties.find(
      (party) => party.role === role && party.state !== 'over' && party.extension.number === extension.number,
    );
  }

  /** Any of its legs is up, or may still be. */
  get isUp(): boolean {
    return this.legs.some(({ phase }) => phase !== 'ended');
  }

  /** Another call turns out to be part of this one: its legs and parties come over. Design §5. */
  absorb(other: Call): void {
    for (const leg of other.legs) leg.call = this;
    for (const party of other.parties) party.moveTo(this);
    this.legs = [...this.legs, ...other.legs];
    this.parties = [...this.parties, ...other.parties];
    this.sequence = Math.max(this.sequence, other.sequence);
    this.aliases = [...this.aliases, ...other.aliases, other.id].slice(-MAX_ALIASES);
    other.legs = NONE;
    other.parties = NONE;
  }

  /** The clock was set by so many ms. */
  leap(byMs: number): void {
    this.startedAt += byMs;
    for (const party of this.parties) party.leap(byMs);
  }
}

/** One continuous participation of one extension in one call, as caller or as called. */
export class Party {
  call: Call;
  readonly extension: Extension;
  readonly role: 'caller' | 'called';
  /** Names the party for ever, in whatever call it is: id of the call it began in, and a number from 1. */
  readonly birthCallId: string;
  readonly ordinal: number;
  /** As at the Dial: fixed for all of the party's events but for CallStatus, and for CallAPIID when calls merge. */
  params: CallParameters;
  state: PartyState = 'held';
  dialledAt = 0;
  rangAt = 0;
  answeredAt = 0;
  /** Of a caller: the extension that answered. */
  answeredBy: string | undefined = undefined;
  /** How its leg was joined to the call; undefined if that began with it. */
  join: Join | undefined;
  /** CallAPIID before its call became part of an older one. */
  previousId: string | undefined = undefined;
  /** Number of who transferred the call to it, or it to somebody else. */
  transferredBy: string | undefined;

  constructor(
    call: Call,
    extension: Extension,
    role: 'caller' | 'called',
    params: CallParameters,
    join: Join | undefined,
  ) {
    this.call = call;
    this.extension = extension;
    this.role = role;
    this.params = params;
    this.join = join;
    this.transferredBy = join?.by || join?.feeder?.join?.by || undefined; // who was asked may call through a PBX
    this.birthCallId = call.id;
    this.ordinal = ++call.births;
    call.parties = append(call.parties, this);
  }

  moveTo(call: Call): void {
    this.previousId = this.call.id;
    this.call = call;
    this.params = { ...this.params, CallAPIID: call.id };
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

/** One INVITE-initiated dialog set (Call-ID and From-tag) with all its forks. */
export class Leg implements Timed {
  call: Call;
  readonly callId: string;
  readonly fromTag: string;
  /** Who sent it, on the hop on which it was seen first. */
  readonly source: Address;
  /** A PBX sent the INVITE: the caller is on another leg, known or not. */
  readonly isFed: boolean;
  /** How it was joined to its call; undefined for a leg that a call began with. */
  join: Join | undefined = undefined;
  /** Why it was not joined although some legs fit, and which; empty if none did. */
  doubt = '';
  candidates: readonly Leg[] = NONE;
  /** How many those were at first. */
  candidateCount = 0;
  /** When it rang first, and when it was refused, given up or hung up; 0 for never. */
  rangAt = 0;
  goneAt = 0;
  /** The numbers at its two ends, in the words of the numbering plan; see `Numbers`. */
  callerNumber = '';
  claimedNumber = '';
  calledNumber = '';
  /** The number that a PBX tells the phone of this leg it is connected to; empty while nothing is told. RFC 4916. */
  connected = '';
  /** When that was told last, but for its INVITE; 0 for never. */
  connectedAt = 0;
  /** Its phone put it on hold: nobody does anything there. */
  isOnHold = false;
  /** Nobody in its call had that number when it was told. */
  isWithStranger = false;
  /** Its caller handed over to somebody else, so that its end is none for whom it calls. RFC 5589. */
  isTransferred = false;
  /** The 3xx that it ended with. */
  redirect: Referral | undefined = undefined;
  /** Who was asked to call somebody else, and has not done so yet. RFC 3515. */
  referee: Party | undefined = undefined;
  referredAt = 0;
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
  /** The PBX hung up on it: who was there did not leave. */
  isDropped = false;
  /** An ACK was seen that belongs to no failed transaction. */
  isAcknowledged = false;
  /** Session interval, 0 for none. RFC 4028. */
  sessionMs = 0;
  /** Its first INVITE, its first 2xx, and its end; 0 for none. */
  startedAt = 0;
  answeredAt = 0;
  endedAt = 0;
  transactions: readonly Transaction[] = NONE;
  dialogs: readonly Dialog[] = NONE;
  deadline = Infinity;
  queueIndex = -1;
  /** Next leg of the same Call-ID. */
  next: Leg | undefined = undefined;
  /** How many legs a PBX made for this one, and where it stands in the index for finding that out. */
  feeds = 0;
  /** A leg that was joined to none may have been made for it. */
  isDoubted = false;
  anchor: Anchor | undefined = undefined;
  /** Identifiers under which `Correlators` knows it. */
  tokens: readonly string[] = NONE;
  /** Where `Pickups` looks for it while it rings. */
  ringing: Set<Leg> | undefined = undefined;
  /** It is a call to a pickup code. */
  pickup: Pickup | undefined = undefined;

  constructor(
    call: Call,
    { callId, fromTag, cseq }: Pick<SipMessage, 'callId' | 'fromTag' | 'cseq'>,
    source: Address,
    isFed: boolean,
  ) {
    this.call = call;
    this.callId = detach(callId);
    this.fromTag = detach(fromTag);
    this.cseq = cseq;
    this.source = source;
    this.isFed = isFed;
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
    this.startedAt += byMs;
    if (this.referredAt > 0) this.referredAt += byMs;
    if (this.answeredAt > 0) this.answeredAt += byMs;
    if (this.endedAt > 0) this.endedAt += byMs;
    if (this.rangAt > 0) this.rangAt += byMs;
    if (this.goneAt > 0) this.goneAt += byMs;
    if (this.connectedAt > 0) this.connectedAt += byMs;
    for (const transaction of this.transactions) {
      transaction.startedAt += byMs;
      if (transaction.endedAt > 0) transaction.endedAt += byMs;
    }
  }

  /** The number of the phone or trunk at its far end from the PBX. */
  get ownNumber(): string {
    return this.isFed ? this.calledNumber : this.callerNumber;
  }

  /** The leg that a PBX made this one for, where that is known. */
  get feeder(): Leg | undefined {
    return this.join?.feeder;
  }

  /** It is up, or was a moment ago: answered, and not all of its dialogs are over. */
  get isUp(): boolean {
    return this.phase === 'answered' && !this.isOver;
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
  cancelledBy: 'caller' | 'network' | 'unknown' | undefined = undefined;
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

  /** A proxy or PBX cancelled it, or who that was is not known. */
  get wasWithdrawn(): boolean {
    return this.cancelledBy === 'network' || this.cancelledBy === 'unknown';
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
  /** The last REFER within it. */
  referral: Referral | undefined;
}

/** Several legs fit, and nothing tells between them: a wrong join is worse than none. */
export interface Doubt {
  /** In words. */
  readonly doubt: string;
  readonly legs: readonly Leg[];
}

/** What a leg is known by. */
export type LegName = Pick<Leg, 'callId' | 'fromTag'>;

/** How a leg came to its call. */
export interface Join {
  readonly method: JoinMethod;
  /** The leg that it was joined to. */
  readonly leg: Leg;
  /** The leg whose caller waits for its answer, where a PBX made it and that is known. */
  readonly feeder: Leg | undefined;
  /** Number of who transferred the call, where that is how. */
  readonly by?: string;
}

/** The legs that can be found by one key: those that caused no leg yet, and those that did. */
export interface AnchorChain {
  readonly key: string;
  readonly idle: AnchorList;
  readonly fed: AnchorList;
}

export interface AnchorList {
  first: Anchor | undefined;
  last: Anchor | undefined;
}

/** Where a leg can be found. */
export interface Anchor {
  readonly leg: Leg;
  readonly chain: AnchorChain;
  /** The list of the chain that it is in at present. */
  list: AnchorList;
  /** Where the leg went. */
  readonly destination: Address;
  previous: Anchor | undefined;
  next: Anchor | undefined;
  readonly nextOfLeg: Anchor | undefined;
}

/** A request to call somebody else: a REFER within a dialog, or a 3xx. RFC 3515, RFC 5589. */
export interface Referral {
  /** The leg within which it came; its other end, or whoever that is a leg of, is to call. */
  readonly leg: Leg;
  readonly kind: 'refer' | 'redirect';
  /** The caller of that leg asks, not the called side. */
  readonly byCaller: boolean;
  /** Number of who asks, as it says itself (a phone may name its contact), and as the numbering plan knows it. */
  readonly referrer: string;
  readonly by: string;
  /** Number of whom to call. */
  readonly target: string;
  /** Of a 3xx: the other contacts, which may be called when that fails. RFC 3261 §8.1.3.4. */
  readonly others: readonly string[];
  /** The dialog to take over, where the transfer is attended. RFC 3891. */
  readonly replaces: DialogName | undefined;
  readonly cseq: number;
  readonly at: number;
  /** Call-ID of a REFER outside of the dialog; empty for one within. RFC 4538. */
  readonly outsideId: string;
  /** Places it went to: who is to call is one of them. */
  readonly sites: Set<string>;
  readonly dialog: Dialog | undefined;
  state: 'asked' | 'accepted' | 'refused';
  /** A leg came that answers it. */
  isFollowed: boolean;
}
