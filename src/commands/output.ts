import type { CallEvent } from '../calls/event.ts';
import type { ScriptRequest } from '../deliveries/request.ts';
import { EVENT_TABLE_HEAD, formatEventJson, formatEventRow, printable } from './event-lines.ts';

const FLUSH_CHARACTERS = 65_536;

/** As much of a stream as is written to. */
export interface TextOutput {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

/** Writes lines in larger pieces: a terminal and a pipe take them much faster so. Call `flush` whenever there is a pause. */
export class LineWriter {
  readonly #output: TextOutput;
  #text = '';

  constructor(output: TextOutput) {
    this.#output = output;
  }

  line(text: string): void {
    this.#text += `${text}\n`;
    if (this.#text.length >= FLUSH_CHARACTERS) this.flush();
  }

  flush(): void {
    if (this.#text === '') return;
    this.#output.write(this.#text);
    this.#text = '';
  }
}

/** Shows an event, and which requests it leads to. */
export type EventPrinter = (event: CallEvent, requests: readonly ScriptRequest[]) => void;

/** One line of JSON an event. */
export const printJson =
  (lines: LineWriter): EventPrinter =>
  (event, requests) =>
    lines.line(formatEventJson(event, requests));

/** A table for people, the requests below each event. */
export function printTable(lines: LineWriter): EventPrinter {
  let isFirst = true;
  return (event, requests) => {
    if (isFirst) lines.line(EVENT_TABLE_HEAD);
    isFirst = false;
    lines.line(formatEventRow(event));
    for (const { method, url, body } of requests) {
      lines.line(`    ${method} ${printable(url)}${body === undefined ? '' : `\n        ${printable(body)}`}`);
    }
  };
}
