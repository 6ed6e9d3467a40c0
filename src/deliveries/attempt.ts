import type { AttemptRecord, Delivery, DeliveryState } from './delivery.ts';
import type { AttemptOutcome } from './retry.ts';
import { scriptOf } from './script.ts';

/** What is kept of an attempt that ended at `at`; without a duration nothing was sent. */
export function makeRecord(
  { id, attempts, nextAttemptAt }: Delivery,
  state: DeliveryState,
  outcome: AttemptOutcome,
  at: number,
  durationMs: number | undefined,
): AttemptRecord {
  const [status, error, answer = ''] = 'status' in outcome ? [outcome.status, '', outcome.answer] : [0, outcome.error];
  return { id, state, attempts, nextAttemptAt, at, durationMs, status, error, answer };
}

/** An attempt for the log: no query, which tells who calls whom, and no headers. */
export function describeAttempt(
  { eventId, event, attempts, request }: Delivery,
  outcome: AttemptOutcome,
  ms: number | undefined,
): object {
  const result = 'status' in outcome ? { status: outcome.status } : outcome;
  const time = ms === undefined ? {} : { ms: Math.round(ms) };
  return { event, eventId, url: scriptOf(request.url), attempts, ...result, ...time };
}
