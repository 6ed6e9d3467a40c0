import type { CallChanges } from '../calls/snapshot.ts';
import type { Clock } from './clock.ts';
import type { AttemptRecord, Delivery, NewDelivery } from './delivery.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { DeliveryStore } from './store.ts';
import { StoreError } from './store-file.ts';

/** Tells what became of the calls that are up; with `all` also of those that nothing was told of. */
export type TakeCalls = (all: boolean) => CallChanges;

/** What a journal works with. */
export interface JournalParts {
  readonly store: DeliveryStore;
  readonly log: DeliveryLog;
  readonly clock: Clock;
  readonly takeCalls: TakeCalls | undefined;
}

const NONE: ReadonlySet<number> = new Set();
const RETRY_MS = 1000;
/** Calls of which nothing is to be sent may wait so long for others, so that a commit is for many. */
const TOLD_DELAY_MS = 100;
/** So many are at hand without asking the store. */
const MAX_FRESH = 20_000;

/**
 * Group commit: what comes in one turn of the event loop is one transaction, and only then may be sent.
 *
 * While the store fails, what comes goes on from memory, and is stored when the store works again.
 */
export class Journal {
  /** Why the store fails; undefined while it works. */
  failure: string | undefined;
  readonly #store: DeliveryStore;
  readonly #log: DeliveryLog;
  readonly #clock: Clock;
  readonly #takeCalls: TakeCalls | undefined;
  readonly #attemptDelayMs: number;
  readonly #onReady: (deliveries: readonly Delivery[]) => void;
  #inbox: NewDelivery[] = [];
  /** Deliveries on their way that the store could not take. */
  readonly #unstored = new Map<number, NewDelivery>();
  /** Of each delivery the latest: while the store fails, they do not pile up. */
  readonly #attempts = new Map<number, AttemptRecord>();
  /** Deliveries stored not long ago. */
  readonly #fresh = new Map<number, Delivery>();
  /** Calls to be kept: those with events, or all that changed. */
  #calls: 'none' | 'told' | 'all' = 'none';
  /** What became of calls when the store failed. */
  #unkept: CallChanges | undefined;
  #cancelFlush: (() => void) | undefined;
  #cancelLater: (() => void) | undefined;
  #cancelTold: (() => void) | undefined;
  #cancelRetry: (() => void) | undefined;
  #isOpen = false;

  /** `onReady` gets deliveries that may be sent now. What became of attempts is committed within `attemptDelayMs`. */
  constructor(
    { store, log, clock, takeCalls }: JournalParts,
    attemptDelayMs: number,
    onReady: (deliveries: readonly Delivery[]) => void,
  ) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
    this.#takeCalls = takeCalls;
    this.#attemptDelayMs = attemptDelayMs;
    this.#onReady = onReady;
  }

  /** Deliveries that are not committed yet. */
  get waiting(): number {
    return this.#inbox.length;
  }

  /** Begins to commit: what came before, and what comes. */
  open(): void {
    this.#isOpen = true;
    this.#schedule();
  }

  add(delivery: NewDelivery): void {
    this.#inbox.push(delivery);
    this.#schedule();
  }

  /** Commits the calls that something was told of: with what is to be sent, or soon where no rule is for it. */
  keepTold(): void {
    if (this.#calls === 'none') this.#calls = 'told';
    if (this.#isOpen) this.#cancelTold ??= this.#clock.after(TOLD_DELAY_MS, () => this.flush());
  }

  /** Commits what changed of calls, also where nothing was told. */
  keepCalls(): void {
    this.#calls = 'all';
    this.#schedule();
  }

  record(attempt: AttemptRecord): void {
    if (attempt.state !== 'pending') {
      this.#fresh.delete(attempt.id);
      if (this.#unstored.size > MAX_FRESH && this.#unstored.delete(attempt.id)) {
        return void this.#attempts.delete(attempt.id); // nobody can remember all of a long outage
      }
    }
    this.#attempts.set(attempt.id, attempt);
    this.#scheduleLater();
  }

  /** A delivery by its id: from memory, else from the store. @throws StoreError */
  find(id: number): Delivery | undefined {
    const delivery = this.#unstored.get(id) ?? this.#fresh.get(id) ?? this.#store.read(id);
    const last = this.#attempts.get(id);
    return delivery && last ? { ...delivery, attempts: last.attempts, nextAttemptAt: last.nextAttemptAt } : delivery;
  }

  /** Commits at once; while the store fails, what came goes on without. */
  flush(): void {
    this.#cancelTimers();
    if (this.failure === undefined) return this.#commitInbox();
    const inbox = this.#takeInbox();
    for (const delivery of inbox) this.#unstored.set(delivery.id, delivery);
    this.#onReady(inbox);
  }

  /** Commits a last time, and no more. */
  close(): void {
    this.keepCalls();
    this.#commitInbox();
    this.#isOpen = false;
    this.#cancelTimers();
    this.#cancelRetry?.();
  }

  #cancelTimers(): void {
    this.#cancelFlush?.();
    this.#cancelLater?.();
    this.#cancelTold?.();
    this.#cancelFlush = this.#cancelLater = this.#cancelTold = undefined;
  }

  /** Not before the start: what an earlier run left goes first. */
  #schedule(): void {
    if (!this.#isOpen || this.#cancelFlush) return;
    const immediate = setImmediate(() => this.flush());
    this.#cancelFlush = () => clearImmediate(immediate);
  }

  /** Nothing waits for what became of attempts to be committed: some more of them go along. */
  #scheduleLater(): void {
    if (this.#attemptDelayMs === 0) return this.#schedule();
    if (!this.#isOpen || this.#cancelFlush) return;
    this.#cancelLater ??= this.#clock.after(this.#attemptDelayMs, () => this.flush());
  }

  #takeInbox(): readonly NewDelivery[] {
    const inbox = this.#inbox;
    this.#inbox = [];
    return inbox;
  }

  #commitInbox(): void {
    const inbox = this.#takeInbox();
    const known = this.#commit(inbox);
    this.#onReady(known.size === 0 ? inbox : inbox.filter(({ id }) => !known.has(id)));
  }

  /** Returns what was there before. */
  #commit(inbox: readonly NewDelivery[]): ReadonlySet<number> {
    try {
      const deliveries = this.#unstored.size === 0 ? inbox : [...this.#unstored.values(), ...inbox];
      this.#unkept = laterOf(this.#unkept, this.#callChanges());
      const calls = this.#unkept;
      const isNothing =
        deliveries.length + this.#attempts.size + (calls ? calls.up.length + calls.over.length : 0) === 0;
      if (isNothing && this.failure === undefined) return NONE;
      const known = this.#store.commit({ deliveries, attempts: this.#attempts.values(), calls });
      if (known.size > 0) {
        this.#log.warn({ known: known.size }, 'deliveries left out: the same events were stored before');
      }
      this.#settle(deliveries);
      return known;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#fail(error.message, inbox);
      return NONE;
    }
  }

  /** Not while the store fails: they may be many, and are all taken when it works again. */
  #callChanges(): CallChanges | undefined {
    if (this.failure !== undefined || this.#calls === 'none') return undefined;
    return this.#takeCalls?.(this.#calls === 'all');
  }

  #settle(deliveries: readonly NewDelivery[]): void {
    for (const delivery of deliveries) {
      if (this.#fresh.size >= MAX_FRESH) break;
      this.#fresh.set(delivery.id, delivery);
    }
    for (const { id, attempts, nextAttemptAt } of this.#attempts.values()) {
      const delivery = this.#fresh.get(id);
      if (delivery) this.#fresh.set(id, { ...delivery, attempts, nextAttemptAt });
    }
    this.#unstored.clear();
    this.#attempts.clear();
    this.#unkept = undefined;
    this.#calls = 'none';
    if (this.failure === undefined) return;
    this.failure = undefined;
    this.#log.info({}, 'the store works again');
    this.keepCalls();
  }

  #fail(error: string, inbox: readonly NewDelivery[]): void {
    this.failure = error;
    for (const delivery of inbox) this.#unstored.set(delivery.id, delivery);
    const unstored = this.#unstored.size;
    this.#log.error({ error, unstored }, 'the store failed: what comes is sent from memory, and lost in a crash');
    if (this.#isOpen) this.#cancelRetry = this.#clock.after(RETRY_MS, () => this.#commitInbox());
  }
}

/** What became of calls in all: where both tell of one, the later is right. */
function laterOf(earlier: CallChanges | undefined, later: CallChanges | undefined): CallChanges | undefined {
  if (!earlier || !later) return earlier ?? later;
  const known = new Set([...later.over, ...later.up.map(({ id }) => id)]);
  return {
    up: [...earlier.up.filter(({ id }) => !known.has(id)), ...later.up],
    over: [...earlier.over, ...later.over],
  };
}
