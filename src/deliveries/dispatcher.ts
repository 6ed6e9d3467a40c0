import type { CallEvent } from '../calls/event.ts';
import type { Rule } from '../rules/rule.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import { Lanes, scriptOf } from './lanes.ts';
import { formatRequest, type ScriptRequest } from './request.ts';
import { type AttemptOutcome, decideNext, isGone, isStale } from './retry.ts';
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
  /** Sends the request of an event the way its rule says, and tells what became of it. Never rejects. */
  send(request: ScriptRequest, rule: Rule, eventId: string): Promise<AttemptOutcome>;
  /** Breaks off what is still under way. */
  close(): Promise<void>;
}

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
/** So many at a time, that nothing else has to wait for it. */
const PRUNE_BATCH = 500;
const PRUNE_PAUSE_MS = 100;
const STORE_RETRY_MS = 1000;
/** A timer of Node's takes up to 24 days; the clock may be set meanwhile. */
const MAX_TIMER_MS = 24 * 3600_000;

/** Stores deliveries before it sends them, sends them in order, and tries again what may succeed later. */
export class Dispatcher {
  /** Deliveries finished since the start, by state. */
  readonly finished = { delivered: 0, stale: 0, dead: 0 };
  /** Attempts that failed and are followed by another. */
  retried = 0;
  /** Deliveries that were one too many. */
  dropped = 0;
  readonly #store: DeliveryStore;
  readonly #sender: Sender;
  readonly #options: DeliveryOptions;
  readonly #findRule: (id: string) => Rule | undefined;
  readonly #log: DeliveryLog;
  readonly #clock: Clock;
  readonly #lanes: Lanes;
  readonly #waits = new Set<() => void>();
  /** Rules whose script is gone. The next configuration has rules of its own. */
  readonly #gone = new WeakSet<Rule>();
  #inbox: NewDelivery[] = [];
  /** Of each delivery the latest: while the store fails, they do not pile up. */
  readonly #records = new Map<number, DeliveryRecord>();
  #cancelFlush: (() => void) | undefined;
  #active = 0;
  #phase: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #isPumping = false;
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

  /** Goes on with what an earlier run left, then with what was published before. @throws StoreError */
  start(): void {
    for (const delivery of this.#store.pending()) this.#lanes.add(delivery);
    this.#phase = 'running';
    this.#scheduleFlush();
    this.#prune();
  }

  /** Takes events over. They are stored together with others of this turn of the event loop, then sent. */
  publish(publications: readonly Publication[]): void {
    let dropped = 0;
    for (const { event, rules } of publications) {
      for (const rule of rules) {
        if (this.#gone.has(rule)) continue;
        if (this.pending >= this.#options.maxPending) dropped++;
        else this.#inbox.push({ event, ruleId: rule.id, request: formatRequest(event, rule) });
      }
    }
    this.dropped += dropped;
    if (dropped > 0) this.#log.error({ dropped, pending: this.pending }, 'deliveries dropped: too many are pending');
    this.#scheduleFlush();
  }

  /** Resolves when nothing is pending, or after `timeoutMs`; true if nothing is. */
  async settle(timeoutMs: number): Promise<boolean> {
    return this.#waitFor(() => this.pending === 0 && this.#active === 0, timeoutMs);
  }

  /** An orderly stop: waits for requests under way, up to `timeoutMs`. What is pending stays in the store. */
  async stop(timeoutMs: number): Promise<void> {
    this.#phase = 'stopping';
    this.#flush();
    for (const cancel of this.#waits) cancel();
    this.#waits.clear();
    await this.#waitFor(() => this.#active === 0, timeoutMs);
    this.#phase = 'stopped';
    this.#cancelFlush?.();
    this.#flush();
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

  /** Not before the start: what an earlier run left goes first. Not while the store is given time. */
  #scheduleFlush(): void {
    if (this.#phase !== 'running' && this.#phase !== 'stopping') return;
    if (this.#cancelFlush) return;
    const immediate = setImmediate(() => this.#flush());
    this.#cancelFlush = () => clearImmediate(immediate);
  }

  /** Group commit: one transaction for what became of attempts, one for what came; only then anything is sent. */
  #flush(): void {
    this.#cancelFlush = undefined;
    try {
      this.#writeRecords();
      this.#writeInbox();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.error({ error: error.message, unstored: this.#inbox.length }, 'the store failed');
      if (this.#phase === 'running') this.#cancelFlush = this.#after(STORE_RETRY_MS, () => this.#flush());
    }
    this.#pump();
    this.#tellProgress();
  }

  #writeRecords(): void {
    if (this.#records.size === 0) return;
    this.#store.record([...this.#records.values()]);
    this.#records.clear();
  }

  #writeInbox(): void {
    if (this.#inbox.length === 0) return;
    const stored = this.#store.append(this.#inbox, this.#clock.now());
    const known = this.#inbox.length - stored.length;
    if (known > 0) this.#log.warn({ known }, 'deliveries left out: the same events were stored before');
    this.#inbox = [];
    for (const delivery of stored) this.#lanes.add(delivery);
  }

  /** Sends what may be sent. What becomes ready by it is taken in the same loop, as deep recursion would end the stack. */
  #pump(): void {
    if (this.#phase !== 'running' || this.#isPumping) return;
    this.#isPumping = true;
    for (const delivery of this.#lanes.take()) this.#attempt(delivery);
    this.#isPumping = false;
  }

  #attempt(delivery: Delivery): void {
    const now = this.#clock.now();
    const rule = this.#findRule(delivery.ruleId);
    if (!rule) return this.#finish(delivery, 'dead', { error: 'its rule is gone' });
    if (this.#gone.has(rule)) return this.#finish(delivery, 'dead', { error: 'its rule is disabled by a 410' });
    if (isStale(delivery.event, now - delivery.createdAt, this.#options.staleAfterMs)) {
      return this.#finish(delivery, 'stale', { error: 'too old' });
    }
    if (delivery.nextAttemptAt > now) return this.#wait(delivery);
    void this.#send(delivery, rule);
  }

  async #send(delivery: Delivery, rule: Rule): Promise<void> {
    this.#active++;
    const outcome = await this.#sender.send(delivery.request, rule, delivery.eventId);
    this.#active--;
    if (isGone(outcome)) this.#disable(rule);
    // Broken off by the stop, which says nothing about the script: the next start sends it again.
    if (this.#phase !== 'stopped') this.#decide({ ...delivery, attempts: delivery.attempts + 1 }, outcome);
  }

  #disable(rule: Rule): void {
    if (this.#gone.has(rule)) return;
    this.#gone.add(rule);
    const text = 'rule disabled until the configuration changes: its script answered 410 Gone';
    this.#log.error({ rule: rule.id, url: scriptOf(rule.url) }, text);
  }

  #decide(delivery: Delivery, outcome: AttemptOutcome): void {
    const now = this.#clock.now();
    const { attempts, event, createdAt } = delivery;
    const next = decideNext(outcome, attempts, event, now - createdAt, this.#options, this.#clock.random());
    if (next.state !== 'pending') return this.#finish(delivery, next.state, outcome);
    this.retried++;
    const waiting = { ...delivery, nextAttemptAt: now + next.waitMs };
    this.#record(waiting, 'pending', outcome);
    this.#log.warn(describe(waiting, outcome), `delivery failed; next attempt in ${Math.ceil(next.waitMs / 1000)} s`);
    this.#wait(waiting);
  }

  #wait(delivery: Delivery): void {
    this.#lanes.wait(delivery);
    this.#after(delivery.nextAttemptAt - this.#clock.now(), () => {
      this.#lanes.resume(delivery);
      this.#pump();
    });
    this.#pump();
  }

  /** Runs something later, unless stopped before. */
  #after(ms: number, run: () => void): () => void {
    if (this.#phase !== 'running') return () => {};
    const cancelTimer = this.#clock.after(Math.min(ms, MAX_TIMER_MS), () => {
      this.#waits.delete(cancelTimer);
      run();
    });
    this.#waits.add(cancelTimer);
    return cancelTimer;
  }

  #finish(delivery: Delivery, state: Exclude<DeliveryState, 'pending'>, outcome: AttemptOutcome): void {
    this.finished[state]++;
    if (state === 'stale') this.#log.warn(describe(delivery, outcome), 'delivery stale');
    if (state === 'dead') this.#log.error(describe(delivery, outcome), 'delivery dead');
    this.#record(delivery, state, outcome);
    this.#lanes.finish(delivery);
    this.#pump();
  }

  #record(delivery: Delivery, state: DeliveryState, outcome: AttemptOutcome): void {
    const { id, attempts, nextAttemptAt } = delivery;
    const [status, error] = 'status' in outcome ? [outcome.status, ''] : [0, outcome.error];
    this.#records.set(id, { id, state, attempts, nextAttemptAt, at: this.#clock.now(), status, error });
    this.#scheduleFlush();
  }

  #prune(): void {
    const isMore = this.#deleteOld() === PRUNE_BATCH;
    this.#after(isMore ? PRUNE_PAUSE_MS : PRUNE_INTERVAL_MS, () => this.#prune());
  }

  #deleteOld(): number {
    try {
      return this.#store.prune(this.#clock.now() - this.#options.retentionMs, PRUNE_BATCH);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.error({ error: error.message }, 'the store failed');
      return 0;
    }
  }
}

/** For the log: no query, which tells who calls whom, and no headers. */
function describe({ eventId, event, attempts, request }: Delivery, outcome: AttemptOutcome): object {
  return { event: eventId, name: event, url: request.url.split('?', 1)[0], attempts, ...outcome };
}
