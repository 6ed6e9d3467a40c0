import t from 'tap';
import type { EventName } from '../../src/calls/event.ts';
import {
  type AttemptOutcome,
  decideNext,
  isStale,
  type NextStep,
  parseRetryAfter,
} from '../../src/deliveries/retry.ts';
import { optionsSchema } from '../../src/options.ts';

const POLICY = { scheduleMs: [1000, 2000, 5000], staleAfterMs: 60_000 };
const ERROR: AttemptOutcome = { error: 'ECONNREFUSED' };

const decide = (outcome: AttemptOutcome, attempts: number, event: EventName = 'hangup', ageMs = 0, random = 0) =>
  decideNext(outcome, attempts, event, ageMs, POLICY, random);

const waits = (waitMs: number): NextStep => ({ state: 'pending', waitMs });
const DELIVERED: NextStep = { state: 'delivered' };
const DEAD: NextStep = { state: 'dead' };
const STALE: NextStep = { state: 'stale' };

t.test('what follows from the answer', (t) => {
  // After attempts 1 to 4: the schedule has three waits.
  const arrived = [DELIVERED, DELIVERED, DELIVERED, DELIVERED];
  const bySchedule = [waits(500), waits(1000), waits(2500), DEAD];
  const onceMore = [waits(500), DEAD, DEAD, DEAD];
  const never = [DEAD, DEAD, DEAD, DEAD];
  const table: [outcomes: (number | string)[], expected: NextStep[]][] = [
    [[200, 201, 202, 204, 299], arrived],
    [[408, 425, 429, 500, 501, 502, 503, 504, 599, 'ECONNREFUSED', 'no answer in time'], bySchedule],
    [[300, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405, 409, 422], onceMore],
    [[410], never],
  ];
  for (const [outcomes, expected] of table) {
    for (const said of outcomes) {
      const outcome = typeof said === 'number' ? { status: said } : { error: said };
      const next = [1, 2, 3, 4].map((attempts) => decide(outcome, attempts));
      t.strictSame(next, expected, String(said));
    }
  }
  t.end();
});

t.test('the schedule without a configuration', (t) => {
  const { schedule } = optionsSchema.parse({}).delivery;
  const policy = { scheduleMs: schedule, staleAfterMs: 60_000 };
  const waited = schedule.map((_, i) => [0, 1].map((random) => decideNext(ERROR, i + 1, 'hangup', 0, policy, random)));
  const [s, min, h] = [1000, 60_000, 3_600_000];
  const expected = [
    s,
    2 * s,
    5 * s,
    10 * s,
    30 * s,
    min,
    2 * min,
    5 * min,
    10 * min,
    30 * min,
    h,
    2 * h,
    5 * h,
    10 * h,
  ];
  t.strictSame(
    waited,
    expected.map((ms) => [waits(ms / 2), waits(ms)]),
    'each with half jitter',
  );
  t.strictSame(decideNext(ERROR, schedule.length + 1, 'hangup', 0, policy, 0), DEAD);
  t.end();
});

t.test('half of each wait is left to chance', (t) => {
  const table: [random: number, waitMs: number][] = [
    [0, 1000],
    [0.5, 1500],
    [0.999, 1999],
  ];
  for (const [random, waitMs] of table) t.strictSame(decide(ERROR, 2, 'hangup', 0, random), waits(waitMs));
  t.end();
});

t.test('Retry-After makes a wait longer, never shorter, and no longer than a day', (t) => {
  const table: [retryAfterMs: number, waitMs: number][] = [
    [0, 500],
    [400, 500],
    [30_000, 30_000],
    [10 * 24 * 3600_000, 24 * 3600_000],
  ];
  for (const [retryAfterMs, waitMs] of table) {
    t.strictSame(decide({ status: 503, retryAfterMs }, 1), waits(waitMs), `${retryAfterMs} ms`);
  }
  t.strictSame(decide({ status: 200, retryAfterMs: 1000 }, 1), DELIVERED);
  t.strictSame(decide({ status: 503, retryAfterMs: 1000 }, 4), DEAD, 'it does not make the schedule longer');
  t.end();
});

t.test('Dials and Answers go stale, Hangups never', (t) => {
  for (const event of ['dial-in', 'dial-out', 'answer-in', 'answer-out'] as const) {
    t.strictSame(decide(ERROR, 1, event, 59_000), waits(500), `${event} in time`);
    t.strictSame(decide(ERROR, 1, event, 59_501), STALE, `${event} that would be too old at its next attempt`);
    t.strictSame(decide({ status: 503, retryAfterMs: 61_000 }, 1, event), STALE, `${event} put off for too long`);
    t.strictSame(decide({ status: 200 }, 1, event, 90_000), DELIVERED, `${event} that arrived late did arrive`);
    t.strictSame(decide(ERROR, 4, event, 90_000), DEAD, `${event} at the end of the schedule`);
    t.equal(isStale(event, 60_000, 60_000), false);
    t.equal(isStale(event, 60_001, 60_000), true);
  }
  t.strictSame(decide(ERROR, 1, 'hangup', 3600_000), waits(500));
  t.equal(isStale('hangup', Infinity, 60_000), false);
  t.end();
});

t.test('Retry-After is seconds or a date', (t) => {
  const now = Date.UTC(2026, 0, 1, 12);
  const table: [value: string, expected: number | undefined][] = [
    ['0', 0],
    ['120', 120_000],
    ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
    ['Thu, 01 Jan 2026 11:00:00 GMT', 0],
    ['Thursday, 01-Jan-26 12:00:30 GMT', 30_000],
    ['Thu Jan  1 12:00:30 2026', 30_000],
    ['Soon enough', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['2027', 2_027_000],
    ['soon', undefined],
    ['', undefined],
    ['99999999999', undefined],
  ];
  for (const [value, expected] of table) t.equal(parseRetryAfter(value, now), expected, JSON.stringify(value));
  t.end();
});
