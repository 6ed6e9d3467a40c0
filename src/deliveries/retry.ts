import type { EventName } from '../calls/event.ts';

/** What became of one HTTP request. */
export type AttemptOutcome =
  | { readonly status: number; readonly retryAfterMs?: number; /** Its first bytes. */ readonly answer?: string }
  | { readonly error: string };

/** What is to become of a delivery after an attempt. */
export type NextStep =
  | { readonly state: 'delivered' }
  | { readonly state: 'pending'; readonly waitMs: number }
  | { readonly state: 'stale' }
  | { readonly state: 'dead' };

export interface RetryPolicy {
  /** Waits between attempts; when they are used up, the delivery is dead. */
  readonly scheduleMs: readonly number[];
  /** Age at which a Dial or Answer event is of no use any more. */
  readonly staleAfterMs: number;
}

const MAX_RETRY_AFTER_MS = 24 * 3600_000;
const RETRIED: ReadonlySet<number> = new Set([408, 425, 429]);
const REFUSAL_ATTEMPTS = 2;
const GONE = 410;

/**
 * Decides what follows an attempt. `attempts` counts those made, `ageMs` is the delivery's; `random` is in [0, 1).
 *
 * Network errors, time-outs, 408, 425, 429 and 5xx are tried again by the schedule, with half jitter; anything else but 2xx
 * once more; 410 never.
 */
export function decideNext(
  outcome: AttemptOutcome,
  attempts: number,
  event: EventName,
  ageMs: number,
  { scheduleMs, staleAfterMs }: RetryPolicy,
  random: number,
): NextStep {
  if (isSuccess(outcome)) return { state: 'delivered' };
  const attemptsLeft = isFault(outcome)
    ? scheduleMs.length + 1 - attempts
    : isGone(outcome)
      ? 0
      : REFUSAL_ATTEMPTS - attempts;
  const base = scheduleMs[attempts - 1];
  if (attemptsLeft <= 0 || base === undefined) return { state: 'dead' };
  const asked = 'status' in outcome ? Math.min(outcome.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS) : 0;
  const waitMs = Math.max(base / 2 + (base / 2) * random, asked);
  return isStale(event, ageMs + waitMs, staleAfterMs) ? { state: 'stale' } : { state: 'pending', waitMs };
}

/** A Dial or Answer event is of use for a while only; a Hangup always. */
export const isStale = (event: EventName, ageMs: number, staleAfterMs: number): boolean =>
  event !== 'hangup' && ageMs > staleAfterMs;

/** Whether the script wants no more. RFC 9110 §15.5.11. */
export const isGone = (outcome: AttemptOutcome): boolean => 'status' in outcome && outcome.status === GONE;

export const isSuccess = (outcome: AttemptOutcome): boolean =>
  'status' in outcome && outcome.status >= 200 && outcome.status < 300;

/** Whether the script, or the way to it, is at fault, and not the request: it may succeed later. */
export const isFault = (outcome: AttemptOutcome): boolean =>
  'error' in outcome || outcome.status >= 500 || RETRIED.has(outcome.status);

/** Reads a Retry-After header: seconds or a date in any of the three forms; undefined if it is neither. RFC 9110 §10.2.3, §5.6.7. */
export function parseRetryAfter(value: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  if (!/^[A-Z][a-z]{2,8},? /.test(value)) return undefined;
  const at = Date.parse(value.endsWith('GMT') ? value : `${value} GMT`);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
