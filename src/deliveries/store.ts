import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { CallEvent, EventName } from '../calls/event.ts';
import type { ScriptRequest } from './request.ts';

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

/** Where events and deliveries are kept until they are done, and for a while after. */
export interface DeliveryStore {
  /** Stores deliveries durably, all or none; returns them in the order given. One that is there already is left out. */
  append(deliveries: readonly NewDelivery[], now: number): Delivery[];
  /** What is pending, oldest first. */
  pending(limit: number): Delivery[];
  /** Stores what became of attempts. */
  record(records: readonly DeliveryRecord[]): void;
  /** Deletes what was finished before a time; returns how many. */
  prune(finishedBefore: number): number;
  counts(): { [state in DeliveryState]: number };
  close(): void;
}

const MAX_ERROR = 500;

// Each entry brings the file from the version before to its own; never change one that was released.
const MIGRATIONS = [
  `CREATE TABLE events (
     id TEXT PRIMARY KEY, at REAL NOT NULL, name TEXT NOT NULL, extension TEXT NOT NULL, call TEXT NOT NULL, json TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE deliveries (
     id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL REFERENCES events (id), rule TEXT NOT NULL,
     method TEXT NOT NULL, url TEXT NOT NULL, content_type TEXT, body TEXT,
     state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
     created_at REAL NOT NULL, next_attempt_at REAL NOT NULL, finished_at REAL,
     last_status INTEGER, last_error TEXT,
     UNIQUE (event, rule)
   ) STRICT;
   CREATE INDEX deliveries_pending ON deliveries (id) WHERE state = 'pending';
   CREATE INDEX deliveries_finished ON deliveries (finished_at) WHERE finished_at IS NOT NULL;`,
];

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

  /** @throws StoreError */
  constructor(path: string) {
    this.#path = path;
    this.#database = this.#guard('open', () => openDatabase(path));
    this.#insertEvent = this.#database.prepare('INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)');
    this.#insertDelivery = this.#database.prepare(
      `INSERT OR IGNORE INTO deliveries (event, rule, method, url, content_type, body, created_at, next_attempt_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    );
    this.#update = this.#database.prepare(
      `UPDATE deliveries SET state = ?, attempts = ?, next_attempt_at = ?, last_status = ?, last_error = ?,
         finished_at = CASE WHEN ?1 = 'pending' THEN NULL ELSE ? END
       WHERE id = ?`,
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
        const call = event.params.CallAPIID;
        const base = {
          eventId: id,
          ruleId,
          event: name,
          call,
          createdAt: now,
          attempts: 0,
          nextAttemptAt: now,
          request,
        };
        stored.push({ id: Number(result.lastInsertRowid), ...base });
      }
    });
    return stored;
  }

  pending(limit: number): Delivery[] {
    const rows = this.#guard('read', () =>
      this.#database
        .prepare(
          `SELECT d.id, d.event AS eventId, d.rule AS ruleId, e.name AS event, e.call, d.created_at AS createdAt, d.attempts,
             d.next_attempt_at AS nextAttemptAt, d.method, d.url, d.content_type AS contentType, d.body
           FROM deliveries d JOIN events e ON e.id = d.event WHERE d.state = 'pending' ORDER BY d.id LIMIT ?`,
        )
        .all(limit),
    );
    return rows.map((row) => toDelivery(row as unknown as DeliveryRow));
  }

  record(records: readonly DeliveryRecord[]): void {
    this.#transact(() => {
      for (const { id, state, attempts, nextAttemptAt, at, status, error } of records) {
        this.#update.run(state, attempts, nextAttemptAt, status, error.slice(0, MAX_ERROR), at, id);
      }
    });
  }

  prune(finishedBefore: number): number {
    return this.#transact(() => {
      const result = this.#database.prepare('DELETE FROM deliveries WHERE finished_at < ?').run(finishedBefore);
      this.#database.exec('DELETE FROM events WHERE id NOT IN (SELECT event FROM deliveries)');
      return Number(result.changes);
    });
  }

  counts(): { [state in DeliveryState]: number } {
    const rows = this.#guard('read', () =>
      this.#database.prepare('SELECT state, count(*) AS count FROM deliveries GROUP BY state').all(),
    ) as unknown as { state: DeliveryState; count: number }[];
    const counts = { pending: 0, delivered: 0, stale: 0, dead: 0 };
    for (const { state, count } of rows) counts[state] = count;
    return counts;
  }

  close(): void {
    this.#database.close();
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

function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: 5000 });
  // FULL: a commit survives the loss of power, not only of the process. Commits are grouped, so it costs little.
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF');
  const { user_version: version } = database.prepare('PRAGMA user_version').get() as { user_version: number };
  if (version > MIGRATIONS.length) throw new Error(`it was written by a newer version of Ringside (schema ${version})`);
  for (let next = version; next < MIGRATIONS.length; next++) {
    database.exec(`BEGIN; ${MIGRATIONS[next]!}; PRAGMA user_version = ${next + 1}; COMMIT`);
  }
  return database;
}
