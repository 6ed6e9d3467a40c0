import type { End } from './phone.ts';
import type { Session } from './session.ts';

/** Why a PBX gave up a leg that it made. */
export type Withdrawal = 'caller' | 'timeout' | 'elsewhere';

/** By what an INVITE of the PBX itself tells for which leg it is. */
export type Hint = 'none' | 'referred-by' | 'referral';

/** What who only sees the messages can tell of a leg: its call, or nothing. */
export type Evidence = 'clear' | 'obscure';

/** All legs that are one call in the end; `number` only tells them apart. */
export class TrueCall {
  readonly number: number;
  readonly scenario: string;
  #partOf: TrueCall | undefined;
  /** When it became part of another call; Infinity if it did not. */
  mergedAt = Infinity;

  constructor(number: number, scenario: string) {
    this.number = number;
    this.scenario = scenario;
  }

  /** The call that it is part of in the end. */
  get whole(): TrueCall {
    return this.#partOf?.whole ?? this;
  }

  /** The call that it is part of at a time. */
  at(time: number): TrueCall {
    return this.#partOf && time >= this.mergedAt ? this.#partOf.at(time) : this;
  }

  join(other: TrueCall, at: number): void {
    if (other.whole === this.whole) return;
    const { whole } = this;
    whole.#partOf = other.whole;
    whole.mergedAt = at;
  }
}

/** What is known of a leg when it begins. */
export interface Origin {
  readonly site: string;
  readonly call: TrueCall;
  /** Into the PBX, or made by it. */
  readonly way: 'in' | 'out';
  /** Who is at its far end. */
  readonly end: End;
  /** The caller's number as its INVITE shows it. */
  readonly shownCaller: string;
  /** The number it is for, in the words of the numbering plan. */
  readonly called: string;
  readonly startedAt: number;
  /** Of a leg that the PBX made: the leg that it is for, and what tells so. */
  readonly cause?: PbxLeg | undefined;
  readonly hint: Hint;
  /** The number that its Diversion names. */
  readonly diverted?: string | undefined;
  /** The PBX shows a number of its own as the caller's. */
  readonly hidesCaller: boolean;
  readonly session: Session;
}

/** One leg as the PBX knows it. */
export class PbxLeg {
  readonly origin: Origin;
  readonly session: Session;
  /** The leg that it is connected to. */
  peer: PbxLeg | undefined;
  /** The last one that it was connected to. */
  partner: PbxLeg | undefined;
  endedAt = Infinity;
  /** When it rang and was answered, and when one of its ends, or the PBX, was done with it. */
  rungAt = Infinity;
  answeredAt = Infinity;
  goneAt = Infinity;
  /** How many legs were made for it. */
  fed = 0;
  /** Legs of other calls that this one may have been made for just as well. */
  rivals: readonly PbxLeg[] = [];
  withdrawal: Withdrawal | undefined;
  /** When that was, Infinity if it was not: who rang elsewhere may have been taken just then. */
  withdrawnAt = Infinity;
  /** Legs made for it, those tried last at the end. */
  readonly tried: (readonly PbxLeg[])[] = [];
  /** Its caller handed over while the called one still rang. */
  isHandedOver = false;
  /** Asked for somebody else to be called. */
  referral:
    { readonly at: number; readonly target: string; readonly transferred: string; isFollowed: boolean } | undefined;
  /** The number whose ringing call it took, empty for any of the group, and when. */
  pickup: { readonly number: string; readonly at: number } | undefined;
  /** Nobody is registered under the number that was dialled. */
  isUnregistered = false;
  /** What the messages tell of the call that it belongs to. */
  evidence: Evidence = 'clear';

  constructor(origin: Origin) {
    this.origin = origin;
    this.session = origin.session;
  }

  /** The number at its far end. */
  get number(): string {
    return this.origin.way === 'in' ? this.origin.shownCaller : this.origin.end.number;
  }

  isLive(at: number): boolean {
    return at >= this.origin.startedAt && at < this.endedAt;
  }

  /** Whether it looks connected: whom it talked to last is still there. */
  get isConnected(): boolean {
    return this.partner !== undefined && this.session.isUp && this.partner.session.isUp;
  }
}
