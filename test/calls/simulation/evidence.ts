import type { Evidence, PbxLeg } from './pbx-leg.ts';

const PROMPT_MS = 10_000;

/**
 * How much speaks for a leg being what the PBX made another one for. Most: a REFER or 302 that asked for its number; then
 * a leg of the same caller (where the PBX shows a number of its own: to the same number) that is connected to nobody yet
 * and dialled just that number; then one that dialled something else, as a group, queue or forwarded number; least: one
 * that is connected, whose phone may ask for a transfer by a feature code.
 */
function weigh(candidate: PbxLeg, made: PbxLeg, at: number): number {
  const { shownCaller, called, hidesCaller, diverted } = made.origin;
  if (isAsked(candidate, called, shownCaller, at)) return 4;
  const isSame = hidesCaller ? candidate.origin.called === called : candidate.number === shownCaller;
  if (!isSame) return 0;
  if (candidate.isConnected || candidate.origin.way === 'out') return 1;
  if (diverted !== undefined) return candidate.origin.called === diverted ? 3 : 1;
  return candidate.origin.called === called ? 3 : 2;
}

function isAsked({ referral }: PbxLeg, called: string, caller: string, at: number): boolean {
  if (!referral || referral.isFollowed || at - referral.at > PROMPT_MS) return false;
  return referral.target === called && referral.transferred === caller;
}

/**
 * What the messages tell of the leg that the PBX made another one for. `obscure`: nobody can tell, as at the time of its
 * INVITE another live leg of another call at the same PBX has just as much that speaks for it as the true cause has;
 * `misleading`: another one has more. A Referred-By can always be told; a REFER or Diversion unless another leg has the same.
 */
export function readEvidence(made: PbxLeg, legs: readonly PbxLeg[], at: number): Evidence {
  const { site, call, cause, hint } = made.origin;
  if (!cause || hint === 'referred-by') return 'clear';
  const isRival = (leg: PbxLeg): boolean =>
    leg !== made && leg.origin.site === site && leg.isLive(at) && leg.origin.call.at(at) !== call.at(at);
  const most = Math.max(0, ...legs.filter(isRival).map((leg) => weigh(leg, made, at)));
  const own = weigh(cause, made, at);
  return most === 0 || most < own ? 'clear' : most === own ? 'obscure' : 'misleading';
}

const TAKEOVER_MS = 250;

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
