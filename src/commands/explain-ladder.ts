import type { CallStory, LadderLine } from '../explain/story.ts';
import { startOf } from '../explain/story.ts';
import type { ToldEvent } from '../explain/collector.ts';
import type { Place, Places } from '../explain/places.ts';
import type { SeenMessage } from '../explain/seen-message.ts';
import { writeEvent } from '../explain/event-words.ts';
import { writeNotes } from '../explain/notes.ts';

export const WIDTH = 120;
const MAX_COLUMNS = 6;
const MAX_LANE = 26;
// Where the first bar stands: behind number, time and leg, and half a label.
const FIRST_BAR = 29;
const LAST_BAR = 112;
const TEXT = 22;

/** The messages of a call between the places they went, with the events they brought about; 120 columns wide. */
export function drawLadder(story: CallStory, lines: readonly LadderLine[], places: Places): string[] {
  const startedAt = startOf(story);
  const columns = places.list.length <= MAX_COLUMNS ? new Columns(places.list) : undefined;
  const drawn = columns ? columns.head() : [];
  for (const entry of mergeByOrder(lines, story.events)) {
    if ('event' in entry) drawn.push(drawEvent(entry, startedAt));
    else drawn.push(...drawMessage(story, entry, startedAt, places, columns));
  }
  return drawn;
}

function mergeByOrder(lines: readonly LadderLine[], events: readonly ToldEvent[]): (LadderLine | ToldEvent)[] {
  const orderOf = (entry: LadderLine | ToldEvent): number => ('event' in entry ? entry.order : entry.message.order);
  return [...lines, ...events].sort((a, b) => orderOf(a) - orderOf(b));
}

function drawEvent({ event, isTimed }: ToldEvent, startedAt: number): string {
  const time = isTimed ? formatOffset(event.at - startedAt) : '';
  return `${gutter('', time, '')}=> ${writeEvent(event)}${isTimed ? ' (timer)' : ''}`;
}

function drawMessage(
  story: CallStory,
  { line, leg, message }: LadderLine,
  startedAt: number,
  places: Places,
  columns: Columns | undefined,
): string[] {
  const from = places.find(message.source)!;
  const to = places.find(message.destination)!;
  const start = gutter(`${line}`, formatOffset(message.at - startedAt), `${leg}`);
  const drawn = columns
    ? columns.draw(start, from, to, writeText(message))
    : `${start}${formatEnd(from)} > ${formatEnd(to)}  ${writeText(message)}`;
  const notes = writeNotes(story, message).join(', ');
  if (notes === '') return [drawn];
  return drawn.length + notes.length < WIDTH ? [`${drawn} ${notes}`] : [drawn, `${gutter('', '', '')}${notes}`];
}

const formatEnd = ({ label, address }: Place): string => label || address;

const writeText = ({ text, target, method }: SeenMessage): string =>
  target === '' || method !== 'REFER' ? text : `${text} -> ${target}`;

const gutter = (line: string, time: string, leg: string): string =>
  `${line.padStart(4)} ${time.padStart(9)} ${leg.padStart(3)}  `.padEnd(TEXT - 1);

/** `+12.345`: seconds. */
export const formatOffset = (ms: number): string => `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / 1000).toFixed(3)}`;

/** One column for each place, with arrows between. */
class Columns {
  readonly #places: readonly Place[];
  readonly #lane: number;

  constructor(places: readonly Place[]) {
    this.#places = places;
    this.#lane = Math.min(MAX_LANE, Math.floor((LAST_BAR - FIRST_BAR) / Math.max(1, places.length - 1)));
  }

  /** Labels and addresses above their bars. */
  head(): string[] {
    const rows = [this.#places.map(({ label }) => label), this.#places.map(({ address }) => address)];
    return rows.map((texts) => this.#centre(texts)).filter((row) => row !== '');
  }

  draw(start: string, from: Place, to: Place, text: string): string {
    const row = [...start.padEnd(this.#bar(this.#places.length - 1) + 1)];
    for (const index of this.#places.keys()) row[this.#bar(index)] = '|';
    const [left, right] = [this.#barOf(from), this.#barOf(to)].sort((a, b) => a - b) as [number, number];
    const arrow = left === right ? `@ ${text}` : drawArrow(text, right - left - 1, this.#barOf(from) === left);
    row.splice(left + 1, [...arrow].length, ...arrow);
    return row.join('');
  }

  #bar(index: number): number {
    return FIRST_BAR + index * this.#lane;
  }

  #barOf(place: Place): number {
    return this.#bar(this.#places.indexOf(place));
  }

  #centre(texts: readonly string[]): string {
    let row = '';
    for (const [index, text] of texts.entries()) {
      const short = cut(text, Math.min(this.#lane - 1, FIRST_BAR));
      row = `${row.padEnd(this.#bar(index) - Math.floor(short.length / 2))}${short}`;
    }
    return row.trimEnd();
  }
}

/** `--- 180 Ringing --->`, as wide as told. */
function drawArrow(text: string, width: number, isRight: boolean): string {
  const label = ` ${cut(text, width - 3)} `;
  const dashes = width - 1 - label.length;
  const before = '-'.repeat(Math.floor(dashes / 2));
  const line = `${before}${label}${'-'.repeat(dashes - before.length)}`;
  return isRight ? `${line}>` : `<${line}`;
}

const cut = (text: string, width: number): string => (text.length <= width ? text : `${text.slice(0, width - 1)}…`);
