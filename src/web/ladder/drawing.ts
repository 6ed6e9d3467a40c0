import type { Ladder, LadderEvent, Message } from '../../api/types.ts';
import { formatOffset, formatTook } from '../time-text.ts';
import { EVENTS } from '../words.ts';
import { cutText, wrapText } from './wrap-text.ts';

// The ladder as geometry: all in pixels, y from the top of the drawing. Nothing here knows of a browser.

/** A vertical line: whatever stands at an address. */
export interface LaneLine {
  readonly x: number;
  readonly label: string;
  readonly address: string;
  /** What may be written above it. */
  readonly width: number;
}

/** What a message means for its call, which gives it its look. */
export type Look = 'request' | 'provisional' | 'success' | 'failure' | 'transfer';

interface RowPlace {
  readonly y: number;
  readonly height: number;
}

export interface ArrowRow extends RowPlace {
  readonly kind: 'arrow';
  readonly line: number;
  readonly time: string;
  readonly leg: number;
  readonly look: Look;
  readonly isRepeat: boolean;
  /** Where the arrow begins and ends; the same where a message stays at its place. */
  readonly from: number;
  readonly to: number;
  /** Middle of the text, and the text as far as it fits. */
  readonly textX: number;
  readonly text: string;
  /** All of it, for whoever can't see the drawing. */
  readonly title: string;
}

export interface EventRow extends RowPlace {
  readonly kind: 'event';
  readonly event: LadderEvent;
  /** Its place among the events. */
  readonly index: number;
  readonly time: string;
  readonly title: string;
  readonly lines: readonly string[];
  /** Where its text begins. */
  readonly x: number;
}

/** A heading in the drawing: a leg that came by a transfer. */
export interface TransferRow extends RowPlace {
  readonly kind: 'transfer';
  readonly leg: number;
  readonly x: number;
  readonly lines: readonly string[];
}

/** Nothing happened for a while. */
export interface PauseRow extends RowPlace {
  readonly kind: 'pause';
  readonly text: string;
}

export type Row = ArrowRow | EventRow | TransferRow | PauseRow;

export interface Drawing {
  readonly width: number;
  readonly height: number;
  readonly lanes: readonly LaneLine[];
  readonly rows: readonly Row[];
}

export interface DrawingOptions {
  /** What there is room for; the drawing is wider where its lanes need more. */
  readonly width: number;
  readonly showsRepeats: boolean;
}

/** Left of the first lane: time and leg. */
export const GUTTER = 104;
export const FONT = 12;
export const LINE_HEIGHT = 17;
const MARGIN = 76;
const MIN_LANE = 136;
const MAX_LANE = 300;
const ARROW_HEIGHT = 32;
const PAUSE_HEIGHT = 26;
const BLOCK_PADDING = 12;
const SHORTEST_PAUSE_MS = 1000;
/** Half a mark at the end of an arrow. */
const TIP = 4;
const LOOP = 40;

/** Draws the messages of a call between its lanes, with each event below the message that brought it about. */
export function drawLadder(ladder: Ladder, options: DrawingOptions): Drawing {
  const lanes = placeLanes(ladder, options.width);
  const width = Math.max(options.width, (lanes.at(-1)?.x ?? GUTTER) + MARGIN);
  const rows = placeRows(ladder, lanes, width, options);
  const last = rows.at(-1);
  return { width, height: last ? last.y + last.height : 0, lanes, rows };
}

function placeLanes({ lanes }: Ladder, width: number): LaneLine[] {
  const room = (width - GUTTER - 2 * MARGIN) / Math.max(1, lanes.length - 1);
  const step = Math.min(MAX_LANE, Math.max(MIN_LANE, room));
  return lanes.map(({ label, address }, index) => {
    return { x: Math.round(GUTTER + MARGIN + index * step), label, address, width: Math.round(step - 12) };
  });
}

/** Hands out rows from the top down. */
class RowStack {
  readonly rows: Row[] = [];
  #y = 0;

  add(height: number, make: (place: RowPlace) => Row): void {
    this.rows.push(make({ y: this.#y, height }));
    this.#y += height;
  }
}

function placeRows(ladder: Ladder, lanes: readonly LaneLine[], width: number, { showsRepeats }: DrawingOptions): Row[] {
  const stack = new RowStack();
  const start = Date.parse(ladder.call.startedAt);
  const events = new EventQueue(ladder.events);
  const known = new Set<number>();
  let before = start;
  for (const message of ladder.messages) {
    const at = Date.parse(message.at);
    events.takeTimed(message.at).forEach((entry) => addEvent(stack, entry, start, width));
    if (message.repeats === null || showsRepeats) {
      if (at - before >= SHORTEST_PAUSE_MS) addPause(stack, at - before);
      if (!known.has(message.leg)) addTransfer(stack, ladder, message.leg, width);
      known.add(message.leg);
      addArrow(stack, message, lanes, at - start);
      before = at;
    }
    events.takeCausedBy(message.line).forEach((entry) => addEvent(stack, entry, start, width));
  }
  events.takeRest().forEach((entry) => addEvent(stack, entry, start, width));
  return stack.rows;
}

interface Entry {
  readonly event: LadderEvent;
  readonly index: number;
}

/** The events of a call, in their order, as messages and time call for them. */
class EventQueue {
  readonly #timed: Entry[];
  readonly #caused: ReadonlyMap<number | null, Entry[]>;
  readonly #left: Set<Entry>;

  constructor(events: readonly LadderEvent[]) {
    const entries = events.map((event, index) => ({ event, index }));
    this.#left = new Set(entries);
    this.#timed = entries.filter(({ event }) => event.line === null);
    this.#caused = Map.groupBy(entries, ({ event }) => event.line);
  }

  /** Those that no message brought about, before a time. */
  takeTimed(before: string): Entry[] {
    const end = this.#timed.findIndex(({ event }) => event.at >= before);
    return this.#take(this.#timed.splice(0, end < 0 ? this.#timed.length : end));
  }

  takeCausedBy(line: number): Entry[] {
    return this.#take(this.#caused.get(line) ?? []);
  }

  takeRest(): Entry[] {
    return [...this.#left];
  }

  #take(entries: Entry[]): Entry[] {
    for (const entry of entries) this.#left.delete(entry);
    return entries;
  }
}

function addPause(stack: RowStack, ms: number): void {
  stack.add(PAUSE_HEIGHT, (place) => ({ kind: 'pause', ...place, text: `${formatTook(ms)} later` }));
}

function addTransfer(stack: RowStack, { legs }: Ladder, number: number, width: number): void {
  const leg = legs.find((candidate) => candidate.number === number);
  if (!leg?.isTransfer) return;
  const words = leg.words.join('; ');
  const text = `Transfer: ${leg.caller || 'unknown'} to ${leg.called || 'unknown'}${words && `, ${words}`}`;
  const lines = wrapText(text, width - GUTTER - MARGIN, FONT);
  const height = lines.length * LINE_HEIGHT + BLOCK_PADDING;
  stack.add(height, (place) => ({ kind: 'transfer', ...place, leg: number, x: GUTTER + 14, lines }));
}

function addArrow(stack: RowStack, message: Message, lanes: readonly LaneLine[], offset: number): void {
  const { line, leg, repeats } = message;
  const [start, end] = [lanes[message.from]?.x ?? GUTTER, lanes[message.to]?.x ?? GUTTER];
  const isLoop = start === end;
  const way = Math.sign(end - start);
  const full = writeText(message);
  const room = isLoop ? MIN_LANE : Math.abs(end - start) - 18;
  const text = cutText(full, room, FONT);
  stack.add(ARROW_HEIGHT, (place) => ({
    kind: 'arrow',
    ...place,
    line,
    leg,
    time: formatOffset(offset),
    look: lookOf(message),
    isRepeat: repeats !== null,
    from: start + way * TIP,
    to: end - way * TIP,
    textX: isLoop ? start + LOOP : (start + end) / 2,
    text,
    title: describeMessage(message, lanes, offset, full),
  }));
}

const writeText = ({ text, target, notes, repeats }: Message): string => {
  const whole = target === '' || text.includes(target) ? text : `${text} → ${target}`;
  const more = notes.filter((note) => !note.includes(target) || target === '');
  const extra = more.length > 0 && repeats === null ? ` · ${more.join(', ')}` : '';
  return `${whole}${extra}`;
};

function describeMessage(message: Message, lanes: readonly LaneLine[], offset: number, text: string): string {
  const name = (index: number): string => lanes[index]?.label || lanes[index]?.address || 'unknown';
  const repeat = message.repeats === null ? '' : `, ${message.repeats}`;
  const way = `from ${name(message.from)} to ${name(message.to)}`;
  return `${message.line}: ${text}, ${way}, ${formatOffset(offset)} s, leg ${message.leg}${repeat}`;
}

export function lookOf({ method, statusCode }: Pick<Message, 'method' | 'statusCode'>): Look {
  if (statusCode === 0) return method === 'REFER' ? 'transfer' : 'request';
  if (statusCode < 200) return 'provisional';
  if (statusCode < 300) return 'success';
  return statusCode < 400 ? 'transfer' : 'failure';
}

function addEvent(stack: RowStack, { event, index }: Entry, start: number, width: number): void {
  const x = GUTTER + 14;
  const lines = wrapText(explain(event), width - x - 40, FONT);
  const height = (lines.length + 1) * LINE_HEIGHT + BLOCK_PADDING;
  const time = event.line === null ? formatOffset(Date.parse(event.at) - start) : '';
  stack.add(height, (place) => ({ kind: 'event', ...place, event, index, time, title: nameEvent(event), lines, x }));
}

/** `Hangup 0003*102: BUSY` */
function nameEvent({ event, extension, params }: LadderEvent): string {
  const name = `${EVENTS[event].label} ${extension}`;
  return event === 'hangup' ? `${name}: ${params.CallStatus}` : name;
}

/** `BUSY because 102 answered 486`; of events that are no verdict only how they came about. */
export function explain({ event, params, words, isTimed }: LadderEvent): string {
  const timer = isTimed ? ' (a timer ran out)' : '';
  return event === 'hangup' ? `${params.CallStatus} because: ${words}${timer}` : `${words}${timer}`;
}
