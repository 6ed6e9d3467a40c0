import type { ServerResponse } from 'node:http';
import type { Scope } from '../access/scope.ts';
import type { StreamMessage } from '../types.ts';
import { cutCall } from './call-view.ts';
import type { EventStream, StreamClient, StreamEntry } from './event-stream.ts';

/** One connection that messages are sent on. Who reads too slowly is cut off, and comes back where he was. */
export class SseClient implements StreamClient {
  readonly #stream: EventStream;
  readonly #scope: Scope;
  readonly #response: ServerResponse;
  readonly #maxBytes: number;

  constructor(stream: EventStream, scope: Scope, response: ServerResponse, maxBytes: number) {
    this.#stream = stream;
    this.#scope = scope;
    this.#response = response;
    this.#maxBytes = maxBytes;
  }

  take(entry: StreamEntry): void {
    if (this.#scope.isAll) return this.send(entry.text);
    const message = cutMessage(entry.message, this.#scope);
    if (message) this.send(this.#stream.format(entry.id, message));
  }

  send(text: string): void {
    const response = this.#response;
    if (response.destroyed) return;
    if (response.writableLength + text.length > this.#maxBytes) response.destroy();
    else response.write(text);
  }
}

/** As much of a message as somebody may see; undefined if nothing. */
export function cutMessage(message: StreamMessage, scope: Scope): StreamMessage | undefined {
  switch (message.event) {
    case 'start': {
      const calls = message.data.calls.flatMap((call) => cutCall(call, scope) ?? []);
      return { event: 'start', data: { ...message.data, calls } };
    }
    case 'calls': {
      const changed = message.data.changed.flatMap((call) => cutCall(call, scope) ?? []);
      const { gone } = message.data;
      return changed.length + gone.length > 0 ? { event: 'calls', data: { changed, gone } } : undefined;
    }
    case 'event':
    case 'delivery':
      return scope.sees(message.data.extension) ? message : undefined;
    case 'rules':
      return message;
    case 'counts':
      return undefined;
  }
}
