import type { Leg, Party, Transaction } from './call.ts';
import type { Ending } from './event-writer.ts';

/** Who made an unanswered transaction end: a PBX that answers for a phone is the network. */
export function findEnder(leg: Leg, transaction: Transaction): Ending['endedBy'] {
  if (leg.callerLeft || transaction.cancelledBy === 'caller') return 'caller';
  return transaction.wasWithdrawn || transaction.aim === 'addressed' ? 'network' : 'called';
}

/** The last attempt of a leg was redirected, and its caller still waits. */
export const isRedirected = (leg: Leg): boolean => {
  const code = leg.dialogs.length > 0 ? 0 : (leg.root?.code ?? 0);
  return code >= 300 && code < (hasOtherContacts(leg) ? 600 : 400) && !leg.callerLeft;
};

/** The phone that was sent elsewhere calls by itself, and was told of others. RFC 3261 §8.1.3.4. */
const hasOtherContacts = ({ join, isFed }: Leg): boolean =>
  !isFed && join?.method === 'redirect' && join.leg.redirect?.isFollowed === false;

/**
 * Whether nobody is left who waits for the leg's answer: its caller, on this leg or on the one that it was made for, or
 * (after a transfer) whoever else is up in the call. Design §4.2.
 */
export function isGivenUp(leg: Leg): boolean {
  if (leg.callerLeft) return true;
  if (leg.feeder === undefined || leg.call.legs.some((other) => isInsteadOf(other, leg))) return false;
  let feeder: Leg | undefined = leg.feeder;
  for (let depth = 0; feeder && depth < MAX_DEPTH; depth++, feeder = feeder.feeder) {
    if (
      hasLeft(feeder) ||
      (feeder.isTransferred && leg.call.legs.some((other) => other !== leg && isLeftWaiting(other)))
    )
      return true;
  }
  return false;
}

/** Its caller gave up, or hung up; the PBX did neither refuse it nor hang up. */
const hasLeft = (leg: Leg): boolean =>
  leg.callerLeft || ((leg.phase === 'ended' || leg.isOver) && !isRefused(leg) && !leg.isDropped);

/** Who was handed over to somebody who rings left. */
const isLeftWaiting = (leg: Leg): boolean =>
  leg.answeredAt > 0 && hasLeft(leg) && !leg.dialogs.some(({ referral }) => referral);

/** Somebody waits, but who handed over; or another phone was answered for who waited. */
const isInsteadOf = (other: Leg, leg: Leg): boolean =>
  other !== leg &&
  ((other.isUp && !other.dialogs.some(({ referral }) => referral?.isFollowed)) ||
    (other.feeder === leg.feeder && other.answeredAt >= leg.startedAt && !isTooLate(other)));

/** It was withdrawn already when it was answered. */
export const isTooLate = ({ goneAt, answeredAt }: Leg): boolean => goneAt > 0 && goneAt <= answeredAt;

/** The PBX itself put an end to it: what it withdraws elsewhere after that, its caller did not give up. */
const isRefused = ({ dialogs, root }: Leg): boolean =>
  dialogs.length === 0 && root !== undefined && root.hasFailed && root.code !== 487;

// More PBXs than any call goes through.
const MAX_DEPTH = 32;

// A PBX passes on within this time that the caller left.
const PASSED_ON_MS = 250;

/** No leg of a caller is known; or the leg was joined to none, and of those that it may be for one was left just now. */
export function isCallerUnknown({ call, candidates }: Leg, at: number): boolean {
  if (call.legs.some(({ isFed }) => !isFed)) return false;
  const isLeft = ({ callerLeft, endedAt }: Leg): boolean => (endedAt === 0 ? callerLeft : at - endedAt < PASSED_ON_MS);
  return candidates.length === 0 || candidates.some(isLeft);
}

/**
 * Over when every dialog of its devices is or, before any answer, every transaction that leads to it; and every leg on
 * which it calls. It goes on while it was asked to call somebody else.
 */
export function isPartyOver(party: Party): boolean {
  let hasDialog = false;
  let isPending = false;
  for (const leg of party.call.legs) {
    if (isHeldBy(leg, party)) return false;
    hasDialog ||= leg.dialogs.some((dialog) => dialog.party === party);
    if (leg.phase === 'ended') continue;
    for (const transaction of leg.transactions) {
      if (transaction.party === party && transaction.isLeaf && !transaction.hasFailed) isPending = true;
    }
  }
  return hasDialog || !isPending;
}

/** The party calls on the leg, talks on it, or may call somebody else because of it. */
function isHeldBy(leg: Leg, party: Party): boolean {
  if (leg.phase === 'redirected' && (leg.referee ?? leg.caller) === party) return true;
  if (leg.phase === 'challenged' && (leg.caller === party || leg.leadsTo(party))) return true;
  if (leg.caller === party && leg.phase !== 'ended' && !leg.isOver) return true;
  return talksOn(party, leg);
}

const talksOn = (party: Party, leg: Leg): boolean =>
  leg.dialogs.some((dialog) => dialog.party === party && !dialog.over);

// A hop of a call comes no later than this after its end: what comes then is another call, of a phone that repeats itself.
const LATE_MS = 4000;

/** A copy or a retransmission; a late hop of what is over; or an RFC 2543 re-INVITE, without tags. */
export function isOld(leg: Leg, branch: string, cseq: number, at: number): boolean {
  if (leg.hasBranch(branch, cseq) || leg.phase === 'answered') return true;
  return leg.phase === 'ended' ? at - leg.endedAt <= LATE_MS && cseq <= leg.cseq : cseq < leg.cseq;
}

/** The first of some legs, where all are of one call. */
export const onlyCall = ([leg, ...others]: readonly Leg[]): Leg | undefined =>
  leg && others.every(({ call }) => call === leg.call) ? leg : undefined;

/** Whether any leg still leads to the party. */
export const isLedTo = (party: Party): boolean => party.call.legs.some((leg) => leg.leadsTo(party));

/** Who sent the 2xx: the end of that branch, else the one whose early dialog it was, else the only one there is. */
export function findAnswerer(leg: Leg, transaction: Transaction | undefined, toTag: string): Party | undefined {
  if (transaction?.isLeaf) return transaction.party;
  const leaves = leg.transactions.filter(({ isLeaf, party }) => isLeaf && party);
  const early = leaves.find(({ earlyTag }) => earlyTag === toTag && toTag !== '');
  return early?.party ?? (leaves.length === 1 ? leaves[0]!.party : undefined);
}

/** The other side ended the dialog within which somebody was asked just now to call elsewhere, and has not yet. RFC 5589 §6. */
export function isLeftToReferee(leg: Leg, by: Ending['endedBy'], at: number, patienceMs: number): boolean {
  const { referee } = leg;
  if (!referee || !leg.isOver || leg.phase !== 'answered' || at - leg.referredAt > patienceMs) return false;
  if (by === (leg.caller === referee ? 'caller' : 'called')) return false;
  if (leg.dialogs.some(({ referral }) => referral?.isFollowed)) return false;
  return !leg.call.legs.some((other) => other !== leg && other.phase !== 'ended' && isSeatedIn(referee, other));
}

const isSeatedIn = (party: Party, leg: Leg): boolean => leg.caller === party || talksOn(party, leg);

/** Whether the call was sent to a device of the called side at all. */
export const wasOffered = (leg: Leg): boolean =>
  leg.feeds > 0 ||
  (leg.isDoubted && !isUnreachable(leg.root)) ||
  leg.transactions.some(({ aim, isLeaf }) => isLeaf && aim !== 'addressed');

/** A PBX that calls nobody says so: unknown or unregistered, without ringing. */
const isUnreachable = (root: Transaction | undefined): boolean =>
  root !== undefined && !root.rang && (root.code === 404 || [1, 3, 20].includes(root.cause.q850));

/** Ways to take a call that rings, or waits, elsewhere. */
const TAKING: ReadonlySet<string> = new Set(['pickup', 'replaces', 'connected-identity']);

/** Who answered a call that somebody else placed. */
export const isAnswerer = ({ role, join }: Party): boolean =>
  role === 'called' || (join !== undefined && TAKING.has(join.method));
