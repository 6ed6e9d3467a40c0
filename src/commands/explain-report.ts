import { formatTime } from '../calls/time.ts';
import { CONFIDENCE } from '../calls/join.ts';
import type { Directory } from '../calls/directory.ts';
import type { Options } from '../options.ts';
import type { LegStory } from '../explain/collector.ts';
import { drawLadder, formatOffset, WIDTH } from './explain-ladder.ts';
import { writeNotes } from '../explain/notes.ts';
import { explainLeg, listPlaces } from '../explain/leg-words.ts';
import { formatPlace, Places } from '../explain/places.ts';
import { type CallStory, type LadderLine, listLines, numberOfLeg, resultOf, startOf } from '../explain/story.ts';
import { isChallenged } from '../explain/timer-words.ts';
import { explainEvent, type Rule, writeEvent } from '../explain/event-words.ts';

const MAX_LISTED = 1000;
const INDENT = ' '.repeat(5);

/** Whose numbers and options a report is written by. */
export interface ReportContext {
  readonly directory: Directory;
  readonly calls: Options['calls'];
}

const COLUMNS: readonly [title: string, width: number, read: (story: CallStory) => string][] = [
  ['#', 4, ({ number }) => `${number}`],
  ['TIME', 23, (story) => formatTime(startOf(story)).slice(0, 23).replace('T', ' ')],
  ['CALLAPIID', 20, ({ id }) => id],
  ['CALLER', 14, ({ legs }) => callerOf(legs)],
  ['DIALLED', 14, ({ call }) => call.dialled],
  ['LEGS', 4, ({ legs }) => `${legs.length}`],
  ['EVENTS', 6, ({ events }) => `${events.length}`],
  ['RESULT', 0, resultOf],
];

/** The calls of a capture, one a line. */
export function formatList(stories: readonly CallStory[]): string[] {
  const head = COLUMNS.map(([title, width]) => title.padEnd(width)).join(' ');
  const rows = stories.slice(0, MAX_LISTED).map((story) => {
    return COLUMNS.map(([, width, read]) => read(story).padEnd(width))
      .join(' ')
      .trimEnd();
  });
  const left = stories.length - rows.length;
  return [head, ...rows, ...(left > 0 ? [`and ${left} more`] : [])];
}

/** The same as plain values. */
export function listJson(stories: readonly CallStory[]): object {
  const calls = stories.slice(0, MAX_LISTED).map((story) => summarise(story));
  return { calls, left: stories.length - calls.length };
}

const summarise = (story: CallStory): object => ({
  number: story.number,
  at: formatTime(startOf(story)),
  callApiId: story.id,
  otherIds: story.otherIds,
  caller: callerOf(story.legs),
  dialled: story.call.dialled,
  legs: story.legs.length,
  events: story.events.length,
  result: resultOf(story),
});

const callerOf = (legs: readonly LegStory[]): string => legs[0]?.leg.callerNumber || 'unknown';

/** One call: its legs, its messages, its events and why they were told. */
export function formatStory(story: CallStory, { directory, calls }: ReportContext): string[] {
  const { lines, left } = listLines(story);
  const places = new Places(story, lines, directory);
  return [
    ...formatHead(story, lines.length + left),
    '',
    'LEGS',
    ...story.legs.flatMap((leg, index) => formatLeg(story, leg, index + 1, places)),
    '',
    'MESSAGES',
    ...drawLadder(story, lines, places),
    ...(left > 0 ? [`${left} more messages are not shown`] : []),
    '',
    'EVENTS',
    ...formatEvents(story, lines, calls),
  ];
}

function formatHead(story: CallStory, messages: number): string[] {
  const { id, otherIds, legs, call } = story;
  const began = `${formatTime(startOf(story))}: ${callerOf(legs)} dialled ${call.dialled || 'nothing'}: ${resultOf(story)}`;
  const known = otherIds.length > 0 ? wrap(`Also known as ${otherIds.join(', ')}`, '') : [];
  return [`Call ${id}`, began, ...known, `${count(legs.length, 'leg')}, ${count(messages, 'message')}`];
}

const count = (many: number, what: string): string => `${many} ${what}${many === 1 ? '' : 's'}`;

function formatLeg(story: CallStory, legStory: LegStory, number: number, places: Places): string[] {
  const { callId, callerNumber, calledNumber } = legStory.leg;
  const formatAt = (at: number): string => formatOffset(at - startOf(story));
  const ends = `${callerNumber || 'unknown'} calls ${calledNumber || 'unknown'}`;
  const way = listPlaces(legStory, places).map(formatPlace).join(' > ');
  return [
    ...wrap(`${ends}: ${way}`, `${number}`.padStart(3).padEnd(INDENT.length)),
    `${INDENT}Call-ID ${callId}`,
    ...explainLeg(story, legStory, formatAt).flatMap((text) => wrap(text, INDENT)),
  ];
}

function formatEvents(story: CallStory, lines: readonly LadderLine[], calls: Options['calls']): string[] {
  if (story.events.length === 0) return [`${INDENT}none: §3 ${explainSilence(story)}`];
  const numbers = new Map(lines.map(({ line, message }) => [message, line]));
  const width = story.events.reduce((most, { event }) => Math.max(most, writeEvent(event).length), 24);
  return story.events.flatMap((told) => {
    const { event, by, isTimed } = told;
    const line = by && numbers.get(by);
    const source = isTimed ? 'timer' : line === undefined ? 'not shown' : `line ${line}`;
    const leg = numberOfLeg(story, (other) => other.leg.callId === event.params.CallID);
    const time = formatOffset(event.at - startOf(story)).padStart(9);
    const head = `${time}  ${source.padEnd(8)} ${(leg ? `leg ${leg}` : '').padEnd(6)} ${writeEvent(event).padEnd(width)}`;
    return wrap(formatRule(event.extras.Detail, explainEvent(told, story, calls)), `${head} `);
  });
}

const explainSilence = ({ legs }: CallStory): string =>
  legs.every(({ leg }) => isChallenged(leg))
    ? 'the INVITE was challenged, and none came with credentials that were accepted'
    : 'nobody in it is an extension';

const formatRule = (detail: string | number | undefined, { section, words }: Rule): string =>
  `§${section} ${words}${detail === undefined ? '' : ` (${detail})`}`;

/** The text behind a head, broken between words; further lines stand below the text. */
function wrap(text: string, head: string): string[] {
  const width = WIDTH - head.length;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= width) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.map((line, index) => `${index === 0 ? head : ' '.repeat(head.length)}${line}`);
}

/** What `formatStory` tells, as plain values. */
export function storyJson(story: CallStory, { directory, calls }: ReportContext): object {
  const { lines, left } = listLines(story);
  const places = new Places(story, lines, directory);
  const numbers = new Map(lines.map(({ line, message }) => [message, line]));
  return {
    ...summarise(story),
    legs: story.legs.map((leg, index) => legJson(story, leg, index + 1, places)),
    messages: lines.map((line) => messageJson(story, line, places)),
    messagesLeft: left,
    events: story.events.map((told) => {
      const { event, by, isTimed } = told;
      const { event: name, at, extension, params, extras } = event;
      const decidedBy = { line: by && numbers.get(by), timer: isTimed, ...explainEvent(told, story, calls) };
      return { event: name, at: formatTime(at), extension, params, extras, decidedBy };
    }),
  };
}

function legJson(story: CallStory, legStory: LegStory, number: number, places: Places): object {
  const { leg, merge } = legStory;
  const { join, callId, callerNumber, calledNumber, doubt } = leg;
  return {
    number,
    callId,
    caller: callerNumber,
    called: calledNumber,
    places: listPlaces(legStory, places).map(formatPlace),
    join: join && {
      method: join.method,
      confidence: CONFIDENCE[join.method],
      leg: numberOfLeg(story, (other) => other.leg === join.leg),
    },
    doubt: doubt || undefined,
    merge: merge && { at: formatTime(merge.at), from: merge.from },
    words: explainLeg(story, legStory, formatTime),
  };
}

function messageJson(story: CallStory, { line, leg, message }: LadderLine, places: Places): object {
  return {
    line,
    at: formatTime(message.at),
    leg,
    from: formatPlace(places.find(message.source)!),
    to: formatPlace(places.find(message.destination)!),
    method: message.method,
    statusCode: message.statusCode || undefined,
    text: message.text,
    target: message.target || undefined,
    notes: writeNotes(story, message),
  };
}
