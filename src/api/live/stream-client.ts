import type { ServerResponse } from 'node:http';
import type { Scope } from '../access/scope.ts';
import type { StreamMessage } from '../types.ts';
import { cutCall } from './call-view.ts';
import { hideQuery } from './delivery-view.ts';
import { type EventStream, formatMessage, type StreamClient, type StreamEntry } from './event-stream.ts';

/** Who reads a stream, and what of it. */
export interface StreamReader {
  readonly scope: Scope;
  /** Whether the query of the URL of a rule may be seen. */
  readonly showsUrl: (ruleId: string) => boolean;
  /** Calls that were told, where not all may be seen. */
  readonly told: Set<string>;
}

/** One connection that messages are sent on. Who reads too slowly is cut off, and comes back where he was. */
export class SseClient implements StreamClient {
  readonly #stream: EventStream;
  readonly #reader: StreamReader;
  readonly #response: ServerResponse;
  readonly #maxBytes: number;
  /** What was sent when nothing waited, such as all that is live: it may be more than may wait, and a slow client has its time for it. */
  #freeBytes = 0;

  constructor(stream: EventStream, reader: StreamReader, response: ServerResponse, maxBytes: number) {
    this.#stream = stream;
    this.#reader = reader;
    this.#response = response;
    this.#maxBytes = maxBytes;
  }

  /**
   * Sends what is live, and what was missed, oldest first: as much as may wait. With more than that the connection ends, for the
   * client to come back for the rest; false then.
   */
  begin(start: StreamMessage, missed: readonly StreamEntry[]): boolean {
    const text = formatMessage(this.#cut(start)!);
    this.#response.write(`retry: 2000\n\n${text}`);
    this.#freeBytes = text.length;
    let bytes = 0;
    for (const entry of missed) {
      const part = this.#format(entry);
      if (part === undefined) continue;
      this.#response.write(part);
      this.#freeBytes += part.length;
      bytes += part.length;
      if (bytes > this.#maxBytes && entry !== missed.at(-1)) {
        this.#response.end();
        return false;
      }
    }
    return true;
  }

  take(entry: StreamEntry): void {
    const text = this.#format(entry);
    if (text === undefined || this.#response.destroyed) return;
    const waiting = this.#response.writableLength;
    if (waiting === 0) this.#freeBytes = text.length;
    if (waiting + text.length > this.#maxBytes + this.#freeBytes) this.#response.destroy();
    else this.#response.write(text);
  }

  #format({ id, message, text }: StreamEntry): string | undefined {
    if (this.#reader.scope.isAll) return text;
    const cut = this.#cut(message);
    return cut && this.#stream.format(id, cut);
  }

  #cut(message: StreamMessage): StreamMessage | undefined {
    return this.#reader.scope.isAll ? message : cutMessage(message, this.#reader);
  }
}

/** As much of a message as somebody may see; undefined if nothing. */
export function cutMessage(message: StreamMessage, reader: StreamReader): StreamMessage | undefined {
  const { scope, told, showsUrl } = reader;
  switch (message.event) {
    case 'start': {
      const calls = message.data.calls.flatMap((call) => cutCall(call, scope) ?? []);
      for (const { id } of calls) told.add(id);
      return { event: 'start', data: { ...message.data, calls } };
    }
    case 'calls': {
      const changed = message.data.changed.flatMap((call) => cutCall(call, scope) ?? []);
      const gone = message.data.gone.filter(({ id }) => told.delete(id));
      for (const { id, state } of changed) {
        if (state === 'over') told.delete(id);
        else told.add(id);
      }
      return changed.length + gone.length > 0 ? { event: 'calls', data: { changed, gone } } : undefined;
    }
    case 'event':
      return scope.sees(message.data.extension) ? message : undefined;
    case 'delivery': {
      const { data } = message;
      if (!scope.sees(data.extension)) return undefined;
      return showsUrl(data.rule) ? message : { event: 'delivery', data: { ...data, url: hideQuery(data) } };
    }
    case 'rules':
      return message;
    case 'counts':
      return undefined;
  }
}
