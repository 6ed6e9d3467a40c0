import type { CallEvent } from '../calls/event.ts';
import { formatTime } from '../calls/time.ts';

/** One event as one line of JSON: times in ISO 8601, the parameters in their order. */
export function formatEventJson(event: CallEvent, requests: readonly object[] = []): string {
  const { event: name, at, extension, params, extras } = event;
  const line = { event: name, at: formatTime(at), extension, params, extras };
  return JSON.stringify(requests.length > 0 ? { ...line, requests } : line);
}

const COLUMNS: readonly [title: string, width: number, read: (event: CallEvent) => string][] = [
  ['TIME', 23, ({ at }) => formatTime(at).slice(0, 23).replace('T', ' ')],
  ['EVENT', 10, ({ event }) => event],
  ['EXTENSION', 12, ({ extension }) => extension],
  ['STATUS', 11, ({ params }) => params.CallStatus],
  ['CALLER', 16, ({ params }) => params.CallerIDNum],
  ['DIALLED', 16, ({ params }) => params.CalledNumber],
  ['CALLAPIID', 20, ({ params }) => params.CallAPIID],
  ['DETAIL', 0, ({ extras }) => `${extras.Detail ?? ''}`],
];

/** Head of the table that `formatEventRow` fills. */
export const EVENT_TABLE_HEAD = COLUMNS.map(([title, width]) => title.padEnd(width)).join(' ');

/** One event as a row for people to read; what a peer wrote can't steer the terminal. */
export function formatEventRow(event: CallEvent): string {
  const cells = COLUMNS.map(([, width, read]) => printable(read(event)).padEnd(width));
  return cells.join(' ').trimEnd();
}

/** The text with control characters shown as `?`. */
export const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}]/gu, '?');
