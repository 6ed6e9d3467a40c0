import { LRUCache } from 'lru-cache';
import type { CallEvent, CallStatus } from '../../calls/event.ts';
import { formatTime } from '../../calls/time.ts';
import type { AttemptRecord } from '../../deliveries/delivery.ts';
import type { DeliveryEntry } from '../../deliveries/delivery-records.ts';
import type { ScriptStatus } from '../../deliveries/dispatcher-parts.ts';
import { scriptOf } from '../../deliveries/script.ts';
import type { Overview, Script } from '../types.ts';

const STEP_MS = 60_000;
const STEPS = 60;
const MAX_SAMPLES = 1000;
const MAX_SCRIPTS = 500;
const MAX_ATTEMPTS = 200;
const STATUSES: readonly CallStatus[] = ['ANSWER', 'BUSY', 'NOANSWER', 'CANCEL', 'CONGESTION', 'CHANUNAVAIL'];

/** What happened within a minute. */
interface Step {
  readonly at: number;
  began: number;
  readonly ended: Map<CallStatus, number>;
  readonly answerMs: Samples;
  delivered: number;
  failed: number;
  readonly deliveryMs: Samples;
  /** The most that waited. */
  queue: number;
}

interface Attempt {
  readonly at: number;
  readonly ms: number;
  readonly isDelivered: boolean;
}

interface ScriptRecord {
  readonly attempts: Attempt[];
  lastAt: number;
  lastStatus: number;
  lastError: string;
}

/** What is known at the moment, besides what was counted. */
export interface Present {
  readonly calls: number;
  readonly parties: number;
  readonly pending: number;
  readonly dead: number;
  readonly registrations: number;
  readonly scripts: readonly ScriptStatus[];
}

/** Counts what happens, by minutes, for an hour. */
export class Statistics {
  #steps: Step[] = [];
  readonly #scripts = new LRUCache<string, ScriptRecord>({ max: MAX_SCRIPTS });

  /** A call's first Dial counts as its begin, and each party's Hangup by its status. */
  addEvent({ event, at, extras, params }: CallEvent): void {
    const step = this.#stepAt(at);
    if (event.startsWith('dial') && extras.Sequence === 1) step.began++;
    if (event === 'answer-in' && typeof extras.RingMs === 'number') step.answerMs.add(extras.RingMs);
    if (event !== 'hangup') return;
    const status = params.CallStatus as CallStatus;
    step.ended.set(status, (step.ended.get(status) ?? 0) + 1);
  }

  addAttempt({ url, createdAt, state }: DeliveryEntry, { at, durationMs, status, error }: AttemptRecord): void {
    if (durationMs === undefined) return;
    const step = this.#stepAt(at);
    const isDelivered = state === 'delivered';
    if (isDelivered) step.deliveryMs.add(at - createdAt);
    step[isDelivered ? 'delivered' : 'failed']++;
    const script = this.#scriptOf(scriptOf(url));
    script.attempts.push({ at, ms: durationMs, isDelivered });
    if (script.attempts.length > MAX_ATTEMPTS) script.attempts.shift();
    Object.assign(script, { lastAt: at, lastStatus: status, lastError: error });
  }

  addQueue(pending: number, now: number): void {
    const step = this.#stepAt(now);
    step.queue = Math.max(step.queue, pending);
  }

  show(present: Present, now: number): Overview {
    const last = Math.floor(now / STEP_MS) * STEP_MS;
    const from = last - (STEPS - 1) * STEP_MS;
    const byTime = new Map(this.#steps.map((step) => [step.at, step]));
    const steps = Array.from({ length: STEPS }, (_, i) => byTime.get(from + i * STEP_MS));
    const ended = (status: CallStatus) => steps.map((step) => step?.ended.get(status) ?? 0);
    return {
      at: formatTime(now),
      from: formatTime(from),
      stepMs: STEP_MS,
      steps: STEPS,
      calls: {
        began: steps.map((step) => step?.began ?? 0),
        byStatus: Object.fromEntries(STATUSES.map((status) => [status, ended(status)])) as Record<CallStatus, number[]>,
        answerMs: quantiles(steps.map((step) => step?.answerMs)),
        live: present.calls,
        parties: present.parties,
      },
      deliveries: {
        pending: present.pending,
        dead: present.dead,
        queue: steps.map((step) => step?.queue ?? null),
        delivered: steps.map((step) => step?.delivered ?? 0),
        failed: steps.map((step) => step?.failed ?? 0),
        deliveryMs: quantiles(steps.map((step) => step?.deliveryMs)),
      },
      scripts: this.#showScripts(present.scripts, from),
      registrations: present.registrations,
    };
  }

  #stepAt(time: number): Step {
    const at = Math.floor(time / STEP_MS) * STEP_MS;
    const known = this.#steps.findLast((step) => step.at === at);
    if (known) return known;
    const step: Step = {
      at,
      began: 0,
      ended: new Map(),
      answerMs: new Samples(),
      delivered: 0,
      failed: 0,
      deliveryMs: new Samples(),
      queue: 0,
    };
    this.#steps = [...this.#steps, step].sort((a, b) => a.at - b.at).slice(-STEPS);
    return step;
  }

  #scriptOf(url: string): ScriptRecord {
    let script = this.#scripts.get(url);
    if (!script) this.#scripts.set(url, (script = { attempts: [], lastAt: 0, lastStatus: 0, lastError: '' }));
    return script;
  }

  #showScripts(statuses: readonly ScriptStatus[], from: number): Script[] {
    const byUrl = new Map(statuses.map((status) => [status.url, status]));
    const urls = new Set([...byUrl.keys(), ...this.#scripts.keys()]);
    return [...urls].sort().map((url) => showScript(url, byUrl.get(url), this.#scripts.peek(url), from));
  }
}

function showScript(
  url: string,
  status: ScriptStatus | undefined,
  record: ScriptRecord | undefined,
  from: number,
): Script {
  const attempts = record?.attempts.filter(({ at }) => at >= from) ?? [];
  const durations = new Samples();
  for (const { ms } of attempts) durations.add(ms);
  const delivered = attempts.filter(({ isDelivered }) => isDelivered).length;
  return {
    url,
    health: healthOf(status, attempts),
    pending: status?.pending ?? 0,
    delivered,
    failed: attempts.length - delivered,
    p50Ms: durations.quantile(0.5),
    p95Ms: durations.quantile(0.95),
    lastAt: record ? formatTime(record.lastAt) : null,
    lastStatus: record?.lastStatus ?? null,
    lastError: record?.lastError ?? '',
  };
}

function healthOf(status: ScriptStatus | undefined, attempts: readonly Attempt[]): Script['health'] {
  if (status && status.breaker !== 'closed') return 'down';
  const last = attempts.at(-1);
  if (!last) return 'unknown';
  return last.isDelivered ? 'ok' : 'failing';
}

const quantiles = (steps: readonly (Samples | undefined)[]) => ({
  p50: steps.map((samples) => samples?.quantile(0.5) ?? null),
  p95: steps.map((samples) => samples?.quantile(0.95) ?? null),
});

/** Times; of too many, a fair choice. */
class Samples {
  readonly #values: number[] = [];
  #count = 0;

  add(value: number): void {
    this.#count++;
    if (this.#values.length < MAX_SAMPLES) this.#values.push(value);
    else {
      const place = Math.floor(Math.random() * this.#count);
      if (place < MAX_SAMPLES) this.#values[place] = value;
    }
  }

  /** Null if there are none. */
  quantile(share: number): number | null {
    if (this.#values.length === 0) return null;
    const sorted = this.#values.toSorted((a, b) => a - b);
    return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!);
  }
}
