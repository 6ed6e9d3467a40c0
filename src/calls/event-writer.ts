import type { Party } from './call.ts';
import { formatJoin } from './join.ts';
import type { Verdict } from './call-status.ts';
import type { CallEvent, CallExtras, CallParameters, CallStatus, EventName } from './event.ts';
import { formatTime } from './time.ts';
import type { PartyEvent } from './party-states.ts';

/** How a party's part in the call ended. */
export interface Ending extends Verdict {
  /** Final response, 0 and empty if there was none. */
  readonly code: number;
  readonly phrase: string;
  readonly q850: number;
  readonly endedBy: 'caller' | 'called' | 'network' | 'timer';
  /** No message told the end: it was concluded from silence. */
  readonly synthesised: boolean;
}

const NAMES: { readonly [role in Party['role']]: { readonly [event in PartyEvent]: EventName } } = {
  caller: { dial: 'dial-out', answer: 'answer-out', hangup: 'hangup' },
  called: { dial: 'dial-in', answer: 'answer-in', hangup: 'hangup' },
};

/** Writes one event of a party as the plain value that rules and deliveries work on. */
export function writeEvent(party: Party, kind: PartyEvent, at: number, ending?: Ending): CallEvent {
  const event = NAMES[party.role][kind];
  const params = kind === 'dial' ? party.params : withStatus(party.params, ending?.status ?? 'ANSWER');
  if (kind === 'dial') party.dialledAt = at;
  const { dialledAt, extension } = party;
  return { event, at, dialledAt, extension: extension.number, params, extras: writeExtras(party, event, at, ending) };
}

function withStatus(params: CallParameters, status: CallStatus): CallParameters {
  return { ...params, CallStatus: status };
}

function writeExtras(party: Party, event: EventName, at: number, ending: Ending | undefined): CallExtras {
  const { call } = party;
  const sequence = ++call.sequence;
  const extras: { -readonly [name in keyof CallExtras]: CallExtras[name] } = {
    EventType: event,
    EventID: `${party.birthCallId}-${party.ordinal}-${event}`,
    Sequence: sequence,
    Timestamp: formatTime(at),
    SubCallID: `${party.birthCallId}-p${party.ordinal}`,
  };
  if (party.previousId !== undefined) extras.PreviousCallAPIID = party.previousId;
  if (party.join !== undefined) extras.Correlation = formatJoin(party.join);
  if (party.transferredBy !== undefined) extras.TransferredBy = party.transferredBy;
  if (event === 'dial-in' || event === 'dial-out') return extras;
  if (party.rangAt > 0) extras.RingMs = elapsed(party.rangAt, party.answeredAt || at);
  if (party.answeredBy !== undefined) extras.AnsweredBy = party.answeredBy;
  if (ending) writeEnding(extras, party, at, ending);
  return extras;
}

function writeEnding(
  extras: { -readonly [name in keyof CallExtras]: CallExtras[name] },
  party: Party,
  at: number,
  ending: Ending,
): void {
  extras.DurationMs = party.answeredAt > 0 ? elapsed(party.answeredAt, at) : 0;
  if (ending.code > 0) extras.SipCode = ending.code;
  if (ending.phrase !== '') extras.SipReason = ending.phrase;
  if (ending.q850 > 0) extras.Q850 = ending.q850;
  extras.Detail = ending.detail;
  extras.EndedBy = ending.endedBy;
  if (ending.synthesised) extras.Synthesised = 1;
}

/** Whole milliseconds; a clock that was set back does not make them negative. */
const elapsed = (from: number, to: number): number => Math.max(0, Math.round(to - from));
