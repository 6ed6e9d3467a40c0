import type { CallEvent } from '../../../src/calls/event.ts';
import { makeEvent } from '../../deliveries/harness.ts';

/** Requests at a time, events that come at once, and deliveries that may wait: the same for all that are compared. */
export const CONCURRENCY = 32;
export const BATCH = 50;
export const WAITING = 1000;

/** Dial and Hangup of one call after the other, so many at once. */
export function* makeEvents(count: number, batch: number): Generator<CallEvent[]> {
  for (let made = 0; made < count; made += batch) {
    yield Array.from({ length: batch }, (_, i) => {
      const number = made + i;
      const call = `bench${(number >> 1).toString().padStart(15, '0')}`;
      const event = number % 2 === 0 ? 'dial-in' : 'hangup';
      return makeEvent({ event, params: { CallAPIID: call }, extras: { EventID: `${call}-${event}` } });
    });
  }
}
