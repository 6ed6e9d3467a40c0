import type { CallStatus, Delivery, DeliveryState, EventName, Party, Script } from '../api/types.ts';

// What the API's values are called on the page.

type Tone = 'good' | 'warn' | 'bad' | 'calm' | 'dull' | 'odd' | 'accent';

interface Word {
  readonly label: string;
  readonly tone: Tone;
}

export const EVENTS: { readonly [name in EventName]: { readonly label: string; readonly meaning: string } } = {
  'dial-in': { label: 'Dial-In', meaning: 'when the extension is called' },
  'dial-out': { label: 'Dial-Out', meaning: 'when it places a call' },
  'answer-in': { label: 'Answer (in)', meaning: 'when it answers a call' },
  'answer-out': { label: 'Answer (out)', meaning: 'when the other party answers its call' },
  'hangup': { label: 'Hangup', meaning: 'when its part in the call is over' },
};

export const EVENT_NAMES = Object.keys(EVENTS) as EventName[];

export const STATUSES: { readonly [status in CallStatus]: Word & { readonly meaning: string } } = {
  ANSWER: { label: 'Answered', tone: 'good', meaning: 'somebody answered' },
  NOANSWER: { label: 'No answer', tone: 'calm', meaning: 'it rang, and nobody answered' },
  BUSY: { label: 'Busy', tone: 'warn', meaning: 'busy or declined' },
  CANCEL: { label: 'Cancelled', tone: 'dull', meaning: 'the caller gave up first' },
  CONGESTION: { label: 'Congestion', tone: 'bad', meaning: 'the network or PBX could not put it through' },
  CHANUNAVAIL: { label: 'Unavailable', tone: 'odd', meaning: 'the extension could not be reached' },
};

export const STATUS_NAMES = Object.keys(STATUSES) as CallStatus[];

export const PARTY_STATES: { readonly [state in Party['state']]: Word } = {
  calling: { label: 'Calling', tone: 'dull' },
  ringing: { label: 'Ringing', tone: 'warn' },
  answered: { label: 'Talking', tone: 'good' },
  over: { label: 'Over', tone: 'dull' },
};

export const DELIVERY_STATES: { readonly [state in DeliveryState]: Word & { readonly meaning: string } } = {
  pending: { label: 'Waiting', tone: 'calm', meaning: 'will be sent, or sent again' },
  delivered: { label: 'Delivered', tone: 'good', meaning: 'the script answered 2xx' },
  stale: { label: 'Too late', tone: 'dull', meaning: 'was of no use any more before it could be delivered' },
  dead: { label: 'Failed', tone: 'bad', meaning: 'given up: retry it when the script works again' },
};

export const DELIVERY_STATE_NAMES = Object.keys(DELIVERY_STATES) as DeliveryState[];

export const SCRIPT_HEALTH: { readonly [health in Script['health']]: Word } = {
  ok: { label: 'Working', tone: 'good' },
  failing: { label: 'Failing', tone: 'warn' },
  down: { label: 'Down', tone: 'bad' },
  unknown: { label: 'Not called yet', tone: 'dull' },
};

/** `200`, `no answer: connect ECONNREFUSED`, `500 Internal Server Error`. */
export function describeResult({ status, error }: Pick<Delivery, 'status' | 'error'>): string {
  if (status === null) return 'not sent yet';
  if (status === 0) return error === '' ? 'no answer' : error;
  return error === '' || error.includes(`${status}`) ? error || `${status}` : `${status}: ${error}`;
}

/** `1 call`, `2 calls`. */
export const count = (many: number, one: string, more = `${one}s`): string =>
  `${many.toLocaleString('en')} ${many === 1 ? one : more}`;
