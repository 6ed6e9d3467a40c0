import type { Transaction } from '../calls/call.ts';
import type { Detail } from '../calls/call-status.ts';
import type { CallEvent } from '../calls/event.ts';
import type { ToldEvent } from './collector.ts';
import { type CallStory, findAnswered, findParty } from './story.ts';
import { type CallTimes, nameTimer } from './timer-words.ts';

/** Why an event was told: the section of the design that says so, and what it says of this call. */
export interface Rule {
  readonly section: string;
  readonly words: string;
}

/** `hangup 102 BUSY`. */
export const writeEvent = ({ event, extension, params }: CallEvent): string =>
  event === 'hangup' ? `${event} ${extension} ${params.CallStatus}` : `${event} ${extension}`;

/** Why an event was told. */
export function explainEvent(told: ToldEvent, story: CallStory, calls: CallTimes): Rule {
  const timer = told.isTimed ? nameTimer(told, story, calls) : undefined;
  switch (told.event.event) {
    case 'dial-out':
      return { section: '3', words: timer ?? explainDialOut(told) };
    case 'dial-in':
      return { section: '3', words: [explainDialIn(told, story), timer].filter(Boolean).join('; ') };
    case 'answer-in':
      return { section: '3', words: `${told.event.extension} answered${missed(told)}` };
    case 'answer-out':
      return { section: '3', words: explainAnswerOut(told) };
    case 'hangup':
      return explainHangup(told, story, timer);
  }
}

function explainDialOut({ by, event }: ToldEvent): string {
  const past = 'past any challenge: ';
  if (by === undefined) return `${past}a message that is not shown`;
  if (by.statusCode > 0) return `${past}it got ${by.text}`;
  if (by.method === 'INVITE') return `${past}a leg went to the called side`;
  return `${past}the call of ${event.extension} is up or over`;
}

function explainDialIn(told: ToldEvent, story: CallStory): string {
  const { extension } = told.event;
  const party = findParty(story, told);
  const ways = listWays(story).filter(([way]) => way.party === party);
  if (ways.length === 0 && wasRefused(told.event, story)) {
    return `nothing was sent to ${extension}, and the leg addressed to it failed: Dial-In and Hangup together`;
  }
  if (ways.some(([{ aim }]) => aim === 'addressed')) {
    return `an INVITE was addressed to ${extension}, which is judged by the legs addressed to it`;
  }
  return `an INVITE was sent to ${extension}${told.by?.statusCode ? `, and got ${told.by.text}` : ''}`;
}

/** The INVITE transactions of all legs that lead to an end, with their legs' numbers. */
const listWays = ({ legs }: CallStory): (readonly [Transaction, number])[] =>
  legs.flatMap(({ messages }, index) =>
    messages.flatMap(({ transaction }) => (transaction?.isLeaf ? [[transaction, index + 1] as const] : [])),
  );

/** Its Hangup came at once. */
const wasRefused = (event: CallEvent, { events }: CallStory): boolean =>
  events.some(
    (other) =>
      other.event.event === 'hangup' &&
      other.event.extras.SubCallID === event.extras.SubCallID &&
      other.event.at === event.at,
  );

/** A 2xx that was not seen is known by what follows it. */
const missed = ({ by }: ToldEvent): string =>
  by === undefined || (by.statusCode >= 200 && by.statusCode < 300) ? '' : ', though its 2xx was not seen';

function explainAnswerOut(told: ToldEvent): string {
  const { extension, extras } = told.event;
  const who = extras.AnsweredBy === undefined ? 'the other party' : `${extras.AnsweredBy}`;
  return `${who} answered the call of ${extension}${missed(told)}`;
}

/** What the words of a Detail depend on. */
interface Hangup {
  readonly extension: string;
  readonly isCaller: boolean;
  readonly code: number;
  /** `486 Busy Here` */
  readonly response: string;
  readonly q850: number;
  readonly rang: boolean;
  readonly endedBy: string;
  /** Another party that had answered. */
  readonly answered: string | undefined;
  /** No leg of the caller is known. */
  readonly isCallerUnknown: boolean;
}

type DetailName = Exclude<Detail, `${'q850' | 'response'}_${number}`> | 'q850' | 'response';

const ENDS: { readonly [by: string]: string } = {
  caller: 'the calling side ended it',
  called: 'the called side ended it',
  network: 'the network ended it',
  timer: 'nothing more was heard of it',
};

const withdrawn = ({ isCallerUnknown }: Hangup): string =>
  isCallerUnknown
    ? 'the leg was cancelled (of its caller no leg is known)'
    : 'the PBX or a proxy withdrew the call while the caller was still there';

const afterRinging = ({ rang }: Hangup): string => (rang ? ', after ringing' : ', without ringing');

/** What each Detail means, by section of the design. */
export const DETAILS: { readonly [name in DetailName]: { section: string; write: (hangup: Hangup) => string } } = {
  answered: { section: '4.1', write: ({ endedBy }) => `answered by a 2xx; ${ENDS[endedBy]}` },
  caller_left: {
    section: '4.2',
    write: ({ isCaller, extension }) =>
      isCaller ? `${extension} gave up before an answer` : `who waited for ${extension} to answer left first`,
  },
  answered_elsewhere: {
    section: '4.3',
    write: (hangup) => `${withdrawn(hangup)}, and ${hangup.answered ?? 'somebody else'} answered`,
  },
  ring_timeout: {
    section: '4.3',
    write: (hangup) =>
      `${withdrawn(hangup)}${hangup.isCallerUnknown ? ' for want of an answer' : ''}, and nobody answered`,
  },
  cancelled: { section: '4.3', write: (hangup) => `${withdrawn(hangup)}, and no cause says that it rang out` },
  not_registered: {
    section: '4.3',
    write: ({ response }) => `the leg addressed to the extension failed with ${response}: it has no binding`,
  },
  q850: {
    section: '4.4',
    write: (hangup) =>
      `Q.850 cause ${hangup.q850} with ${hangup.response}${hangup.q850 === 18 ? afterRinging(hangup) : ''}`,
  },
  response: {
    section: '4.5',
    write: (hangup) =>
      `final response ${hangup.response}${[480, 487].includes(hangup.code) ? afterRinging(hangup) : ''}`,
  },
  redirected: { section: '4.5', write: ({ response }) => `it sent the call elsewhere with ${response}` },
  transferred: { section: '4', write: ({ extension }) => `${extension} handed the call over while it rang` },
  no_final_response: { section: '4.7', write: () => 'no final response came' },
};

function explainHangup(told: ToldEvent, story: CallStory, timer: string | undefined): Rule {
  const { extras, extension } = told.event;
  const name = `${extras.Detail}`.replace(/_\d+$/, '') as DetailName;
  const party = findParty(story, told);
  const hangup: Hangup = {
    extension,
    isCaller: party?.role === 'caller',
    code: Number(extras.SipCode ?? 0),
    response: `${extras.SipCode ?? ''} ${extras.SipReason ?? ''}`.trim(),
    q850: Number(extras.Q850 ?? 0),
    rang: extras.RingMs !== undefined,
    endedBy: `${extras.EndedBy}`,
    answered: findAnswered(story, told),
    isCallerUnknown: story.legs.every(({ leg }) => leg.isFed),
  };
  const { section, write } = DETAILS[name];
  const tried = party?.role === 'caller' ? findTried(story, party.extension.number, hangup.code, name) : undefined;
  const words = [tried === undefined ? write(hangup) : `as on leg ${tried}: ${write(hangup)}`, timer];
  return { section: tried === undefined ? section : `4, ${section}`, words: words.filter(Boolean).join('; ') };
}

const BY_OWN_LEG: readonly DetailName[] = ['answered', 'caller_left', 'transferred', 'no_final_response'];

/** The leg to the called side by which a caller is judged; undefined where its own leg tells. */
function findTried(story: CallStory, caller: string, code: number, name: DetailName): number | undefined {
  if (BY_OWN_LEG.includes(name)) return undefined;
  const isOwn = (leg: number): boolean => story.legs[leg - 1]!.leg.caller?.extension.number === caller;
  // What was withdrawn has no final response yet when its caller is told.
  const decides = (way: Transaction): boolean => (code === 0 ? way.wasWithdrawn : way.code === code);
  return listWays(story).findLast(([way, leg]) => !isOwn(leg) && decides(way))?.[1];
}
