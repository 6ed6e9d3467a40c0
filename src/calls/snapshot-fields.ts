import type { Transaction } from './call.ts';
import { type Call, type Leg, type Party, type Referral } from './call.ts';
import { NO_CAUSE } from './cause.ts';
import type { CallParameters } from './event.ts';

// The fields of a snapshot, each with what it is in most calls: that is left out, so that a snapshot is small.

export const CALL_FIELDS = { startedAt: 0, births: 0, sequence: 0, aliases: [] } satisfies Partial<Call>;

export const PARTY_FIELDS = {
  birthCallId: '',
  ordinal: 0,
  state: 'held',
  dialledAt: 0,
  rangAt: 0,
  answeredAt: 0,
  answeredBy: undefined,
  previousId: undefined,
  transferredBy: undefined,
} satisfies Partial<Party>;

/** In the order they are sent. */
export const PARAMETERS = {
  CallID: '',
  CallerIDNum: '',
  CallerIDName: '',
  CalledDID: '',
  CalledExtension: '',
  CallStatus: 'CALLING',
  CallFlow: 'IN',
  CallerExtension: '',
  CalledNumber: '',
  CallAPIID: '',
} satisfies CallParameters;

export const LEG_FIELDS = {
  doubt: '',
  callerNumber: '',
  claimedNumber: '',
  calledNumber: '',
  connected: '',
  connectedAt: 0,
  isWithStranger: false,
  isOnHold: false,
  isTransferred: false,
  referredAt: 0,
  attempts: 0,
  phase: 'held',
  isReleased: false,
  callerLeft: false,
  isDropped: false,
  isAcknowledged: false,
  sessionMs: 0,
  startedAt: 0,
  answeredAt: 0,
  endedAt: 0,
  deadline: Infinity,
  feeds: 0,
  isDoubted: false,
  candidateCount: 0,
  rangAt: 0,
  goneAt: 0,
  tokens: [],
} satisfies Partial<Leg>;

export const TRANSACTION_FIELDS = {
  isLeaf: true,
  rang: false,
  cancelledBy: undefined,
  code: 0,
  phrase: '',
  cause: NO_CAUSE,
  endedAt: 0,
  earlyTag: '',
} satisfies Partial<Transaction>;

export const REFERRAL_FIELDS = {
  kind: 'refer',
  byCaller: false,
  referrer: '',
  by: '',
  target: '',
  others: [],
  replaces: undefined,
  cseq: 0,
  at: 0,
  outsideId: '',
  state: 'asked',
  isFollowed: false,
} satisfies Partial<Referral>;

/** Those of the fields that are not as usual. */
export type Fields<Whole, Usual> = Partial<Pick<Whole, keyof Usual & keyof Whole>>;

/** The fields that are not as usual. */
export function pick<Whole extends object, Usual extends object>(whole: Whole, usual: Usual): Fields<Whole, Usual> {
  const fields: Record<string, unknown> = {};
  for (const name in usual) {
    const value: unknown = whole[name as unknown as keyof Whole];
    if (value !== usual[name] && !(Array.isArray(value) && value.length === 0)) fields[name] = value;
  }
  return fields as Fields<Whole, Usual>;
}

/** All of the fields. */
export const fill = <Whole, Usual extends object>(
  usual: Usual,
  fields: Fields<Whole, Usual>,
): Pick<Whole, keyof Usual & keyof Whole> => ({ ...usual, ...fields }) as Pick<Whole, keyof Usual & keyof Whole>;
