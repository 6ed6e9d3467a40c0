import { signal } from '@preact/signals';
import type { Call } from '../../api/types.ts';
import { now } from '../clock.ts';
import { listen } from '../stream.ts';
import { CallList } from './call-list.ts';

// Often enough for the eye, and seldom enough for a thousand calls.
const FLUSH_MS = 200;
/** How long a call is still shown when it is over. */
const LINGER_MS = 8000;

const list = new CallList();

/** The calls as they are now, those that have just ended included. */
export const liveCalls = signal<readonly Call[]>([]);

let flushing: number | undefined;

function flush(): void {
  flushing = undefined;
  list.forget(now.peek() - LINGER_MS);
  liveCalls.value = list.calls;
}

const flushSoon = (): void => void (flushing ??= window.setTimeout(flush, FLUSH_MS));

/** Follows the stream from now on. */
export function followCalls(): void {
  listen((message) => {
    if (message.event === 'start') list.start(message.data);
    else if (message.event === 'calls') list.change(message.data, now.peek());
    else return;
    if (message.event === 'start') flush();
    else flushSoon();
  });
  now.subscribe((at) => {
    if (list.forget(at - LINGER_MS)) flushSoon();
  });
}
