import t from 'tap';
import type { CallEvent } from '../../src/calls/event.ts';
import { openTenant, play } from './harness.ts';
import { CASES, plain } from './given-up-stories.ts';

/** Each party in one line: its call as a letter, its leg, its events with their seconds, how it was joined. */
function parties(events: readonly CallEvent[]): string[] {
  const calls = new Map<unknown, string>();
  const lines = new Map<unknown, string[]>();
  const last = new Map<unknown, CallEvent>(events.map((event) => [event.extras.SubCallID, event]));
  for (const { event, at, extension, params, extras } of events) {
    const { CallAPIID } = last.get(extras.SubCallID)!.params;
    if (!calls.has(CallAPIID)) calls.set(CallAPIID, 'ABCDEFGH'[calls.size]!);
    const line = lines.get(extras.SubCallID) ?? [`${calls.get(CallAPIID)} ${extension} ${params.CallID}`];
    lines.set(extras.SubCallID, line);
    const seconds = (at - Date.UTC(2026, 0, 1)) / 1000;
    line.push(event === 'hangup' ? `${seconds} ${params.CallStatus} ${extras.Detail}` : `${seconds} ${event}`);
  }
  for (const [id, line] of lines) {
    const { extras } = last.get(id)!;
    if (extras.Correlation !== undefined) line.push(`(${extras.Correlation})`);
    if (extras.TransferredBy !== undefined) line.push(`by ${extras.TransferredBy}`);
  }
  return [...lines.values()].map((line) => line.join(', '));
}

t.test('one call across its legs', (t) => {
  for (const { title, steps, expected, isOpen } of CASES) {
    t.strictSame(parties(play(steps, [isOpen ? openTenant : plain])), expected, title);
  }
  t.end();
});
