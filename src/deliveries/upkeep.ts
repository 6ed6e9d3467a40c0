import type { DeliveryLog } from './delivery-log.ts';
import type { DeliveryStore, PendingDelivery } from './store.ts';
import { StoreError } from './store-file.ts';

const PRUNE_INTERVAL_MS = 60_000;
/** So many at a time, that nothing else has to wait for it. */
const PRUNE_BATCH = 500;
const PRUNE_PAUSE_MS = 100;

/** What is done to the store now and then: what is old is deleted, and what is to be sent again is found. */
export class Upkeep {
  readonly #store: DeliveryStore;
  readonly #log: DeliveryLog;
  readonly #keepFrom: () => number;
  readonly #after: (ms: number, run: () => void) => void;

  /** `keepFrom` gives the time before which finished deliveries are deleted. */
  constructor(
    store: DeliveryStore,
    log: DeliveryLog,
    keepFrom: () => number,
    after: (ms: number, run: () => void) => void,
  ) {
    this.#store = store;
    this.#log = log;
    this.#keepFrom = keepFrom;
    this.#after = after;
  }

  start(): void {
    this.#prune();
  }

  /** What somebody asked to be sent again since this was asked last. */
  requeued(): readonly PendingDelivery[] {
    return this.#try(() => this.#store.takeRequeued()) ?? [];
  }

  #prune(): void {
    const count = this.#try(() => this.#store.prune(this.#keepFrom(), PRUNE_BATCH)) ?? 0;
    this.#after(count === PRUNE_BATCH ? PRUNE_PAUSE_MS : PRUNE_INTERVAL_MS, () => this.#prune());
  }

  /** Undefined while the store fails. */
  #try<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.error({ error: error.message }, 'the store failed');
      return undefined;
    }
  }
}
