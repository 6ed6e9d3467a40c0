import type { Leg, Party, Transaction } from './call.ts';
import type { Ending } from './event-writer.ts';

/** Who made an unanswered transaction end: a PBX that answers for a phone is the network. */
export function findEnder(leg: Leg, { cancelledBy, aim }: Transaction): Ending['endedBy'] {
  if (leg.callerLeft || cancelledBy === 'caller') return 'caller';
  return cancelledBy === 'network' || aim === 'addressed' ? 'network' : 'called';
}

/** The last attempt of a leg was redirected, and its caller still waits. */
export const isRedirected = (leg: Leg): boolean => {
  const code = leg.dialogs.length > 0 ? 0 : (leg.root?.code ?? 0);
  return code >= 300 && code < 400 && !leg.callerLeft;
};

/** Over when every device's dialog is or, before any answer, every transaction that leads to it. */
export function isCalledOver(party: Party): boolean {
  let hasDialog = false;
  let isPending = false;
  for (const leg of party.call.legs) {
    for (const dialog of leg.dialogs) {
      if (dialog.party !== party) continue;
      if (!dialog.over) return false;
      hasDialog = true;
    }
    if (leg.phase === 'ended') continue;
    for (const transaction of leg.transactions) {
      if (transaction.party === party && transaction.isLeaf && !transaction.hasFailed) isPending = true;
    }
  }
  return hasDialog || !isPending;
}

/** Whether any leg still leads to the party. */
export const isLedTo = (party: Party): boolean => party.call.legs.some((leg) => leg.leadsTo(party));

/** Who sent the 2xx: the end of that branch, else the one whose early dialog it was, else the only one there is. */
export function findAnswerer(leg: Leg, transaction: Transaction | undefined, toTag: string): Party | undefined {
  if (transaction?.isLeaf) return transaction.party;
  const leaves = leg.transactions.filter(({ isLeaf, party }) => isLeaf && party);
  const early = leaves.find(({ earlyTag }) => earlyTag === toTag && toTag !== '');
  return early?.party ?? (leaves.length === 1 ? leaves[0]!.party : undefined);
}
