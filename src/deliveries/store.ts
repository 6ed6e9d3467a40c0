import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { CallEvent, EventName } from '../calls/event.ts';
import type { ScriptRequest } from './request.ts';
import { openDatabase } from './store-schema.ts';

/** The machine failed: the file can't be opened, read or written. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

export type DeliveryState = 'pending' | 'delivered' | 'stale' | 'dead';

/** One event for one rule, on its way. */
export interface Delivery {
  readonly id: number;
  readonly eventId: string;
  readonly ruleId: string;
  readonly event: EventName;
  /** CallAPIID. */
  readonly call: string;
  /** Epoch ms at which it was published. */
  readonly createdAt: number;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly request: ScriptRequest;
}

/** A new delivery, before it is stored. */
export interface NewDelivery {
  readonly event: CallEvent;
  readonly ruleId: string;
  readonly request: ScriptRequest;
}

/** What became of an attempt, to be kept. */
export interface DeliveryRecord {
  readonly id: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  /** Epoch ms of the attempt. */
  readonly at: number;
  /** HTTP status, or 0. */
  readonly status: number;
  /** What went wrong; empty if nothing did. */
  readonly error: string;
}

/** A delivery as the log of deliveries shows it. */
export interface DeliveryEntry {
  readonly id: number;
  readonly eventId: string;
  readonly ruleId: string;
  readonly event: EventName;
  readonly call: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Epoch ms at which it was published. */
  readonly createdAt: number;
  /** Epoch ms at which it was delivered or given up; null while it is pending. */
  readonly finishedAt: number | null;
  /** HTTP status of the last attempt, 0 if there was none in answer to it; null before the first attempt. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** Where events and deliveries are kept until they are done, and for a while after. */
export interface DeliveryStore {
  /** Stores deliveries durably, all or none; returns them in the order given. One that is there already is left out. */
  append(deliveries: readonly NewDelivery[], now: number): Delivery[];
  /** All that is pending, oldest first. */
  pending(): Delivery[];
  /** The newest deliveries in a state: `dead` gives the dead letters. */
  list(state: DeliveryState, limit: number): DeliveryEntry[];
  /** Stores what became of attempts. */
  record(records: readonly DeliveryRecord[]): void;
  /** Deletes what was finished before a time, the oldest first, up to `limit`; returns how many. */
  prune(finishedBefore: number, limit: number): number;
  counts(): { [state in DeliveryState]: number };
  close(): void;
}

const MAX_ERROR = 500;

/**
 * The outbox in an SQLite file; `:memory:` keeps it in memory.
 *
 * A request is stored as it was formatted when the event happened, so that a later change of the rule does not change it;
 * headers of the rule, which may be secret, are not stored, but added when it is sent.
 */
export class SqliteStore implements DeliveryStore {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #insertEvent: StatementSync;
  readonly #insertDelivery: StatementSync;
  readonly #update: StatementSync;
  readonly #prune: StatementSync;
  readonly #pruneEvent: StatementSync;

  /**
   * Makes the file, or brings one of an older version up to date. `busyTimeoutMs` is how long to wait for another process
   * that writes it. @throws StoreError
   */
  constructor(path: string, busyTimeoutMs = 5000) {
    this.#path = path;
    this.#database = this.#guard('open', () => openDatabase(path, busyTimeoutMs));
    this.#insertEvent = this.#prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING');
    this.#insertDelivery = this.#prepare(
      `INSERT INTO deliveries (event, rule, method, url, content_type, body, created_at, next_attempt_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#update = this.#prepare(
      `UPDATE deliveries SET state = ?, attempts = ?, next_attempt_at = ?, last_status = ?, last_error = ?,
         finished_at = CASE WHEN ?1 = 'pending' THEN NULL ELSE ? END
       WHERE id = ?`,
    );
    this.#prune = this.#prepare(
      `DELETE FROM deliveries WHERE id IN (SELECT id FROM deliveries WHERE finished_at < ? ORDER BY finished_at LIMIT ?)
       RETURNING event`,
    );
    this.#pruneEvent = this.#prepare(
      'DELETE FROM events WHERE id = ? AND NOT EXISTS (SELECT 1 FROM deliveries WHERE event = events.id)',
    );
  }

  append(deliveries: readonly NewDelivery[], now: number): Delivery[] {
    const stored: Delivery[] = [];
    this.#transact(() => {
      for (const { event, ruleId, request } of deliveries) {
        const { name, id } = this.#storeEvent(event);
        const { method, url, contentType, body } = request;
        const result = this.#insertDelivery.run(id, ruleId, method, url, contentType ?? null, body ?? null, now, now);
        if (result.changes === 0) continue;
        stored.push({
          id: Number(result.lastInsertRowid),
          eventId: id,
          ruleId,
          event: name,
          call: event.params.CallAPIID,
          createdAt: now,
          attempts: 0,
          nextAttemptAt: now,
          request,
        });
      }
    });
    return stored;
  }

  pending(): Delivery[] {
    const rows = this.#read(
      `SELECT d.id, d.event AS eventId, d.rule AS ruleId, e.name AS event, e.call, d.created_at AS createdAt, d.attempts,
         d.next_attempt_at AS nextAttemptAt, d.method, d.url, d.content_type AS contentType, d.body
       FROM deliveries d JOIN events e ON e.id = d.event WHERE d.state = 'pending' ORDER BY d.id`,
    );
    return (rows as unknown as DeliveryRow[]).map(toDelivery);
  }

  list(state: DeliveryState, limit: number): DeliveryEntry[] {
    const rows = this.#read(
      `SELECT d.id, d.event AS eventId, d.rule AS ruleId, e.name AS event, e.call, d.method, d.url, d.state, d.attempts,
         d.created_at AS createdAt, d.finished_at AS finishedAt, d.last_status AS lastStatus, d.last_error AS lastError
       FROM deliveries d JOIN events e ON e.id = d.event WHERE d.state = ? ORDER BY d.id DESC LIMIT ?`,
      state,
      limit,
    );
    return rows.map((row) => ({ ...row }) as unknown as DeliveryEntry);
  }

  record(records: readonly DeliveryRecord[]): void {
    this.#transact(() => {
      for (const { id, state, attempts, nextAttemptAt, at, status, error } of records) {
        this.#update.run(state, attempts, nextAttemptAt, status, error.slice(0, MAX_ERROR), at, id);
      }
    });
  }

  prune(finishedBefore: number, limit: number): number {
    return this.#transact(() => {
      const deleted = this.#prune.all(finishedBefore, limit) as unknown as { event: string }[];
      for (const { event } of deleted) this.#pruneEvent.run(event);
      return deleted.length;
    });
  }

  counts(): { [state in DeliveryState]: number } {
    const rows = this.#read('SELECT state, count(*) AS count FROM deliveries GROUP BY state');
    const counts = { pending: 0, delivered: 0, stale: 0, dead: 0 };
    for (const { state, count } of rows as unknown as { state: DeliveryState; count: number }[]) counts[state] = count;
    return counts;
  }

  close(): void {
    this.#database.close();
  }

  #prepare(sql: string): StatementSync {
    return this.#guard('open', () => this.#database.prepare(sql));
  }

  #read(sql: string, ...values: (string | number)[]): Record<string, unknown>[] {
    return this.#guard('read', () => this.#database.prepare(sql).all(...values));
  }

  #storeEvent(event: CallEvent): { id: string; name: EventName } {
    const { event: name, at, extension, params, extras } = event;
    const id = String(extras.EventID);
    this.#insertEvent.run(id, at, name, extension, params.CallAPIID, JSON.stringify(event));
    return { id, name };
  }

  #transact<T>(work: () => T): T {
    return this.#guard('write', () => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        this.#database.exec('COMMIT');
        return result;
      } catch (error) {
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  #guard<T>(verb: string, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new StoreError(`can't ${verb} the store ${this.#path}: ${(error as Error).message}`, { cause: error });
    }
  }
}

interface DeliveryRow extends Omit<Delivery, 'request'> {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly contentType: string | null;
  readonly body: string | null;
}

function toDelivery({ method, url, contentType, body, ...rest }: DeliveryRow): Delivery {
  return { ...rest, request: { method, url, contentType: contentType ?? undefined, body: body ?? undefined } };
}
