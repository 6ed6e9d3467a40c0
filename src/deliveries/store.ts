import type { StatementSync } from 'node:sqlite';
import type { CallEvent } from '../calls/event.ts';
import type { CallChanges, CallSnapshot } from '../calls/snapshot.ts';
import type { AttemptRecord, Delivery, NewDelivery } from './delivery.ts';
import { scriptOf } from './script.ts';
import type { Row, StoreFile } from './store-file.ts';

/** What is committed at once: nothing of it, or all. */
export interface Batch {
  readonly deliveries: Iterable<NewDelivery>;
  readonly attempts: Iterable<AttemptRecord>;
  /** What became of calls that are up. */
  readonly calls: CallChanges | undefined;
}

/** A pending delivery, as little of it as its order needs. */
export type PendingDelivery = Pick<Delivery, 'id' | 'call' | 'follows' | 'nextAttemptAt'> & { readonly script: string };

/** Where events, deliveries and calls are kept until they are done, and for a while after. */
export interface DeliveryStore {
  /** Stores durably, all or none. Returns the ids of deliveries that are left out, as the same event for the same rule is there. @throws StoreError */
  commit(batch: Batch): ReadonlySet<number>;
  /** Visits all that is pending, oldest first. @throws StoreError */
  eachPending(visit: (delivery: PendingDelivery) => void): void;
  /** @throws StoreError */
  read(id: number): Delivery | undefined;
  /** Deliveries that somebody asked to be sent again since this was asked last; oldest first. @throws StoreError */
  takeRequeued(): PendingDelivery[];
  /** The highest id ever given. @throws StoreError */
  lastId(): number;
  /** Deletes what was finished before a time, the oldest first, up to `limit`; returns how many. @throws StoreError */
  prune(finishedBefore: number, limit: number): number;
}

const MAX_ERROR = 500;

/** Of a delivery that is gone. */
export const DROP_ATTEMPTS = 'DELETE FROM attempts WHERE delivery = ?';
/** Of an event that no delivery refers to any more. */
export const DROP_EVENT =
  'DELETE FROM events WHERE id = ? AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.id)';

const DELIVERY = `d.id, d.event AS eventId, d.rule AS ruleId, e.name AS event, d.call, d.follows, d.created_at AS createdAt,
  d.requeued_at AS requeuedAt, d.attempts, d.next_attempt_at AS nextAttemptAt, d.method, d.url,
  d.content_type AS contentType, d.body FROM deliveries d JOIN events e ON e.id = d.event`;
const PENDING = 'id, call, follows, next_attempt_at AS nextAttemptAt, script FROM deliveries';

/**
 * The outbox and the calls that are up, in an SQLite file.
 *
 * A request is stored as it was formatted when the event happened, so that a later change of the rule does not change it;
 * headers of the rule, which may be secret, are not stored, but added when it is sent.
 */
export class SqliteStore implements DeliveryStore {
  readonly #file: StoreFile;
  readonly #insertEvent: StatementSync;
  readonly #insertDelivery: StatementSync;
  readonly #insertAttempt: StatementSync;
  readonly #update: StatementSync;
  readonly #select: StatementSync;
  readonly #requeued: StatementSync;
  readonly #prune: StatementSync;
  readonly #pruneEvent: StatementSync;
  readonly #pruneAttempts: StatementSync;
  readonly #saveCall: StatementSync;
  readonly #dropCall: StatementSync;
  /** Keys of the calls that are in the file; they rise, so that calls of the same time share pages. */
  readonly #callKeys = new Map<string, number>();
  #lastCallKey = 0;

  /** @throws StoreError */
  constructor(file: StoreFile) {
    this.#file = file;
    this.#insertEvent = file.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    this.#insertDelivery = file.prepare(
      `INSERT INTO deliveries
         (id, event, rule, call, follows, script, method, url, content_type, body, created_at, next_attempt_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (event, rule) DO NOTHING`,
    );
    this.#insertAttempt = file.prepare('INSERT INTO attempts VALUES (?, ?, ?, ?, ?, ?)');
    this.#update = file.prepare(
      `UPDATE deliveries SET state = ?, attempts = ?, next_attempt_at = ?, last_status = ?, last_error = ?,
         finished_at = CASE WHEN ?1 = 'pending' THEN NULL ELSE ? END
       WHERE id = ?`,
    );
    this.#select = file.prepare(`SELECT ${DELIVERY} WHERE d.id = ?`);
    this.#requeued = file.prepare(`SELECT ${PENDING} WHERE is_requeued IS NOT NULL ORDER BY id`);
    this.#prune = file.prepare(
      `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE finished_at < ? ORDER BY finished_at LIMIT ?)
       RETURNING id, event`,
    );
    this.#pruneEvent = file.prepare(DROP_EVENT);
    this.#pruneAttempts = file.prepare(DROP_ATTEMPTS);
    this.#saveCall = file.prepare('INSERT OR REPLACE INTO calls VALUES (?, ?)');
    this.#dropCall = file.prepare('DELETE FROM calls WHERE key = ?');
  }

  commit({ deliveries, attempts, calls }: Batch): ReadonlySet<number> {
    const known = new Set<number>();
    this.#file.transact(() => {
      for (const delivery of deliveries) if (!this.#append(delivery)) known.add(delivery.id);
      for (const attempt of attempts) this.#record(attempt);
      if (calls) this.#keep(calls);
    });
    for (const id of calls?.over ?? []) this.#callKeys.delete(id);
    return known;
  }

  eachPending(visit: (delivery: PendingDelivery) => void): void {
    this.#file.each(`SELECT ${PENDING} WHERE state = 'pending' ORDER BY id`, (row) => visit(toPending(row)));
  }

  read(id: number): Delivery | undefined {
    const row = this.#file.guard('read', () => this.#select.get(id)) as DeliveryRow | undefined;
    return row && toDelivery(row);
  }

  takeRequeued(): PendingDelivery[] {
    const rows = this.#file.guard('read', () => this.#requeued.all());
    if (rows.length === 0) return [];
    this.#file.transact(() =>
      this.#file.read('UPDATE deliveries SET is_requeued = NULL WHERE is_requeued IS NOT NULL'),
    );
    return rows.map(toPending);
  }

  lastId(): number {
    const [row] = this.#file.read("SELECT seq FROM sqlite_sequence WHERE name = 'deliveries'");
    return Number(row?.seq ?? 0);
  }

  prune(finishedBefore: number, limit: number): number {
    return this.#file.transact(() => {
      const deleted = this.#prune.all(finishedBefore, limit) as unknown as { id: number; event: string }[];
      for (const { id, event } of deleted) {
        this.#pruneAttempts.run(id);
        this.#pruneEvent.run(event);
      }
      return deleted.length;
    });
  }

  /** Calls that were up when the last run ended. @throws StoreError */
  calls(): CallSnapshot[] {
    const rows = this.#file.read('SELECT key, json FROM calls ORDER BY key') as unknown as CallRow[];
    return rows.map(({ key, json }) => {
      const call = JSON.parse(json) as CallSnapshot;
      this.#callKeys.set(call.id, key);
      this.#lastCallKey = key;
      return call;
    });
  }

  #append(delivery: NewDelivery): boolean {
    const { id, eventId, ruleId, call, follows, createdAt, nextAttemptAt, request, source } = delivery;
    this.#storeEvent(eventId, source);
    const { method, url, contentType, body } = request;
    const type = contentType ?? null;
    const values = [
      id,
      eventId,
      ruleId,
      call,
      follows ?? null,
      scriptOf(url),
      method,
      url,
      type,
      body ?? null,
    ] as const;
    return this.#insertDelivery.run(...values, createdAt, nextAttemptAt).changes > 0;
  }

  #storeEvent(id: string, event: CallEvent): void {
    const { event: name, at, extension, params } = event;
    this.#insertEvent.run(id, at, name, extension, params.CallAPIID, JSON.stringify(event));
  }

  #record({ id, state, attempts, nextAttemptAt, at, durationMs, status, error, answer }: AttemptRecord): void {
    const text = error.slice(0, MAX_ERROR);
    this.#update.run(state, attempts, nextAttemptAt, status, text, at, id);
    if (durationMs !== undefined) this.#insertAttempt.run(id, at, durationMs, status, text, answer);
  }

  #keep({ up, over }: CallChanges): void {
    for (const id of over) {
      const key = this.#callKeys.get(id);
      if (key !== undefined) this.#dropCall.run(key);
    }
    for (const call of up) this.#saveCall.run(this.#callKey(call.id), JSON.stringify(call));
  }

  #callKey(id: string): number {
    const known = this.#callKeys.get(id);
    if (known !== undefined) return known;
    this.#callKeys.set(id, ++this.#lastCallKey);
    return this.#lastCallKey;
  }
}

interface CallRow {
  readonly key: number;
  readonly json: string;
}

interface DeliveryRow extends Omit<Delivery, 'request' | 'follows' | 'requeuedAt'> {
  readonly follows: string | null;
  readonly requeuedAt: number | null;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly contentType: string | null;
  readonly body: string | null;
}

function toDelivery({ method, url, contentType, body, follows, requeuedAt, ...rest }: DeliveryRow): Delivery {
  const request = { method, url, contentType: contentType ?? undefined, body: body ?? undefined };
  return { ...rest, follows: follows ?? undefined, requeuedAt: requeuedAt ?? undefined, request };
}

const toPending = (row: Row): PendingDelivery => ({
  ...(row as unknown as PendingDelivery),
  follows: (row.follows as string | null) ?? undefined,
});
