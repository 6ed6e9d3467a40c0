import type { Call, Party } from '../calls/call.ts';
import { summarise } from '../calls/call-status.ts';
import type { CallEvent, CallStatus } from '../calls/event.ts';
import { isAnswerer } from '../calls/leg-facts.ts';
import type { Collector, LegStory, ToldEvent } from './collector.ts';
import type { SeenMessage } from './seen-message.ts';

// A ladder of more is of no use.
const MAX_MESSAGES = 100_000;

/** One call as it is at the end, and all that was seen and told of it. */
export interface CallStory {
  /** By order of the first messages, from 1. */
  readonly number: number;
  readonly id: string;
  /** Other ids it is known under: of calls that became part of it, and as a marker named it. */
  readonly otherIds: readonly string[];
  readonly call: Call;
  /** By order of their first messages. */
  readonly legs: readonly LegStory[];
  readonly events: readonly ToldEvent[];
}

/** A message's line in the ladder, from 1, and the number of its leg. */
export interface LadderLine {
  readonly line: number;
  readonly leg: number;
  readonly message: SeenMessage;
}

/** The calls of all that was collected. */
export function findStories({ legs, events }: Collector): CallStory[] {
  const resolve = makeResolver(legs);
  const legsOf = Map.groupBy(legs, ({ leg }) => resolve(leg.call.id));
  const eventsOf = Map.groupBy(events, ({ event }) => resolve(event.params.CallAPIID));
  return [...legsOf].map(([id, own], index) => {
    const calls = own.map(({ leg }) => leg.call);
    const call = calls.find((candidate) => candidate.id === id) ?? calls[0]!;
    const otherIds = [...new Set(calls.flatMap((other) => [other.id, ...other.aliases]))].filter((name) => name !== id);
    return { number: index + 1, id, otherIds, call, legs: own, events: eventsOf.get(id) ?? [] };
  });
}

/** From the id that a call had at some time to the one it has at the end. */
function makeResolver(legs: readonly LegStory[]): (id: string) => string {
  const heirs = new Map<string, string>();
  for (const { leg } of legs) for (const alias of leg.call.aliases) heirs.set(alias, leg.call.id);
  return (id) => {
    const seen = new Set<string>();
    let last = id;
    for (let next: string | undefined = id; next !== undefined && !seen.has(next); next = heirs.get(next)) {
      seen.add(next);
      last = next;
    }
    return last;
  };
}

/** The messages of all legs in order, and how many more there are than a ladder takes. */
export function listLines({ legs }: CallStory, max = MAX_MESSAGES): { lines: LadderLine[]; left: number } {
  const all = legs.flatMap(({ messages }, index) => messages.map((message) => ({ leg: index + 1, message })));
  all.sort((a, b) => a.message.order - b.message.order);
  const lines = all.slice(0, max).map((entry, index) => ({ line: index + 1, ...entry }));
  return { lines, left: all.length - lines.length };
}

/** When the call began: the time of its first message, or of its first event where none is kept. */
export const startOf = ({ legs, events }: CallStory): number =>
  legs.reduce((first, { messages }) => Math.min(first, messages[0]?.at ?? Infinity), events[0]?.event.at ?? Infinity);

/** Number of a leg in its call; undefined if it is of another. */
export function numberOfLeg({ legs }: CallStory, matches: (story: LegStory) => boolean): number | undefined {
  const index = legs.findIndex(matches);
  return index < 0 ? undefined : index + 1;
}

/** The party that an event is of. */
export const findParty = ({ legs }: CallStory, { event }: ToldEvent): Party | undefined => {
  for (const call of new Set(legs.map(({ leg }) => leg.call))) {
    const party = call.parties.find(
      ({ birthCallId, ordinal }) => event.extras.SubCallID === `${birthCallId}-p${ordinal}`,
    );
    if (party) return party;
  }
  return undefined;
};

/** Extension of another party that had answered when an event came. */
export const findAnswered = ({ call }: CallStory, { event }: ToldEvent): string | undefined =>
  call.parties.findLast(
    (party) =>
      party.extension.number !== event.extension &&
      isAnswerer(party) &&
      party.answeredAt > 0 &&
      party.answeredAt <= event.at,
  )?.extension.number;

/** Events of a call, and its legs, as far as its result depends on them. */
interface Outcome {
  readonly events: readonly Pick<ToldEvent, 'event'>[];
  readonly legs: readonly Pick<LegStory, 'leg'>[];
}

/** What the call came to: for who began it where that is an extension, else for the best off of those it was for. */
export function statusOf({ events, legs }: Outcome): CallStatus | undefined {
  const hangups = events.map(({ event }) => event).filter(({ event }) => event === 'hangup');
  const first = legs[0]?.leg.callId;
  const caller = hangups.find(({ params }) => params.CallFlow === 'OUT' && params.CallID === first);
  return (caller?.params.CallStatus as CallStatus | undefined) ?? bestOf(hangups);
}

/** The same for people to read. */
export const resultOf = (outcome: Outcome): string => statusOf(outcome) ?? 'nothing told';

function bestOf(hangups: readonly CallEvent[]): CallStatus | undefined {
  const verdicts = hangups.map(({ params }) => ({
    status: params.CallStatus as CallStatus,
    detail: 'answered' as const,
  }));
  return summarise(verdicts)?.status;
}
