import type { Address } from '../sip/observation.ts';
import {
  type Aim,
  type Anchor,
  Call,
  type Dialog,
  type Join,
  Leg,
  type LegName,
  Party,
  type Referral,
  Transaction,
} from './call.ts';
import type { Directory, Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { JoinMethod } from './join.ts';
import type { Pickup } from './tenant.ts';

// A call that is up, as a plain value: what has to be known of it after a restart. Legs of other calls that it might be joined
// to are left behind.

const CALL_FIELDS = ['startedAt', 'births', 'sequence', 'aliases'] as const;
const PARTY_FIELDS = [
  'birthCallId',
  'ordinal',
  'state',
  'dialledAt',
  'rangAt',
  'answeredAt',
  'answeredBy',
  'previousId',
  'transferredBy',
] as const;
const LEG_FIELDS = [
  'doubt',
  'callerNumber',
  'calledNumber',
  'connected',
  'isWithStranger',
  'isTransferred',
  'referredAt',
  'attempts',
  'phase',
  'isReleased',
  'callerLeft',
  'isAcknowledged',
  'sessionMs',
  'startedAt',
  'answeredAt',
  'endedAt',
  'deadline',
  'feeds',
  'isDoubted',
  'candidateCount',
  'move',
  'movedAt',
  'tokens',
] as const;
const TRANSACTION_FIELDS = ['isLeaf', 'rang', 'cancelledBy', 'code', 'phrase', 'cause', 'endedAt', 'earlyTag'] as const;

const REFERRAL_FIELDS = [
  'kind',
  'byCaller',
  'referrer',
  'target',
  'replaces',
  'cseq',
  'at',
  'state',
  'isFollowed',
] as const;

type Fields<Whole, Names extends readonly (keyof Whole)[]> = { readonly [Name in Names[number]]: Whole[Name] };
/** Place in the call's list of parties or legs; -1 for none. */
type Index = number;

interface PartySnapshot {
  readonly extension: string;
  readonly role: Party['role'];
  readonly params: CallParameters;
  readonly join: JoinSnapshot | undefined;
  readonly fields: Fields<Party, typeof PARTY_FIELDS>;
}

interface JoinSnapshot {
  readonly method: JoinMethod;
  readonly leg: Index;
  readonly feeder: Index;
  readonly by: string | undefined;
}

interface TransactionSnapshot {
  readonly branch: string;
  readonly cseq: number;
  readonly aim: Aim;
  readonly startedAt: number;
  readonly parent: Index;
  readonly party: Index;
  readonly fields: Fields<Transaction, typeof TRANSACTION_FIELDS>;
}

interface ReferralSnapshot extends Fields<Referral, typeof REFERRAL_FIELDS> {
  readonly sites: readonly string[];
}

interface DialogSnapshot {
  readonly toTag: string;
  readonly party: Index;
  readonly over: boolean;
  readonly referral: ReferralSnapshot | undefined;
}

interface LegSnapshot {
  readonly callId: string;
  readonly fromTag: string;
  readonly cseq: number;
  readonly source: Address;
  readonly isFed: boolean;
  readonly join: JoinSnapshot | undefined;
  readonly caller: Index;
  readonly referee: Index;
  readonly addressee: { readonly extension: string; readonly params: CallParameters } | undefined;
  readonly transactions: readonly TransactionSnapshot[];
  readonly dialogs: readonly DialogSnapshot[];
  readonly redirect: ReferralSnapshot | undefined;
  readonly pickup: Omit<Pickup, 'tenant'> | undefined;
  /** Not in those of older versions. */
  readonly candidates?: readonly LegName[];
  readonly anchors: readonly Pick<Anchor, 'key' | 'destination'>[];
  readonly fields: Fields<Leg, typeof LEG_FIELDS>;
}

export interface CallSnapshot {
  readonly id: string;
  readonly dialled: string;
  readonly did: string;
  readonly fields: Fields<Call, typeof CALL_FIELDS>;
  readonly parties: readonly PartySnapshot[];
  readonly legs: readonly LegSnapshot[];
}

/** What became of calls: those that are up, and the ids of those that are over. */
export interface CallChanges {
  readonly up: readonly CallSnapshot[];
  readonly over: readonly string[];
}

/** Takes down a call. JSON keeps all of it. */
export function takeSnapshot(call: Call): CallSnapshot {
  const { legs } = call; // those that ended, too: they tell what became of a call that goes on
  const join = (own: Join | undefined): JoinSnapshot | undefined =>
    own && {
      method: own.method,
      leg: legs.indexOf(own.leg),
      feeder: own.feeder ? legs.indexOf(own.feeder) : -1,
      by: own.by,
    };
  const indexOf = (party: Party | undefined): Index => (party ? call.parties.indexOf(party) : -1);
  return {
    id: call.id,
    dialled: call.dialled,
    did: call.did,
    fields: pick(call, CALL_FIELDS),
    parties: call.parties.map((party) => ({
      extension: party.extension.number,
      role: party.role,
      params: party.params,
      join: join(party.join),
      fields: pick(party, PARTY_FIELDS),
    })),
    legs: legs.map((leg) => ({ ...takeLeg(leg, indexOf), join: join(leg.join) })),
  };
}

function takeLeg(leg: Leg, indexOf: (party: Party | undefined) => Index): Omit<LegSnapshot, 'join'> {
  const { callId, fromTag, cseq, source, isFed, addressee } = leg;
  return {
    callId,
    fromTag,
    cseq,
    source,
    isFed,
    caller: indexOf(leg.caller),
    referee: indexOf(leg.referee),
    addressee: addressee && { extension: addressee.extension.number, params: addressee.params },
    transactions: leg.transactions.map((transaction) => ({
      branch: transaction.branch,
      cseq: transaction.cseq,
      aim: transaction.aim,
      startedAt: transaction.startedAt,
      parent: transaction.parent ? leg.transactions.indexOf(transaction.parent) : -1,
      party: indexOf(transaction.party),
      fields: pick(transaction, TRANSACTION_FIELDS),
    })),
    dialogs: leg.dialogs.map(({ toTag, party, over, referral }) => ({
      toTag,
      party: indexOf(party),
      over,
      referral: takeReferral(referral),
    })),
    redirect: takeReferral(leg.redirect),
    pickup: leg.pickup && { by: leg.pickup.by, number: leg.pickup.number },
    candidates: leg.candidates.map(({ callId, fromTag }) => ({ callId, fromTag })),
    anchors: listAnchors(leg),
    fields: pick(leg, LEG_FIELDS),
  };
}

const takeReferral = (referral: Referral | undefined): ReferralSnapshot | undefined =>
  referral && { ...pick(referral, REFERRAL_FIELDS), sites: [...referral.sites] };

function listAnchors(leg: Leg): LegSnapshot['anchors'] {
  const anchors: Pick<Anchor, 'key' | 'destination'>[] = [];
  for (let { anchor } = leg; anchor; anchor = anchor.nextOfLeg) {
    anchors.unshift({ key: anchor.key, destination: anchor.destination });
  }
  return anchors;
}

/** A call as it was, where its legs can be found, and those of other calls that one of them may be for. */
export interface Restored {
  readonly call: Call;
  readonly anchors: ReadonlyMap<Leg, LegSnapshot['anchors']>;
  readonly candidates: ReadonlyMap<Leg, readonly LegName[]>;
}

/** Makes a call again. Its extensions stay what they were where the numbering plan no longer has them. */
export function restoreCall(snapshot: CallSnapshot, directory: Directory): Restored {
  const call = new Call(snapshot.id, snapshot.fields.startedAt, snapshot.dialled, snapshot.did);
  const extensionOf = (number: string): Extension => directory.recall(number);
  const parties = snapshot.parties.map(
    ({ extension, role, params }) => new Party(call, extensionOf(extension), role, params, undefined),
  );
  const legs = snapshot.legs.map((own) => restoreLeg(call, own, parties, extensionOf));
  const join = (own: JoinSnapshot | undefined, self: Leg | undefined): Join | undefined => {
    const leg = own && (legs[own.leg] ?? self ?? legs[0]);
    return (
      leg && { method: own.method, leg, feeder: legs[own.feeder], ...(own.by === undefined ? {} : { by: own.by }) }
    );
  };
  snapshot.legs.forEach((own, index) => (legs[index]!.join = join(own.join, legs[index])));
  snapshot.parties.forEach((own, index) =>
    Object.assign(parties[index]!, own.fields, { join: join(own.join, undefined) }),
  );
  Object.assign(call, snapshot.fields);
  return {
    call,
    anchors: new Map(legs.map((leg, index) => [leg, snapshot.legs[index]!.anchors])),
    candidates: new Map(legs.map((leg, index) => [leg, snapshot.legs[index]!.candidates ?? []])),
  };
}

function restoreLeg(
  call: Call,
  own: LegSnapshot,
  parties: readonly Party[],
  extensionOf: (number: string) => Extension,
): Leg {
  const leg = new Leg(call, own, own.source, own.isFed);
  const transactions: Transaction[] = [];
  for (const { branch, cseq, aim, startedAt, parent, party, fields } of own.transactions) {
    const transaction = new Transaction(branch, cseq, aim, startedAt, transactions[parent]);
    transactions.push(Object.assign(transaction, fields, { party: parties[party] }));
  }
  const dialogs = own.dialogs.map((dialog) => restoreDialog(leg, dialog, parties[dialog.party]));
  const { addressee, pickup } = own;
  return Object.assign(leg, own.fields, {
    deadline: own.fields.deadline ?? Infinity, // JSON has no infinity
    caller: parties[own.caller],
    referee: parties[own.referee],
    redirect: restoreReferral(leg, own.redirect, undefined),
    addressee: addressee && { extension: extensionOf(addressee.extension), params: addressee.params },
    pickup: pickup && { ...pickup, tenant: extensionOf(pickup.by).tenant },
    transactions,
    dialogs,
  });
}

function restoreDialog(leg: Leg, { toTag, over, referral }: DialogSnapshot, party: Party | undefined): Dialog {
  const dialog: Dialog = { toTag, party, over, referral: undefined };
  dialog.referral = restoreReferral(leg, referral, dialog);
  return dialog;
}

const restoreReferral = (
  leg: Leg,
  own: ReferralSnapshot | undefined,
  dialog: Dialog | undefined,
): Referral | undefined => own && { ...own, leg, dialog, sites: new Set(own.sites) };

function pick<Whole, Names extends readonly (keyof Whole)[]>(whole: Whole, names: Names): Fields<Whole, Names> {
  return Object.fromEntries(names.map((name) => [name, whole[name]])) as Fields<Whole, Names>;
}
