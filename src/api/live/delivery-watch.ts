import { LRUCache } from 'lru-cache';
import type { AttemptRecord, Delivery, NewDelivery } from '../../deliveries/delivery.ts';
import type { DeliveryEntry } from '../../deliveries/delivery-records.ts';
import type { Batch, DeliveryStore, PendingDelivery } from '../../deliveries/store.ts';

/** Is told what was committed. */
export interface DeliveryListener {
  onDelivery(entry: DeliveryEntry): void;
  /** An attempt at a delivery, as it is after it. */
  onAttempt(entry: DeliveryEntry, record: AttemptRecord): void;
}

const MAX_KNOWN = 20_000;

/** A store that tells what becomes of deliveries, once it is committed. */
export class DeliveryWatch implements DeliveryStore {
  readonly #store: DeliveryStore;
  readonly #find: (id: number) => DeliveryEntry | undefined;
  readonly #listener: DeliveryListener;
  readonly #known = new LRUCache<number, DeliveryEntry>({ max: MAX_KNOWN });

  /** `find` reads one that is not known (any more). */
  constructor(store: DeliveryStore, find: (id: number) => DeliveryEntry | undefined, listener: DeliveryListener) {
    this.#store = store;
    this.#find = find;
    this.#listener = listener;
  }

  commit(batch: Batch): ReadonlySet<number> {
    const deliveries = [...batch.deliveries];
    const attempts = [...batch.attempts];
    const leftOut = this.#store.commit({ ...batch, deliveries, attempts });
    for (const delivery of deliveries) if (!leftOut.has(delivery.id)) this.#tellNew(delivery);
    for (const attempt of attempts) this.#tellAttempt(attempt);
    return leftOut;
  }

  eachPending(visit: (delivery: PendingDelivery) => void): void {
    this.#store.eachPending(visit);
  }

  read(id: number): Delivery | undefined {
    return this.#store.read(id);
  }

  takeRequeued(): PendingDelivery[] {
    return this.#store.takeRequeued();
  }

  lastId(): number {
    return this.#store.lastId();
  }

  prune(finishedBefore: number, limit: number): number {
    return this.#store.prune(finishedBefore, limit);
  }

  #tellNew({
    id,
    eventId,
    ruleId,
    event,
    call,
    createdAt,
    nextAttemptAt,
    attempts,
    request,
    source,
  }: NewDelivery): void {
    const entry: DeliveryEntry = {
      id,
      eventId,
      ruleId,
      event,
      extension: source.extension,
      call,
      method: request.method,
      url: request.url,
      state: 'pending',
      attempts,
      createdAt,
      nextAttemptAt,
      finishedAt: null,
      lastStatus: null,
      lastError: null,
    };
    this.#known.set(id, entry);
    this.#listener.onDelivery(entry);
  }

  #tellAttempt(record: AttemptRecord): void {
    const { id, state, attempts, nextAttemptAt, at, status, error } = record;
    const known = this.#known.get(id) ?? this.#find(id);
    if (!known) return;
    const finishedAt = state === 'pending' ? null : at;
    const entry = { ...known, state, attempts, nextAttemptAt, finishedAt, lastStatus: status, lastError: error };
    if (state === 'pending') this.#known.set(id, entry);
    else this.#known.delete(id);
    this.#listener.onAttempt(entry, record);
  }
}
