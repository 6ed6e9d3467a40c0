import type { CallEvent } from '../calls/event.ts';
import type { Rule } from '../rules/rule.ts';
import { type Clock, SYSTEM_CLOCK } from './clock.ts';
import type { Delivery, FinishedState } from './delivery.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type {
  DeliveryOptions,
  DispatcherParts,
  GoneSet,
  Publication,
  ScriptStatus,
  Sender,
} from './dispatcher-parts.ts';
import { Ageing, type Ending } from './ageing.ts';
import { describeAttempt, makeRecord } from './attempt.ts';
import { Journal } from './journal.ts';
import { Lanes } from './lanes.ts';
import { Leaps } from './leaps.ts';
import { type DeliveryMeter, NO_METER } from './meter.ts';
import { Progress } from './progress.ts';
import { formatRequest } from './request.ts';
import { type AttemptOutcome, decideNext, isFault, isGone, isStale } from './retry.ts';
import { type Lane, type Script, scriptOf, type ScriptOptions } from './script.ts';
import type { DeliveryStore, PendingDelivery } from './store.ts';
import { StoreError } from './store-file.ts';
import { Upkeep } from './upkeep.ts';
import { Waits } from './waits.ts';

const STORE_RETRY_MS = 1000;

/** Stores deliveries before it sends them, sends them in order, and tries again what may succeed later. */
export class Dispatcher {
  /** Deliveries finished since the start, by state. */
  readonly finished: { [state in FinishedState]: number } = { delivered: 0, stale: 0, dead: 0 };
  /** Attempts that failed and are followed by another. */
  retried = 0;
  /** Deliveries that were one too many. */
  dropped = 0;
  readonly #store: DeliveryStore;
  readonly #sender: Sender;
  readonly #options: DeliveryOptions;
  readonly #findRule: (id: string) => Rule | undefined;
  readonly #log: DeliveryLog;
  readonly #meter: DeliveryMeter;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #lanes: Lanes;
  readonly #waits: Waits<Lane>;
  readonly #ageing: Ageing;
  readonly #timers: Waits<() => void>;
  readonly #leaps = new Leaps();
  readonly #upkeep: Upkeep;
  /** Rules whose script is gone. The next configuration has rules of its own. */
  readonly #gone: GoneSet;
  #lastId: number;
  #active = 0;
  #phase: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #isPumping = false;
  readonly #progress = new Progress();

  /** @throws StoreError */
  constructor(options: DeliveryOptions, parts: DispatcherParts) {
    const { store, sender, findRule, log, takeCalls, meter = NO_METER, clock = SYSTEM_CLOCK, gone } = parts;
    this.#store = store;
    this.#sender = sender;
    this.#options = options;
    this.#findRule = findRule;
    this.#log = log;
    this.#meter = meter;
    this.#clock = clock;
    this.#gone = gone ?? new WeakSet<Rule>();
    this.#lastId = store.lastId();
    this.#journal = new Journal({ store, log, clock, takeCalls }, options.attemptDelayMs, (deliveries) =>
      this.#take(deliveries),
    );
    this.#lanes = new Lanes(
      (url) => this.#scriptOptions(url),
      (script, ms) => this.#hold(script, ms),
    );
    this.#waits = new Waits(clock, (lanes) => this.#resume(lanes));
    this.#ageing = new Ageing({
      clock,
      lanes: this.#lanes,
      findRule,
      find: (id) => this.#find(id),
      endOf: (delivery, rule) => this.#endWithout(delivery, rule),
      ageOf: (delivery) => this.#ageOf(delivery),
      record: (delivery, ...ending) => this.#record(delivery, ...ending),
      finish: (lane, delivery, ...ending) => this.#finish(lane, delivery, ...ending),
    });
    this.#timers = new Waits(clock, (due) => due.forEach((run) => run()));
    this.#upkeep = new Upkeep(
      store,
      log,
      () => clock.now() - options.retentionMs,
      (ms, run) => this.#after(ms, run),
    );
  }

  /** Deliveries waiting or under way. */
  get pending(): number {
    return this.#lanes.size + this.#journal.waiting;
  }

  /** Why nothing can be stored at present; undefined if it can. */
  get storeFailure(): string | undefined {
    return this.#journal.failure;
  }

  scripts(): ScriptStatus[] {
    return [...this.#lanes.scripts.values()].map(({ url, pending, active, breaker }) => ({
      url,
      pending,
      active,
      breaker: breaker.state,
      failures: breaker.failures,
    }));
  }

  /** Goes on with what an earlier run left, then with what was published before. @throws StoreError */
  start(): void {
    this.#phase = 'running';
    const now = this.#clock.now();
    this.#store.eachPending((delivery) => this.#enqueue(delivery, now));
    this.#journal.open();
    this.#upkeep.start();
  }

  /** Takes events over. They are stored together with others of this turn of the event loop, then sent. */
  publish(publications: readonly Publication[]): void {
    let dropped = 0;
    for (const { event, rules } of publications) {
      for (const rule of rules) {
        if (this.#gone.has(rule)) continue;
        if (this.#isFull(rule.url)) dropped++;
        else this.#journal.add(this.#makeDelivery(event, rule));
      }
    }
    this.#journal.keepTold();
    if (dropped > 0) this.#drop(dropped);
  }

  /** Commits what changed of calls that nothing was told of. */
  keepCalls(): void {
    this.#journal.keepCalls();
  }

  /** Sends again what somebody asked for, such as the command line beside this process. */
  takeRequeued(): void {
    if (this.#phase !== 'running') return;
    const now = this.#clock.now();
    for (const delivery of this.#upkeep.requeued()) this.#enqueue(delivery, now);
    this.#pump();
  }

  /** The clock was set: nothing grew older by it. */
  leap(byMs: number): void {
    this.#leaps.add(this.#lastId, byMs);
    for (const script of this.#lanes.scripts.values()) script.leap(byMs);
  }

  /** Resolves when nothing is pending, or after `timeoutMs`; true if nothing is. */
  async settle(timeoutMs: number): Promise<boolean> {
    return this.#progress.until(() => this.pending === 0 && this.#active === 0, timeoutMs);
  }

  /** An orderly stop: waits for requests under way, up to `timeoutMs`. What is pending stays in the store. */
  async stop(timeoutMs: number): Promise<void> {
    this.#phase = 'stopping';
    this.#journal.flush();
    this.#waits.clear();
    this.#ageing.clear();
    this.#timers.clear();
    await this.#progress.until(() => this.#active === 0, timeoutMs);
    this.#phase = 'stopped';
    this.#journal.close();
    await this.#sender.close();
  }

  #scriptOptions(url: string): ScriptOptions {
    const { concurrencyPerScript: concurrency, ratePerScript: rate, breaker, scripts } = this.#options;
    return { concurrency, rate, breaker, ...scripts.get(url) };
  }

  #isFull(url: string): boolean {
    const { maxPending, maxPendingPerScript } = this.#options;
    return this.pending >= maxPending || this.#lanes.pendingOf(scriptOf(url)) >= maxPendingPerScript;
  }

  #drop(count: number): void {
    this.dropped += count;
    this.#meter.drop(count);
    this.#log.error({ dropped: count, pending: this.pending }, 'deliveries dropped: too many are pending');
  }

  #makeDelivery(event: CallEvent, rule: Rule) {
    const now = this.#clock.now();
    const { EventID, PreviousCallAPIID: previous } = event.extras;
    return {
      id: ++this.#lastId,
      eventId: String(EventID),
      ruleId: rule.id,
      event: event.event,
      call: event.params.CallAPIID,
      follows: previous === undefined ? undefined : String(previous),
      createdAt: now,
      requeuedAt: undefined,
      attempts: 0,
      nextAttemptAt: now,
      request: formatRequest(event, rule),
      source: event,
    };
  }

  #take(deliveries: readonly Delivery[]): void {
    const lanes = deliveries.map(({ id, call, follows, request }) => {
      const lane = this.#lanes.append({ id, call, follows, script: scriptOf(request.url) });
      if (lane.first === id) this.#lanes.offer(lane);
      return lane;
    });
    this.#pump();
    if (this.#phase === 'running') deliveries.forEach((delivery, i) => this.#ageing.watch(delivery, lanes[i]!));
    this.#progress.tell();
  }

  #enqueue(delivery: PendingDelivery, now: number): void {
    const lane = this.#lanes.append(delivery);
    if (lane.first !== delivery.id) return;
    if (delivery.nextAttemptAt > now) this.#waits.add(lane, delivery.nextAttemptAt - now);
    else this.#lanes.offer(lane);
  }

  /** Sends what may be sent. What becomes ready by it is taken in the same loop, as deep recursion would end the stack. */
  #pump(): void {
    if (this.#phase !== 'running' || this.#isPumping) return;
    this.#isPumping = true;
    for (const lane of this.#lanes.take(this.#clock.now())) this.#attempt(lane);
    this.#isPumping = false;
  }

  #attempt(lane: Lane): void {
    const delivery = this.#find(lane.first);
    if (delivery === 'later') return this.#wait(lane, STORE_RETRY_MS);
    if (!delivery) return this.#leave(lane); // purged meanwhile
    const rule = this.#findRule(delivery.ruleId);
    const end = this.#endWithout(delivery, rule);
    if (end || !rule) return this.#finish(lane, delivery, ...(end ?? GONE_RULE));
    void this.#send(lane, delivery, rule);
  }

  #find(id: number): Delivery | undefined | 'later' {
    try {
      return this.#journal.find(id);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.error({ error: error.message }, 'the store failed: a delivery waits');
      return 'later';
    }
  }

  /** What ends a delivery without a request. */
  #endWithout(delivery: Delivery, rule: Rule | undefined): Ending | undefined {
    if (!rule) return GONE_RULE;
    if (this.#gone.has(rule)) return ['dead', { error: 'its rule is disabled by a 410' }];
    const isOld =
      delivery.requeuedAt === undefined && isStale(delivery.event, this.#ageOf(delivery), rule.staleAfterMs);
    return isOld ? ['stale', { error: 'too old' }] : undefined;
  }

  #ageOf({ id, createdAt, requeuedAt }: Delivery): number {
    return this.#clock.now() - (requeuedAt ?? createdAt) - this.#leaps.since(id);
  }

  async #send(lane: Lane, delivery: Delivery, rule: Rule): Promise<void> {
    const at = this.#clock.now();
    lane.script.begin(at);
    if (delivery.attempts === 0) this.#meter.start(this.#ageOf(delivery));
    this.#active++;
    const outcome = await this.#sender.send(delivery.request, rule, delivery.eventId);
    this.#active--;
    if (isGone(outcome)) this.#disable(rule);
    // Broken off by the stop, which says nothing about the script: the next start sends it again.
    if (this.#phase === 'stopped') return;
    const durationMs = Math.max(0, this.#clock.now() - at);
    this.#meter.attempt(durationMs, outcome);
    this.#judge(lane.script, outcome);
    this.#decide(lane, { ...delivery, attempts: delivery.attempts + 1 }, rule, outcome, durationMs);
  }

  #disable(rule: Rule): void {
    if (this.#gone.has(rule)) return;
    this.#gone.add(rule);
    const text = 'rule disabled until the configuration changes: its script answered 410 Gone';
    this.#log.error({ rule: rule.id, url: scriptOf(rule.url) }, text);
  }

  #judge({ url, breaker, pending }: Script, outcome: AttemptOutcome): void {
    const wasClosed = breaker.state === 'closed';
    if (!isFault(outcome)) {
      breaker.succeed();
      if (!wasClosed) this.#log.info({ url, pending }, 'script works again');
    } else if (breaker.fail(this.#clock.now())) {
      this.#log.error({ url, pending, failures: breaker.failures }, 'script fails: one delivery at a time tries it');
    }
  }

  #decide(lane: Lane, delivery: Delivery, rule: Rule, outcome: AttemptOutcome, durationMs: number): void {
    const { attempts, event, requeuedAt } = delivery;
    const staleAfterMs = requeuedAt === undefined ? rule.staleAfterMs : Infinity;
    const policy = { scheduleMs: rule.scheduleMs, staleAfterMs };
    const next = decideNext(outcome, attempts, event, this.#ageOf(delivery), policy, this.#clock.random());
    if (next.state !== 'pending') return this.#finish(lane, delivery, next.state, outcome, durationMs);
    this.retried++;
    const waiting = { ...delivery, nextAttemptAt: this.#clock.now() + next.waitMs };
    this.#journal.record(makeRecord(waiting, 'pending', outcome, this.#clock.now(), durationMs));
    const text = `delivery failed; next attempt in ${Math.ceil(next.waitMs / 1000)} s`;
    this.#log.warn(describeAttempt(waiting, outcome, durationMs), text);
    this.#wait(lane, next.waitMs);
  }

  #wait(lane: Lane, waitMs: number): void {
    this.#lanes.release(lane);
    if (this.#phase === 'running') this.#waits.add(lane, waitMs);
    this.#pump();
    this.#progress.tell();
  }

  #resume(lanes: readonly Lane[]): void {
    for (const lane of lanes) this.#lanes.offer(lane);
    this.#pump();
  }

  /** A script may not be called for a while. Meanwhile what waits for it grows old. */
  #hold(script: Script, ms: number): void {
    this.#after(ms, () => {
      this.#isPumping = true; // nothing is sent meanwhile
      if (script.breaker.state !== 'closed') this.#ageing.sweep(script);
      this.#isPumping = false;
      this.#lanes.wake(script);
      this.#pump();
    });
  }

  /** Runs something later, unless stopped before. */
  #after(ms: number, run: () => void): void {
    if (this.#phase === 'running') this.#timers.add(run, ms);
  }

  #finish(lane: Lane, delivery: Delivery, state: FinishedState, outcome: AttemptOutcome, durationMs?: number): void {
    this.#record(delivery, state, outcome, durationMs);
    this.#leave(lane);
  }

  #record(delivery: Delivery, state: FinishedState, outcome: AttemptOutcome, durationMs?: number): void {
    this.finished[state]++;
    this.#meter.finish(state);
    const fields = describeAttempt(delivery, outcome, durationMs);
    if (state === 'delivered') this.#log.info(fields, 'delivered');
    if (state === 'stale') this.#log.warn(fields, 'delivery stale');
    if (state === 'dead') this.#log.error(fields, 'delivery dead');
    this.#journal.record(makeRecord(delivery, state, outcome, this.#clock.now(), durationMs));
  }

  #leave(lane: Lane): void {
    this.#lanes.finish(lane);
    this.#pump();
    this.#progress.tell();
  }
}

const GONE_RULE = ['dead', { error: 'its rule is gone' }] as const;
