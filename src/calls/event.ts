/** The five events, in VoipNow's order of types 0 to 4. */
export const EVENT_NAMES = ['dial-in', 'dial-out', 'hangup', 'answer-in', 'answer-out'] as const;

export type EventName = (typeof EVENT_NAMES)[number];

/** How a party's call ended. */
export type CallStatus = 'ANSWER' | 'BUSY' | 'NOANSWER' | 'CANCEL' | 'CONGESTION' | 'CHANUNAVAIL';

/** The ten parameters of every request, in the order they are sent; empty where unknown. VoipNow Call Events. */
export interface CallParameters {
  readonly CallID: string;
  readonly CallerIDNum: string;
  readonly CallerIDName: string;
  readonly CalledDID: string;
  readonly CalledExtension: string;
  readonly CallStatus: CallStatus | 'CALLING';
  readonly CallFlow: 'IN' | 'OUT';
  readonly CallerExtension: string;
  readonly CalledNumber: string;
  readonly CallAPIID: string;
}

/** The names a rule may ask for on top of the ten parameters, in the order they are appended. */
export const EXTRA_NAMES = [
  'EventType',
  'EventID',
  'Sequence',
  'Timestamp',
  'DurationMs',
  'RingMs',
  'SipCode',
  'SipReason',
  'Q850',
  'Detail',
  'EndedBy',
  'SubCallID',
  'PreviousCallAPIID',
  'Correlation',
  'TransferredBy',
  'AnsweredBy',
  'Synthesised',
] as const;

export type ExtraName = (typeof EXTRA_NAMES)[number];

/** Extras that are known; numbers are whole (milliseconds, codes), `Timestamp` is ISO 8601 in UTC. */
export type CallExtras = { readonly [name in ExtraName]?: string | number };

/** Something that happened to one extension in one call. A plain value: JSON keeps all of it. */
export interface CallEvent {
  readonly event: EventName;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Epoch milliseconds of the party's Dial. */
  readonly dialledAt: number;
  /** Extended number, such as `0003*102`. */
  readonly extension: string;
  readonly params: CallParameters;
  readonly extras: CallExtras;
}
