import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openDatabase } from './store-schema.ts';

/** The machine failed: the file can't be opened, read or written. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
}

export type Row = Record<string, unknown>;
export type Value = string | number | null;

/** An SQLite file whose faults are `StoreError`s that name it. `:memory:` keeps all in memory. */
export class StoreFile {
  readonly path: string;
  readonly #database: DatabaseSync;

  /**
   * Makes the file, or brings one of an older version up to date. `busyTimeoutMs` is how long to wait for another process
   * that writes it. @throws StoreError
   */
  constructor(path: string, busyTimeoutMs = 5000) {
    this.path = path;
    this.#database = this.guard('open', () => openDatabase(path, busyTimeoutMs));
  }

  /** @throws StoreError */
  prepare(sql: string): StatementSync {
    return this.guard('open', () => this.#database.prepare(sql));
  }

  /** All rows of a query. @throws StoreError */
  read(sql: string, ...values: Value[]): Row[] {
    return this.guard('read', () => this.#database.prepare(sql).all(...values));
  }

  /** The rows of a query, one at a time. @throws StoreError */
  each(sql: string, visit: (row: Row) => void): void {
    this.guard('read', () => {
      for (const row of this.#database.prepare(sql).iterate()) visit(row);
    });
  }

  /** All or nothing of what `work` writes. @throws StoreError */
  transact<T>(work: () => T): T {
    return this.guard('write', () => {
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

  close(): void {
    this.#database.close();
  }

  guard<T>(verb: 'open' | 'read' | 'write', work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw new StoreError(`can't ${verb} the store ${this.path}: ${(error as Error).message}`, { cause: error });
    }
  }
}
