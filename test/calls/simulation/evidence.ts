import type { PbxLeg } from './pbx-leg.ts';

const PROMPT_MS = 5000;
const AT_ONCE_MS = 1000;
// A PBX passes ringing and answer on within this time, and ends within that what nobody waits for.
const MOMENT_MS = 25;
const AFTERLIFE_MS = 300;

/**
 * How much speaks for a leg being what the PBX made another one for. Most: a REFER or 302 that asked for its number, or a leg
 * of the same caller (where the PBX shows a number of its own: to the same number) that dialled just that number a moment ago;
 * then one that is connected to nobody; least: one that is connected, whose phone may ask for a transfer by a feature code;
 * nothing, where its phone put it on hold.
 */
function weigh(candidate: PbxLeg, made: PbxLeg, at: number): number {
  const { shownCaller, called, hidesCaller, diverted } = made.origin;
  if (isAsked(candidate, called, shownCaller, at)) return 3;
  const isSame = hidesCaller ? candidate.origin.called === called : candidate.number === shownCaller;
  if (!isSame) return 0;
  if (candidate.isConnected) return candidate.session.isOnHold ? 0 : 1;
  if (candidate.origin.way === 'out') return candidate.session.isUp ? 1 : 0;
  const isExact = candidate.origin.called === (diverted ?? called) && at - candidate.origin.startedAt < AT_ONCE_MS;
  return isExact && candidate.fed === 0 ? 3 : 2;
}

function isAsked({ referral }: PbxLeg, called: string, caller: string, at: number): boolean {
  if (!referral || referral.isFollowed || at - referral.at > PROMPT_MS) return false;
  return referral.target === called && referral.transferred === caller;
}

/** Legs of other calls that the PBX may have made a leg for, as who sees its INVITE has to say. */
export function findRivals(made: PbxLeg, legs: readonly PbxLeg[], at: number): PbxLeg[] {
  const { site, call, cause, hint } = made.origin;
  if (!cause || hint === 'referred-by') return [];
  const least = weigh(cause, made, at) === 3 ? 2 : 1;
  return legs.filter(
    (leg) =>
      leg !== made &&
      leg.origin.site === site &&
      leg.isLive(at) &&
      leg.origin.call.at(at) !== call.at(at) &&
      weigh(leg, made, at) >= least,
  );
}

/**
 * Nobody can tell what a leg was made for: everything that happened at it and at another leg that fits is what a PBX does that
 * made the one for the other; nor did it pass anything on that tells.
 */
export const isObscure = (made: PbxLeg): boolean =>
  made.rivals.some((rival) => isPossible(rival, made)) && !isPassedOn(made.origin.cause!, made);

const isWithin = (at: number, since: number): boolean => since < Infinity && at >= since && at <= since + MOMENT_MS;

/** Who sought somebody was told of the ringing, or of the answer, as it came. */
function isPassedOn(cause: PbxLeg, made: PbxLeg): boolean {
  if (cause.origin.way === 'out' || cause.answeredAt <= made.origin.startedAt) return false;
  return isWithin(cause.rungAt, made.rungAt) || isWithin(cause.answeredAt, made.answeredAt);
}

/** Who sought somebody would have been connected when the leg was answered; and it would not have gone on without anybody. */
function isPossible(rival: PbxLeg, made: PbxLeg): boolean {
  const isSeeking = rival.origin.way === 'in' && rival.answeredAt > made.origin.startedAt;
  if (!isSeeking) return true;
  const isAnswered = made.answeredAt < made.goneAt;
  if (isAnswered && rival.goneAt > made.answeredAt && !isWithin(rival.answeredAt, made.answeredAt)) return false;
  const since = Math.max(rival.goneAt, Math.min(made.rungAt, made.answeredAt));
  return rival.isHandedOver || rival.answeredAt < Infinity || made.goneAt <= since + AFTERLIFE_MS;
}

const TAKEOVER_MS = 110;

/** Whether nobody can tell what a pickup took: about then, ringing was withdrawn in other calls as well. */
export function isPickupObscure(taker: PbxLeg, legs: readonly PbxLeg[]): boolean {
  if (!taker.pickup) return false;
  const { number, at } = taker.pickup;
  const near = (other: number): boolean => Math.abs(other - at) < TAKEOVER_MS;
  return legs.some(
    (leg) =>
      leg.origin.site === taker.origin.site &&
      leg.origin.call.whole !== taker.origin.call.whole &&
      near(leg.withdrawnAt) &&
      (number === '' || leg.number === number),
  );
}
