import type { CallEvent } from '../calls/event.ts';
import type { Rule } from '../rules/rule.ts';
import { Lanes } from './lanes.ts';
import { formatRequest, type ScriptRequest } from './request.ts';
import { type AttemptOutcome, decideNext, isStale } from './retry.ts';
import {
  type Delivery,
  type DeliveryRecord,
  type DeliveryState,
  type DeliveryStore,
  type NewDelivery,
  StoreError,
} from './store.ts';

/** How requests are sent; times in ms. */
export interface DeliveryOptions {
  readonly scheduleMs: readonly number[];
  readonly staleAfterMs: number;
  readonly concurrencyPerScript: number;
  /** Deliveries waiting; further ones are counted and dropped. */
  readonly maxPending: number;
  readonly retentionMs: number;
}

/** Sends requests to scripts. */
export interface Sender {
  /** Sends one request with the rule's headers and tells what became of it. Never rejects. */
  send(request: ScriptRequest, headers: Readonly<Record<string, string>>): Promise<AttemptOutcome>;
  /** Breaks off what is still under way. */
  close(): Promise<void>;
}

/** Time and chance, so that tests need not wait for them. */
export interface Clock {
  now(): number;
  /** In [0, 1). */
  random(): number;
  after(ms: number, run: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  random: Math.random,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** As much of a log as is needed. */
export interface DeliveryLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** An event and the rules it is for. */
export interface Publication {
  readonly event: CallEvent;
  readonly rules: readonly Rule[];
}

const PRUNE_INTERVAL_MS = 60_000;

/** Stores deliveries before it sends them, sends them in order, and tries again what may succeed later. */
export class Dispatcher {
  /** Deliveries finished since the start, by state, and what could not be taken. */
  readonly finished = { delivered: 0, stale: 0, dead: 0 };
  dropped = 0;
  readonly #store: DeliveryStore;
  readonly #sender: Sender;
  readonly #options: DeliveryOptions;
  readonly #findRule: (id: string) => Rule | undefined;
  readonly #log: DeliveryLog;
  readonly #clock: Clock;
  readonly #lanes: Lanes;
  readonly #waits = new Set<() => void>();
  #inbox: NewDelivery[] = [];
  #records: DeliveryRecord[] = [];
  #flushing: NodeJS.Immediate | undefined;
  #active = 0;
  #isStopping = false;
  #onProgress: (() => void)[] = [];

  /** `findRule` gives the rule in force by its id: its headers are added to what was stored. */
  constructor(
    store: DeliveryStore,
    sender: Sender,
    options: DeliveryOptions,
    findRule: (id: string) => Rule | undefined,
    log: DeliveryLog,
    clock: Clock = SYSTEM_CLOCK,
  ) {
    this.#store = store;
    this.#sender = sender;
    this.#options = options;
    this.#findRule = findRule;
    this.#log = log;
    this.#clock = clock;
    this.#lanes = new Lanes(options.concurrencyPerScript);
  }

  /** Deliveries waiting or under way. */
  get pending(): number {
    return this.#lanes.size + this.#inbox.length;
  }

  /** Goes on with what an earlier run left. */
  start(): void {
    for (const delivery of this.#store.pending(this.#options.maxPending)) {
      this.#lanes.add(delivery);
    }
    this.#pump();
    this.#schedulePrune();
  }

  /** Takes events over. They are stored together with others of this turn of the event loop, then sent. */
  publish(publications: readonly Publication[]): void {
    for (const { event, rules } of publications) {
      for (const rule of rules) {
        if (this.pending >= this.#options.maxPending) this.#drop(event, 'too many deliveries are pending');
        else this.#inbox.push({ event, ruleId: rule.id, request: formatRequest(event, rule) });
      }
    }
    this.#scheduleFlush();
  }

  /** Resolves when nothing is pending, or after `timeoutMs`; true if nothing is. */
  async settle(timeoutMs: number): Promise<boolean> {
    return this.#waitFor(() => this.pending === 0 && this.#active === 0, timeoutMs);
  }

  /** An orderly stop: waits for requests under way, up to `timeoutMs`. What is pending stays in the store. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true;
    this.#flush();
    for (const cancel of this.#waits) cancel();
    this.#waits.clear();
    await this.#waitFor(() => this.#active === 0, timeoutMs);
    this.#flush();
    clearImmediate(this.#flushing);
    await this.#sender.close();
  }

  async #waitFor(condition: () => boolean, timeoutMs: number): Promise<boolean> {
    let isOver = false;
    const timer = setTimeout(() => {
      isOver = true;
      this.#tellProgress();
    }, timeoutMs);
    while (!condition() && !isOver) await new Promise<void>((done) => this.#onProgress.push(done));
    clearTimeout(timer);
    return condition();
  }

  #tellProgress(): void {
    const listeners = this.#onProgress;
    this.#onProgress = [];
    for (const listener of listeners) listener();
  }

  #drop(event: CallEvent, reason: string): void {
    this.dropped++;
    this.#log.error({ event: event.extras.EventID }, `delivery dropped: ${reason}`);
  }

  #scheduleFlush(): void {
    this.#flushing ??= setImmediate(() => {
      this.#flushing = undefined;
      this.#flush();
    });
  }

  /** Group commit: one transaction for what came, one for what became of attempts; only then anything is sent. */
  #flush(): void {
    const inbox = this.#inbox;
    const records = this.#records;
    this.#inbox = [];
    this.#records = [];
    try {
      if (records.length > 0) this.#store.record(records);
      if (inbox.length > 0)
        for (const delivery of this.#store.append(inbox, this.#clock.now())) this.#lanes.add(delivery);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.dropped += inbox.length;
      this.#log.error({ error: error.message, lost: inbox.length }, 'the store failed');
    }
    this.#pump();
    this.#tellProgress();
  }

  #pump(): void {
    if (this.#isStopping) return;
    for (const delivery of this.#lanes.take()) void this.#attempt(delivery);
  }

  async #attempt(delivery: Delivery): Promise<void> {
    const now = this.#clock.now();
    const rule = this.#findRule(delivery.ruleId);
    if (!rule) return this.#finish(delivery, 'dead', { error: 'its rule is gone' });
    if (delivery.nextAttemptAt > now) return this.#wait(delivery, delivery.nextAttemptAt - now);
    if (isStale(delivery.event, now - delivery.createdAt, this.#options.staleAfterMs)) {
      return this.#finish(delivery, 'stale', { error: 'too old' });
    }
    this.#active++;
    const outcome = await this.#sender.send(delivery.request, rule.headers);
    this.#active--;
    this.#decide({ ...delivery, attempts: delivery.attempts + 1 }, outcome);
  }

  #decide(delivery: Delivery, outcome: AttemptOutcome): void {
    const now = this.#clock.now();
    const { attempts, event, createdAt } = delivery;
    const next = decideNext(outcome, attempts, event, now - createdAt, this.#options, this.#clock.random());
    if (next.state !== 'pending') return this.#finish(delivery, next.state, outcome);
    const waiting = { ...delivery, nextAttemptAt: now + next.waitMs };
    this.#record(waiting, 'pending', outcome);
    this.#log.warn(describe(waiting, outcome), `delivery failed; next attempt in ${Math.ceil(next.waitMs / 1000)} s`);
    this.#wait(waiting, next.waitMs);
  }

  #wait(delivery: Delivery, ms: number): void {
    this.#lanes.wait(delivery);
    if (this.#isStopping) return;
    const cancel = this.#clock.after(ms, () => {
      this.#waits.delete(cancel);
      this.#lanes.resume(delivery);
      this.#pump();
    });
    this.#waits.add(cancel);
    this.#pump();
  }

  #finish(delivery: Delivery, state: Exclude<DeliveryState, 'pending'>, outcome: AttemptOutcome): void {
    this.finished[state]++;
    if (state !== 'delivered') this.#log.error(describe(delivery, outcome), `delivery ${state}`);
    this.#record(delivery, state, outcome);
    this.#lanes.finish(delivery);
    this.#pump();
  }

  #record(delivery: Delivery, state: DeliveryState, outcome: AttemptOutcome): void {
    const { id, attempts, nextAttemptAt } = delivery;
    const [status, error] = 'status' in outcome ? [outcome.status, ''] : [0, outcome.error];
    this.#records.push({ id, state, attempts, nextAttemptAt, at: this.#clock.now(), status, error });
    this.#scheduleFlush();
  }

  #schedulePrune(): void {
    if (this.#isStopping) return;
    this.#prune();
    const cancel = this.#clock.after(PRUNE_INTERVAL_MS, () => {
      this.#waits.delete(cancel);
      this.#schedulePrune();
    });
    this.#waits.add(cancel);
  }

  #prune(): void {
    try {
      this.#store.prune(this.#clock.now() - this.#options.retentionMs);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.error({ error: error.message }, 'the store failed');
    }
  }
}

/** For the log: no query, which tells who calls whom, and no headers. */
function describe({ eventId, event, attempts, request }: Delivery, outcome: AttemptOutcome): object {
  return { event: eventId, name: event, url: request.url.split('?', 1)[0], attempts, ...outcome };
}
