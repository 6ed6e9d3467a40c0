import type { Call, Doubt, Leg, LegName } from './call.ts';
import type { Calls } from './calls.ts';
import { isTooLate, onlyCall } from './leg-facts.ts';
import type { LegIndex } from './leg-index.ts';
import { isSameNumber } from './number-match.ts';

// A PBX passes on within this time what happens at the other end; one that looks at each leg every 20 ms is not faster.
const MOMENT_MS = 30;
// How long a PBX lets a leg live at most for which nobody waits any more.
const AFTERLIFE_MS = 300;
// A PBX makes the legs of a ring group within this time.
export const TOGETHER_MS = 10;
// Of more nothing is told: it would take too long, and hardly be certain.
const MAX_CANDIDATES = 8;
const MAX_DOUBTERS = 16;
const NONE: readonly Leg[] = [];

/** A leg to be looked at again, once the PBX had the time to pass on what happened. */
interface Check {
  readonly leg: Leg;
  readonly at: number;
}

/**
 * Legs that several others fit, and what tells in the end which it is. A PBX passes ringing and answer on from a leg to the one
 * that it was made for, withdraws it when somebody else answered, and ends soon what nobody waits for: a leg at which something
 * else happened is out. Design §5.5.
 */
export class Coincidences {
  /** For each leg, those that may have been made for it. */
  readonly #doubters = new Map<Leg, readonly Leg[]>();
  /** In order of time, for either time that a PBX may take. */
  #soon: Check[] = [];
  #late: Check[] = [];

  readonly #calls: Calls;
  readonly #onFed: (feeder: Leg) => void;

  /** `onFed` is told of every leg for which another turns out to be made. */
  constructor(calls: Calls, onFed: (feeder: Leg) => void) {
    this.#calls = calls;
    this.#onFed = onFed;
  }

  /** A leg is not joined, so none of those that fit can count as one that nobody was called for. */
  add(leg: Leg, { doubt, legs }: Doubt): void {
    leg.doubt = doubt;
    leg.candidates = legs;
    leg.candidateCount = legs.length;
    for (const other of legs) other.isDoubted = true;
    this.#watch(leg);
  }

  /** Puts back what was known before a restart. */
  restore(candidates: ReadonlyMap<Leg, readonly LegName[]>, index: LegIndex): void {
    for (const [leg, names] of candidates) {
      const legs = names.map(({ callId, fromTag }) => index.find(callId, fromTag));
      leg.candidates = legs.filter((candidate) => candidate !== undefined);
      this.#watch(leg);
      for (const other of [leg, ...leg.candidates.flatMap(({ call }) => call.legs)]) {
        for (const at of [other.rangAt, other.answeredAt, other.goneAt]) if (at > 0) this.#schedule(leg, at);
      }
    }
    for (const checks of [this.#soon, this.#late]) checks.sort((one, other) => one.at - other.at);
  }

  #watch(leg: Leg): void {
    if (leg.candidates.length > MAX_CANDIDATES) return;
    for (const candidate of leg.candidates) {
      const doubters = this.#doubters.get(candidate) ?? NONE;
      if (doubters.length < MAX_DOUBTERS) this.#doubters.set(candidate, [...doubters, leg]);
    }
  }

  forget(leg: Leg): void {
    this.#doubters.delete(leg);
    this.#settle(leg);
  }

  /** What the leg was made for is known now, or counts no more. */
  #settle(leg: Leg): void {
    for (const candidate of leg.candidates) {
      const left = this.#doubters.get(candidate)?.filter((other) => other !== leg) ?? NONE;
      if (left.length > 0) this.#doubters.set(candidate, left);
      else this.#doubters.delete(candidate);
    }
  }

  /** It rings: the first 18x counts. */
  ring(leg: Leg, at: number): void {
    if (leg.rangAt > 0) return;
    leg.rangAt = at;
    this.note(leg, at);
  }

  /** It is refused, given up or hung up. */
  end(leg: Leg, at: number): void {
    if (leg.goneAt > 0) return;
    leg.goneAt = at;
    this.note(leg, at);
    for (const doubter of this.#doubtersOf(leg.call)) {
      const refused = isOpen(doubter) ? this.#findTold(doubter, [isRefused]) : undefined;
      if (refused) this.#attach(doubter, refused); // before the caller's end is judged
    }
  }

  /** Something happened at a leg: what that tells of others is known a moment later. */
  note(leg: Leg, at: number): void {
    if (this.#doubters.size === 0) return;
    for (const doubter of new Set([...leg.call.legs, ...this.#doubtersOf(leg.call)])) {
      if (isOpen(doubter)) this.#schedule(doubter, at);
    }
  }

  #schedule(leg: Leg, at: number): void {
    this.#soon.push({ leg, at: at + MOMENT_MS });
    this.#late.push({ leg, at: at + AFTERLIFE_MS });
  }

  /** The clock was set by so many ms. */
  leap(byMs: number): void {
    const move = (checks: Check[]): Check[] => checks.map(({ leg, at }) => ({ leg, at: at + byMs }));
    this.#soon = move(this.#soon);
    this.#late = move(this.#late);
  }

  /** Joins what the time up to `now` tells of. */
  expire(now: number): void {
    if (this.#late.length === 0) return; // the usual, with every message
    for (let check = this.#next(now); check; check = this.#next(now)) this.#check(check.leg, check.at);
  }

  #next(now: number): Check | undefined {
    const [soon, late] = [this.#soon[0]?.at ?? Infinity, this.#late[0]?.at ?? Infinity];
    if (Math.min(soon, late) > now) return undefined;
    return soon <= late ? this.#soon.shift() : this.#late.shift();
  }

  #check(leg: Leg, at: number): void {
    if (!isOpen(leg)) return;
    const feeder = this.#findTold(leg) ?? findLeft(leg, at);
    if (!feeder) return;
    const others = this.#doubtersOf(feeder.call).filter((other) => isOpen(other) && isMadeWith(other, leg, feeder));
    for (const made of new Set([leg, ...others])) this.#attach(made, feeder);
  }

  #attach(leg: Leg, feeder: Leg): void {
    this.#settle(leg);
    this.#calls.attach(leg, feeder, 'coincidence');
    this.#onFed(feeder);
  }

  #doubtersOf({ legs }: Call): Leg[] {
    return legs.flatMap((leg) => this.#doubters.get(leg) ?? NONE);
  }

  /** The PBX passed on to one of them what happened, and there is nothing else that it may have passed on. */
  #findTold(leg: Leg, signs = SIGNS): Leg | undefined {
    const feeder = onlyCall(leg.candidates.filter((candidate) => signs.some((isSeen) => isSeen(leg, candidate))));
    if (!feeder) return undefined;
    const others = new Set([...feeder.call.legs, ...this.#doubtersOf(feeder.call)]);
    const rivals = [...others].filter((other) => other !== leg && other !== feeder && !isMadeWith(other, leg, feeder));
    const isTelling = signs.some((isSeen) => isSeen(leg, feeder) && !rivals.some((rival) => isSeen(rival, feeder)));
    return isTelling ? feeder : undefined;
  }
}

/** It may still turn out what it was made for. */
const isOpen = ({ call, candidates }: Leg): boolean =>
  candidates.length > 0 &&
  candidates.length <= MAX_CANDIDATES &&
  !candidates.some((candidate) => candidate.call === call);

/** Two phones of one ring group: who calls that dialled the number of neither, and sought nobody else. */
const isMadeWith = (one: Leg, other: Leg, feeder: Leg): boolean =>
  Math.abs(one.startedAt - other.startedAt) <= TOGETHER_MS &&
  one.candidates.includes(feeder) &&
  isSameNumber(one.callerNumber, other.callerNumber) &&
  [one, other].every(({ calledNumber }) => !isSameNumber(feeder.calledNumber, calledNumber)) &&
  other.candidates.every((candidate) => candidate.call === feeder.call || !hasSought(candidate, other));

const isWithin = (at: number, since: number): boolean => since > 0 && at >= since && at <= since + MOMENT_MS;

/** What happened at a phone that the PBX called happened a moment later at the leg of somebody who sought. */
type Sign = (made: Leg, feeder: Leg) => boolean;

const hasSought = (feeder: Leg, made: Leg): boolean =>
  made.isFed &&
  !feeder.isFed &&
  feeder.startedAt <= made.startedAt &&
  (feeder.answeredAt === 0 || feeder.answeredAt >= made.startedAt);

const isRung: Sign = (made, feeder) => hasSought(feeder, made) && isWithin(feeder.rangAt, made.rangAt);

/** Both rang before, or neither. */
const isAnswered: Sign = (made, feeder) =>
  hasSought(feeder, made) && (feeder.rangAt > 0 || made.rangAt === 0) && isWithin(feeder.answeredAt, made.answeredAt);

const isRefused: Sign = (made, feeder) =>
  hasSought(feeder, made) &&
  made.answeredAt + feeder.answeredAt === 0 &&
  !feeder.callerLeft &&
  !wasWithdrawn(made) &&
  !feeder.call.legs.some((other) => other !== made && other.feeder === feeder && isLiveAt(other, made.goneAt)) &&
  isWithin(feeder.goneAt, made.goneAt);

const SIGNS: readonly Sign[] = [isRung, isAnswered, isRefused];

const isLiveAt = ({ goneAt }: Leg, at: number): boolean => goneAt === 0 || goneAt + MOMENT_MS >= at;

const wasWithdrawn = ({ transactions }: Leg): boolean =>
  transactions.some(({ cancelledBy }) => cancelledBy !== undefined);

/** All others are out. */
function findLeft(leg: Leg, at: number): Leg | undefined {
  const left = leg.candidates.filter((candidate) => !isRuledOut(candidate, leg, at));
  return left.length < leg.candidateCount ? onlyCall(left) : undefined;
}

/** The PBX did what it would not have done, had it made the leg for the other one. */
const isRuledOut = (feeder: Leg, made: Leg, at: number): boolean =>
  isAnsweredInVain(feeder, made, at) || isLeftAlone(feeder, made, at) || isTakenElsewhere(feeder, made, at);

/** The leg was answered, and who sought somebody seeks on. */
function isAnsweredInVain({ answeredAt, goneAt, startedAt, isFed }: Leg, made: Leg, at: number): boolean {
  const until = made.answeredAt + MOMENT_MS;
  if (isFed || made.answeredAt === 0 || at < until || startedAt > made.startedAt) return false;
  if (isTooLate(made)) return false;
  return (answeredAt === 0 || answeredAt > until) && (goneAt === 0 || goneAt > until);
}

/** The leg goes on, though nobody is there any more; who was talked to before may have been handed on. */
function isLeftAlone({ call, isTransferred }: Leg, made: Leg, at: number): boolean {
  const heardAt = made.rangAt || made.answeredAt;
  if (isTransferred || heardAt === 0) return false; // it can't be withdrawn yet. RFC 3261 §9.1
  const leftAt = Math.max(...call.legs.map(({ goneAt, endedAt }) => goneAt || endedAt || Infinity));
  if (made.answeredAt > 0 && made.answeredAt <= leftAt) return false;
  return goesOn(made, Math.max(leftAt, heardAt), at);
}

/** The leg goes on, though somebody else answered. */
function isTakenElsewhere(feeder: Leg, made: Leg, at: number): boolean {
  if (feeder.isFed || feeder.answeredAt <= made.startedAt || made.rangAt === 0) return false;
  const isTaken = feeder.call.legs.some(
    (other) => other.feeder === feeder && isWithin(feeder.answeredAt, other.answeredAt),
  );
  return isTaken && goesOn(made, Math.max(feeder.answeredAt, made.rangAt), at);
}

const goesOn = ({ goneAt }: Leg, since: number, at: number): boolean =>
  at >= since + AFTERLIFE_MS && (goneAt === 0 || goneAt > since + AFTERLIFE_MS);
