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
import type { Place } from './leg-finder.ts';
import {
  CALL_FIELDS,
  type Fields,
  fill,
  LEG_FIELDS,
  PARAMETERS,
  PARTY_FIELDS,
  pick,
  REFERRAL_FIELDS,
  TRANSACTION_FIELDS,
} from './snapshot-fields.ts';
import type { Pickup } from './tenant.ts';

// A call that is up, as a plain value: what has to be known of it after a restart. Legs of other calls that it might be joined
// to are left behind.

/** Place in a list of parties, legs or transactions of the call; undefined for none, -1 in those of older versions. */
type Index = number | undefined;
type Parameters = Fields<CallParameters, typeof PARAMETERS>;

interface PartySnapshot {
  readonly extension: string;
  readonly role: Party['role'];
  readonly params: Parameters;
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

type ReferralSnapshot = Fields<Referral, typeof REFERRAL_FIELDS> & {
  readonly sites: readonly string[];
};

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
  readonly addressee: { readonly extension: string; readonly params: Parameters } | undefined;
  readonly transactions: readonly TransactionSnapshot[];
  readonly dialogs: readonly DialogSnapshot[];
  readonly redirect: ReferralSnapshot | undefined;
  readonly pickup: Omit<Pickup, 'tenant'> | undefined;
  readonly candidates?: readonly LegName[] | undefined;
  readonly anchors?: readonly Place[] | undefined;
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
  const { legs, parties } = call; // those that ended, too: they tell what became of a call that goes on
  return {
    id: call.id,
    dialled: call.dialled,
    did: call.did,
    fields: pick(call, CALL_FIELDS),
    parties: parties.map((party) => ({
      extension: party.extension.number,
      role: party.role,
      params: pick(party.params, PARAMETERS),
      join: takeJoin(legs, party.join),
      fields: pick(party, PARTY_FIELDS),
    })),
    legs: legs.map((leg) => takeLeg(leg, parties)),
  };
}

const takeJoin = (legs: readonly Leg[], join: Join | undefined): JoinSnapshot | undefined =>
  join && { method: join.method, leg: placeIn(legs, join.leg), feeder: placeIn(legs, join.feeder), by: join.by };

function takeLeg(leg: Leg, parties: readonly Party[]): LegSnapshot {
  const { callId, fromTag, cseq, source, isFed, addressee, pickup, candidates } = leg;
  return {
    callId,
    fromTag,
    cseq,
    source,
    isFed,
    join: takeJoin(leg.call.legs, leg.join),
    caller: placeIn(parties, leg.caller),
    referee: placeIn(parties, leg.referee),
    addressee: addressee && { extension: addressee.extension.number, params: pick(addressee.params, PARAMETERS) },
    transactions: leg.transactions.map((transaction) => takeTransaction(leg, transaction, parties)),
    dialogs: leg.dialogs.map(({ toTag, party, over, referral }) => ({
      toTag,
      party: placeIn(parties, party),
      over,
      referral: takeReferral(referral),
    })),
    redirect: takeReferral(leg.redirect),
    pickup: pickup && { by: pickup.by, number: pickup.number },
    candidates: candidates.length > 0 ? candidates.map(({ callId, fromTag }) => ({ callId, fromTag })) : undefined,
    anchors: leg.anchor && listAnchors(leg.anchor),
    fields: pick(leg, LEG_FIELDS),
  };
}

function takeTransaction(leg: Leg, transaction: Transaction, parties: readonly Party[]): TransactionSnapshot {
  const { branch, cseq, aim, startedAt, parent, party } = transaction;
  return {
    branch,
    cseq,
    aim,
    startedAt,
    parent: placeIn(leg.transactions, parent),
    party: placeIn(parties, party),
    fields: pick(transaction, TRANSACTION_FIELDS),
  };
}

const takeReferral = (referral: Referral | undefined): ReferralSnapshot | undefined =>
  referral && { ...pick(referral, REFERRAL_FIELDS), sites: [...referral.sites] };

function listAnchors(first: Anchor): Place[] {
  const anchors: Place[] = [];
  for (let anchor: Anchor | undefined = first; anchor; anchor = anchor.nextOfLeg) {
    anchors.unshift({ key: anchor.chain.key, destination: anchor.destination });
  }
  return anchors;
}

function placeIn<T>(list: readonly T[], item: T | undefined): Index {
  const place = item === undefined ? -1 : list.indexOf(item);
  return place < 0 ? undefined : place;
}

/** A call as it was, where its legs can be found, and those of other calls that one of them may be for. */
export interface Restored {
  readonly call: Call;
  readonly anchors: ReadonlyMap<Leg, readonly Place[]>;
  readonly candidates: ReadonlyMap<Leg, readonly LegName[]>;
}

/** Makes a call again. Its extensions stay what they were where the numbering plan no longer has them. */
export function restoreCall(snapshot: CallSnapshot, directory: Directory): Restored {
  const { startedAt } = fill<Call, typeof CALL_FIELDS>(CALL_FIELDS, snapshot.fields);
  const call = new Call(snapshot.id, startedAt, snapshot.dialled, snapshot.did);
  const extensionOf = (number: string): Extension => directory.recall(number);
  const parties = snapshot.parties.map(
    ({ extension, role, params }) =>
      new Party(
        call,
        extensionOf(extension),
        role,
        fill<CallParameters, typeof PARAMETERS>(PARAMETERS, params),
        undefined,
      ),
  );
  const legs = snapshot.legs.map((own) => restoreLeg(call, own, parties, extensionOf));
  snapshot.legs.forEach((own, index) => (legs[index]!.join = restoreJoin(legs, own.join, legs[index])));
  snapshot.parties.forEach((own, index) =>
    Object.assign(parties[index]!, PARTY_FIELDS, own.fields, { join: restoreJoin(legs, own.join, undefined) }),
  );
  Object.assign(call, CALL_FIELDS, snapshot.fields);
  return {
    call,
    anchors: new Map(legs.map((leg, index) => [leg, snapshot.legs[index]!.anchors ?? []])),
    candidates: new Map(legs.map((leg, index) => [leg, snapshot.legs[index]!.candidates ?? []])),
  };
}

function restoreJoin(legs: readonly Leg[], own: JoinSnapshot | undefined, self: Leg | undefined): Join | undefined {
  const leg = own && (itemAt(legs, own.leg) ?? self ?? legs[0]);
  if (!leg) return undefined;
  return { method: own.method, leg, feeder: itemAt(legs, own.feeder), ...(own.by === undefined ? {} : { by: own.by }) };
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
    const transaction = new Transaction(branch, cseq, aim, startedAt, itemAt(transactions, parent));
    transactions.push(Object.assign(transaction, TRANSACTION_FIELDS, fields, { party: itemAt(parties, party) }));
  }
  const dialogs = own.dialogs.map((dialog) => restoreDialog(leg, dialog, itemAt(parties, dialog.party)));
  const { addressee, pickup } = own;
  return Object.assign(leg, LEG_FIELDS, own.fields, {
    deadline: own.fields.deadline ?? Infinity, // JSON has no infinity
    caller: itemAt(parties, own.caller),
    referee: itemAt(parties, own.referee),
    redirect: restoreReferral(leg, own.redirect, undefined),
    addressee: addressee && {
      extension: extensionOf(addressee.extension),
      params: fill<CallParameters, typeof PARAMETERS>(PARAMETERS, addressee.params),
    },
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
): Referral | undefined =>
  own && { ...fill<Referral, typeof REFERRAL_FIELDS>(REFERRAL_FIELDS, own), leg, dialog, sites: new Set(own.sites) };

const itemAt = <T>(list: readonly T[], place: Index): T | undefined => (place === undefined ? undefined : list[place]);
