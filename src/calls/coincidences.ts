import type { Call, Doubt, Leg, LegName, Move } from './call.ts';
import type { Calls } from './calls.ts';
import { isEnding, onlyCall } from './leg-facts.ts';
import type { LegIndex } from './leg-index.ts';

// A PBX passes on within this time what happens at the other end.
const MOMENT_MS = 25;
// How long a PBX lets a leg live at most for which nobody waits any more.
const AFTERLIFE_MS = 300;
// Of more nothing is told: it would take too long, and hardly be certain.
const MAX_CANDIDATES = 8;
const MAX_DOUBTERS = 16;
const NONE: readonly Leg[] = [];

/** A leg that was joined to none at first, and the one that it turns out to be for. */
interface Match {
  readonly leg: Leg;
  readonly feeder: Leg;
}

/**
 * Legs that several others fit, and what tells in the end which it is: the PBX passes ringing, answer and end on from one to
 * the other within moments, and ends soon what nobody waits for. Design §5.5.
 */
export class Coincidences {
  /** For each leg, those that may have been made for it. */
  readonly #doubters = new Map<Leg, readonly Leg[]>();

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
    }
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

  /** Takes note of what happens at a leg, and joins what that tells of. */
  note(leg: Leg, move: Move, at: number): void {
    if (move === 'ring' ? leg.move !== undefined : move !== 'answer' && isEnding(leg)) return; // the first counts
    leg.move = move;
    leg.movedAt = at;
    if (this.#doubters.size === 0) return;
    for (const match of this.#match(leg, at)) {
      if (isTold(match.leg)) continue;
      this.#settle(match.leg);
      this.#calls.attach(match.leg, match.feeder, 'coincidence');
      this.#onFed(match.feeder);
    }
  }

  #match(leg: Leg, at: number): Match[] {
    const own = leg.call.legs.filter(({ candidates }) => candidates.length > 0 && candidates.length <= MAX_CANDIDATES);
    const matches = own.map((doubter) => this.#findMoved(doubter) ?? this.#findLeft(doubter, at));
    const others = this.#doubtersOf(leg.call).map((doubter) => this.#findMoved(doubter));
    return [...matches, ...others].filter((match) => match !== undefined);
  }

  #doubtersOf({ legs }: Call): Leg[] {
    return legs.flatMap((leg) => this.#doubters.get(leg) ?? NONE);
  }

  /** Just the same happened at one of those that fit. */
  #findMoved(leg: Leg): Match | undefined {
    if (isTold(leg)) return undefined;
    const moved = onlyCall(leg.candidates.filter(({ call }) => explains(call, leg.call)));
    return moved && !this.#hasRival(leg, moved.call) ? { leg, feeder: moved } : undefined;
  }

  /** It goes on, and one only is left of those that fit. */
  #findLeft(leg: Leg, at: number): Match | undefined {
    if (isTold(leg)) return undefined;
    const left = leg.candidates.filter(({ call }) => isAround(call, at));
    const feeder = left.length < leg.candidateCount ? onlyCall(left) : undefined;
    return feeder && { leg, feeder };
  }

  /** What a call did may be for another leg just as well; only what is withdrawn may be several at once. */
  #hasRival(leg: Leg, call: Call): boolean {
    return (
      leg.move !== 'withdraw' &&
      this.#doubtersOf(call).some(
        (other) => other.call !== leg.call && other.move !== 'withdraw' && explains(call, other.call),
      )
    );
  }
}

/** Something else has told by now. */
const isTold = ({ call, candidates }: Leg): boolean => candidates.some((candidate) => candidate.call === call);

/** Somebody is there still, or was a moment ago. */
const isAround = ({ legs }: Call, at: number): boolean =>
  legs.some(({ phase, endedAt }) => phase !== 'ended' || at - endedAt < AFTERLIFE_MS);

/** What happened in a call happened just so at one leg of the other, and it is not that two legs of that did it together. */
const explains = (call: Call, made: Call): boolean => made.legs.some((leg) => isPassedOn(leg, call));

function isPassedOn(leg: Leg, { legs }: Call): boolean {
  const moved = legs.filter((other) => goesWith(leg, other));
  if (leg.move === 'withdraw') return moved.length > 0;
  return moved.length === 1 && (moved[0]!.move === 'end' || !moved[0]!.isFed);
}

/** What the PBX does at one leg because of what happens at another. */
function goesWith(leg: Leg, other: Leg): boolean {
  const lag = other.movedAt - leg.movedAt;
  if (leg.move === undefined || other.move === undefined || Math.abs(lag) > MOMENT_MS) return false;
  if (leg.move === 'withdraw') return other.move === 'answer' || other.move === 'end';
  if (leg.move !== 'end') return other.move === leg.move && lag >= 0 && leg.isFed; // from the phone that is called
  const isUnanswered = leg.answeredAt === 0;
  return other.move === 'end' ? isUnanswered === (other.answeredAt === 0) : isUnanswered && other.move === 'answer'; // by a voicemail
}
