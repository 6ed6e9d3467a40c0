import { signal } from '@preact/signals';
import type { StreamMessage, StreamMessages } from '../api/types.ts';
import { learnTime } from './clock.ts';
import { loadSession } from './session.ts';

type Name = keyof StreamMessages;
type Listener = (message: StreamMessage) => void;

const NAMES: readonly Name[] = ['start', 'calls', 'event', 'delivery', 'rules', 'counts'];
const REOPEN_MS = 3000;

/** Whether changes arrive: `off` while the connection is lost. */
export const connection = signal<'opening' | 'on' | 'off'>('opening');

const listeners = new Set<Listener>();
let source: EventSource | undefined;
let reopening: number | undefined;

/** Calls with every message of the stream; returns what ends that. */
export function listen(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** Opens the stream of the session; it stays open until `closeStream`, whatever happens to the server. */
export function openStream(): void {
  closeStream();
  source = new EventSource('/api/v1/stream');
  source.onopen = () => (connection.value = 'on');
  source.onerror = () => {
    connection.value = 'off';
    // The browser tries again by itself, but not where the server refused.
    if (source?.readyState === EventSource.CLOSED) reopening = window.setTimeout(reopen, REOPEN_MS);
  };
  for (const event of NAMES) {
    source.addEventListener(event, ({ data }: MessageEvent<string>) => {
      publish({ event, data: JSON.parse(data) as StreamMessages[Name] } as StreamMessage);
    });
  }
}

export function closeStream(): void {
  clearTimeout(reopening);
  source?.close();
  source = undefined;
  connection.value = 'opening';
}

/** The session may be over; if it is, the page goes to the sign-in. */
function reopen(): void {
  loadSession().then(
    () => source && openStream(),
    () => (reopening = window.setTimeout(reopen, REOPEN_MS)),
  );
}

function publish(message: StreamMessage): void {
  if (message.event === 'start' || message.event === 'counts') learnTime(message.data.at);
  for (const listener of listeners) listener(message);
}
