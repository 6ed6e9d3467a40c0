import type { Directory } from '../../calls/directory.ts';
import { CONFIDENCE, type JoinMethod } from '../../calls/join.ts';
import { formatTime } from '../../calls/time.ts';
import type { LegStory, ToldEvent } from '../../explain/collector.ts';
import { explainEvent, writeEvent } from '../../explain/event-words.ts';
import { explainLeg, listPlaces } from '../../explain/leg-words.ts';
import { writeNotes } from '../../explain/notes.ts';
import { Places } from '../../explain/places.ts';
import { readStory, type ReadStory, type RecordedCall } from '../../explain/recorded-call.ts';
import type { SeenMessage } from '../../explain/seen-message.ts';
import { type CallStory, type LadderLine, listLines, numberOfLeg } from '../../explain/story.ts';
import type { CallTimes } from '../../explain/timer-words.ts';
import type { Ladder, LadderEvent, Leg, Message } from '../types.ts';
import { showCall } from './call-view.ts';

/** What a ladder is written by. */
export interface LadderContext {
  readonly directory: Directory;
  readonly times: CallTimes;
}

const TRANSFERS: readonly JoinMethod[] = ['replaces', 'referred-by', 'refer', 'redirect', 'pickup'];

/** The messages of a call between the places they went, its legs, and its events with what decided them. */
export function showLadder(recorded: RecordedCall, context: LadderContext): Ladder {
  const read = readStory(recorded);
  const { story } = read;
  const { lines, left } = listLines(story);
  const places = new Places(story, lines, context.directory);
  const numbers = new Map(lines.map(({ line, message }) => [message, line]));
  return {
    call: showCall(recorded),
    legs: story.legs.map((leg, index) => showLeg(story, leg, index + 1, places)),
    lanes: places.list.map(({ label, address }) => ({ label, address })),
    messages: lines.map((line) => showMessage(read, line, places)),
    messagesLeft: left + recorded.dropped,
    events: story.events.map((told) => showEvent(story, told, numbers, context.times)),
  };
}

function showLeg(story: CallStory, legStory: LegStory, number: number, places: Places): Leg {
  const { callId, callerNumber, calledNumber, startedAt, answeredAt, endedAt, join } = legStory.leg;
  return {
    number,
    callId,
    caller: callerNumber,
    called: calledNumber,
    startedAt: formatTime(startedAt),
    answeredAt: answeredAt > 0 ? formatTime(answeredAt) : null,
    endedAt: endedAt > 0 ? formatTime(endedAt) : null,
    lanes: listPlaces(legStory, places).map((place) => places.list.indexOf(place)),
    join: join
      ? {
          method: join.method,
          confidence: CONFIDENCE[join.method],
          leg: numberOfLeg(story, ({ leg }) => leg === join.leg) ?? null,
        }
      : null,
    isTransfer: join !== undefined && TRANSFERS.includes(join.method),
    words: explainLeg(story, legStory, formatTime),
  };
}

function showMessage({ story, records }: ReadStory, { line, leg, message }: LadderLine, places: Places): Message {
  return {
    line,
    at: formatTime(message.at),
    leg,
    from: places.list.indexOf(places.find(message.source)!),
    to: places.list.indexOf(places.find(message.destination)!),
    transport: records.get(message)!.transport,
    method: message.method,
    statusCode: message.statusCode,
    text: message.text,
    target: message.target,
    repeats: message.repeats ?? null,
    notes: writeNotes(story, message),
  };
}

function showEvent(
  story: CallStory,
  told: ToldEvent,
  numbers: ReadonlyMap<SeenMessage, number>,
  times: CallTimes,
): LadderEvent {
  const { event, by, isTimed } = told;
  return {
    line: (by && numbers.get(by)) ?? null,
    isTimed,
    at: formatTime(event.at),
    event: event.event,
    extension: event.extension,
    params: event.params,
    extras: event.extras,
    leg: numberOfLeg(story, ({ leg }) => leg.callId === event.params.CallID) ?? null,
    ...explainEvent(told, story, times),
    summary: writeEvent(event),
  };
}

const SECRET = /^((?:proxy-)?authorization[ \t]*:[ \t]*\S+).*(?:\r?\n[ \t].*)*/gim;

/** A message of the ladder as it was sent, without what shows who may send it; undefined if there is none in that line. */
export function showMessageText(recorded: RecordedCall, line: number): string | undefined {
  const { story, records } = readStory(recorded);
  const found = listLines(story).lines[line - 1];
  if (!found) return undefined;
  const bytes = Buffer.from(records.get(found.message)!.text, 'latin1');
  return new TextDecoder().decode(bytes).replace(SECRET, '$1 [hidden]');
}
