import { judge, NO_EVIDENCE, type StatusTable, summarise, type Verdict } from './call-status.ts';
import type { Ending } from './event-writer.ts';
import type { Leg, Party, Transaction } from './call.ts';
import { isAnswerer, wasOffered } from './leg-facts.ts';

/** An ending without its `endedBy` and `synthesised`, which the moment of the end tells. */
export type Judgement = Omit<Ending, 'endedBy' | 'synthesised'>;

const ANSWERED: Judgement = { status: 'ANSWER', detail: 'answered', code: 200, phrase: '', q850: 0 };

const TRANSFERRED: Judgement = { status: 'CANCEL', detail: 'transferred', code: 0, phrase: '', q850: 0 };

/** How the call ended for a party. Design §4. */
export function judgeParty(party: Party, table: StatusTable): Judgement {
  if (party.answeredAt > 0) return ANSWERED;
  const leg = party.role === 'caller' ? party.call.legs.findLast(({ caller }) => caller === party) : undefined;
  return leg ? judgeCaller(leg, table) : judgeCalled(party, table);
}

/** By the transactions that led to it. */
function judgeCalled(party: Party, table: StatusTable): Judgement {
  const leadsTo = (transaction: Transaction): boolean => transaction.party === party && transaction.isLeaf;
  return sumUp(attemptsOf(party.call.legs, leadsTo), table);
}

/** By its own leg where that was given up, else by those tried last. */
function judgeCaller(leg: Leg, table: StatusTable): Judgement {
  if (leg.isTransferred && !isRefused(leg)) return TRANSFERRED;
  const own = leg.transactions.filter(({ parent }) => parent === undefined).map((root) => [root, leg] as const);
  if (leg.callerLeft) return sumUp(own, table);
  const legs = leg.call.legs.filter((other) => other === leg || (other.isFed && (other.feeder ?? leg) === leg));
  const tried = attemptsOf(
    legs,
    ({ aim, isLeaf, isAnswered }, { isFed }) => isLeaf && !isAnswered && (isFed || aim !== 'addressed'),
  );
  return sumUp(tried.length > 0 ? lastTried(tried) : own, table);
}

/** All that it was tried with had failed when its caller left. */
function isRefused(leg: Leg): boolean {
  const made = leg.call.legs.filter((other) => other.feeder === leg);
  const tried =
    made.length > 0 ? made : leg.transactions.some(({ aim, isLeaf }) => isLeaf && aim !== 'addressed') ? [leg] : [];
  return (
    !leg.callerLeft && tried.length > 0 && tried.every(({ hasFailed, answeredAt }) => hasFailed && answeredAt === 0)
  );
}

/** How the call ended for an extension to which nothing was sent: by the leg addressed to it. */
export function judgeAddressee(leg: Leg, table: StatusTable): Judgement {
  return sumUp(
    leg.transactions.filter(({ isLeaf }) => isLeaf).map((transaction) => [transaction, leg]),
    table,
  );
}

type Attempt = readonly [Transaction, Leg];

/** The transactions that match, with their legs. */
function attemptsOf(legs: readonly Leg[], matches: (transaction: Transaction, leg: Leg) => boolean): Attempt[] {
  const attempts: Attempt[] = [];
  for (const leg of legs) {
    for (const transaction of leg.transactions) if (matches(transaction, leg)) attempts.push([transaction, leg]);
  }
  return attempts;
}

/** Those that were still tried when the last of them began: of a serial fork the last, of a parallel one all. */
function lastTried(attempts: readonly Attempt[]): Attempt[] {
  const last = Math.max(...attempts.map(([{ startedAt }]) => startedAt));
  return attempts.filter(([{ startedAt, endedAt }]) => startedAt === last || endedAt === 0 || endedAt > last);
}

function sumUp(attempts: readonly Attempt[], table: StatusTable): Judgement {
  const judged = attempts.map(([transaction, leg]) => ({
    transaction,
    verdict: judge(gatherEvidence(transaction, leg), table),
  }));
  const best: Verdict = summarise(judged.map(({ verdict }) => verdict)) ?? judge(NO_EVIDENCE, table);
  const transaction = judged.find(({ verdict }) => verdict === best)?.transaction;
  return {
    ...best,
    code: transaction?.code ?? 0,
    phrase: transaction?.phrase ?? '',
    q850: transaction?.cause.q850 ?? 0,
  };
}

function gatherEvidence(transaction: Transaction, leg: Leg): Parameters<typeof judge>[0] {
  const isTakenOver = isAnsweredApart(leg);
  return {
    answered: transaction.isAnswered,
    callerLeft: !isTakenOver && (transaction.cancelledBy === 'caller' || leg.callerLeft),
    cancelled: transaction.wasWithdrawn || isTakenOver,
    callerUnknown: transaction.cancelledBy === 'unknown',
    siblingAnswered: hasAnsweredMeanwhile(transaction, leg),
    rang: transaction.rang,
    code: transaction.code,
    phrase: transaction.phrase,
    q850: transaction.cause.q850,
    q850Location: transaction.cause.location,
    sipCause: transaction.cause.sip,
    toExtension: (transaction.party ?? leg.addressee) !== undefined,
    neverOffered: !wasOffered(leg.feeder ?? leg),
  };
}

/** Its caller was answered in another dialog instead. RFC 3891 §3. */
const isAnsweredApart = ({ caller, callerLeft, answeredAt, startedAt }: Leg): boolean =>
  callerLeft && answeredAt === 0 && caller !== undefined && caller.answeredAt >= startedAt;

/** Whether somebody else, an extension or outside, answered while the transaction was under way. */
function hasAnsweredMeanwhile({ startedAt, party }: Transaction, leg: Leg): boolean {
  if (leg.answeredAt > 0) return true;
  if (leg.call.legs.some((other) => other.isFed && other !== leg && other.answeredAt >= startedAt)) return true;
  return leg.call.parties.some((other) => other !== party && isAnswerer(other) && other.answeredAt >= startedAt);
}
