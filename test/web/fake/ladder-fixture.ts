import { execFileSync } from 'node:child_process';
import type { Call, CallStatus, Ladder, LadderEvent, Leg, Message } from '../../../src/api/types.ts';

const root = new URL('../../..', import.meta.url).pathname;

interface Explained {
  readonly at: string;
  readonly callApiId: string;
  readonly otherIds: string[];
  readonly caller: string;
  readonly dialled: string;
  readonly result: string;
  readonly legs: {
    number: number;
    callId: string;
    caller: string;
    called: string;
    places: string[];
    join?: Leg['join'];
    words: string[];
  }[];
  readonly messages: {
    line: number;
    at: string;
    leg: number;
    from: string;
    to: string;
    method: string;
    statusCode?: number;
    text: string;
    target?: string;
    notes: string[];
  }[];
  readonly events: {
    event: LadderEvent['event'];
    at: string;
    extension: string;
    params: LadderEvent['params'];
    extras: LadderEvent['extras'];
    decidedBy: { line?: number; timer: boolean; section: string; words: string };
  }[];
}

/** The ladder of a recorded call of `captures/pbx`, as the API tells it. */
export function readLadder(capture: string): Ladder {
  const args = ['src/main.ts', 'explain', '--json', '--config', 'captures/pbx.yaml', `captures/pbx/${capture}.pcap`];
  const output = execFileSync(process.execPath, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const told = JSON.parse(output) as Explained;
  const places = [...new Set(told.messages.flatMap(({ from, to }) => [from, to]))];
  return {
    call: makeCall(told),
    lanes: places.map(readLane),
    legs: told.legs.map((leg) => makeLeg(told, leg, places)),
    messages: told.messages.map((message) => makeMessage(message, places)),
    messagesLeft: 0,
    events: told.events.map((event) => makeEvent(told, event)),
  };
}

function readLane(place: string): Ladder['lanes'][number] {
  const space = place.lastIndexOf(' ');
  return { label: place.slice(0, Math.max(0, space)), address: place.slice(space + 1) };
}

const makeLeg = (told: Explained, leg: Explained['legs'][number], places: readonly string[]): Leg => ({
  number: leg.number,
  callId: leg.callId,
  caller: leg.caller,
  called: leg.called,
  startedAt: told.messages.find((message) => message.leg === leg.number)?.at ?? told.at,
  answeredAt: null,
  endedAt: null,
  lanes: leg.places.map((place) => places.indexOf(place)),
  join: leg.join ?? null,
  isTransfer: ['replaces', 'referred-by', 'refer', 'pickup'].includes(leg.join?.method ?? ''),
  words: leg.words,
});

const makeMessage = (message: Explained['messages'][number], places: readonly string[]): Message => {
  const repeat = message.notes.find((note) => note === 'again' || note === 'copy');
  return {
    line: message.line,
    at: message.at,
    leg: message.leg,
    from: places.indexOf(message.from),
    to: places.indexOf(message.to),
    transport: 'udp',
    method: message.method,
    statusCode: message.statusCode ?? 0,
    text: message.text,
    target: message.target ?? '',
    repeats: repeat === undefined ? null : repeat === 'copy' ? 'copy' : 'retransmission',
    notes: message.notes,
  };
};

const makeEvent = (told: Explained, event: Explained['events'][number]): LadderEvent => {
  const { decidedBy, params, ...rest } = event;
  const leg = told.legs.find(({ callId }) => callId === params.CallID)?.number ?? null;
  const summary = `${event.event} ${event.extension}${event.event === 'hangup' ? ` ${params.CallStatus}` : ''}`;
  const { timer, section, words } = decidedBy;
  return { ...rest, params, leg, line: decidedBy.line ?? null, isTimed: timer, section, words, summary };
};

function makeCall(told: Explained): Call {
  const parties = Object.values(Object.groupBy(told.events, ({ extras }) => String(extras.SubCallID)));
  return {
    id: told.callApiId,
    otherIds: told.otherIds,
    state: 'over',
    startedAt: told.at,
    endedAt: told.events.at(-1)?.at ?? told.at,
    caller: told.caller,
    callerName: told.events[0]?.params.CallerIDName ?? '',
    dialled: told.dialled,
    status: told.result as CallStatus,
    legs: told.legs.length,
    messages: told.messages.length,
    parties: parties.map((events) => makeParty(events!)),
  };
}

function makeParty(events: Explained['events']): Call['parties'][number] {
  const dial = events[0]!;
  const answer = events.find(({ event }) => event.startsWith('answer'));
  const hangup = events.find(({ event }) => event === 'hangup');
  return {
    id: String(dial.extras.SubCallID),
    extension: dial.extension,
    name: '',
    role: dial.params.CallFlow === 'OUT' ? 'caller' : 'called',
    state: hangup ? 'over' : 'answered',
    dialledAt: dial.at,
    rangAt: dial.at,
    answeredAt: answer?.at ?? null,
    endedAt: hangup?.at ?? null,
    status: (hangup?.params.CallStatus ?? null) as CallStatus | null,
    detail: hangup ? String(hangup.extras.Detail) : null,
    callerNumber: dial.params.CallerIDNum,
    callerName: dial.params.CallerIDName,
    dialled: dial.params.CalledNumber,
    did: dial.params.CalledDID,
    answeredBy: null,
    transferredBy: null,
  };
}
