import { DatabaseSync } from 'node:sqlite';
import { StoreError } from './store-file.ts';

const SQLITE_BUSY = 5;

/**
 * Held while Ringside runs on a store: two would tell everything twice. It is the system's lock of a file beside the store, so
 * that it goes with the process, however that ends.
 */
export class StoreLock {
  readonly #database: DatabaseSync | undefined;

  /** Waits up to `waitMs` for one that is about to end. @throws StoreError where another process runs on the store. */
  constructor(path: string, waitMs: number) {
    this.#database = path === ':memory:' ? undefined : take(path, waitMs);
  }

  release(): void {
    this.#database?.close();
  }
}

/** Where no such file can be made, the store can't be written either, and says so itself. */
function take(path: string, waitMs: number): DatabaseSync | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(`${path}-lock`, { timeout: waitMs });
    database.exec('BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) return undefined;
    throw new StoreError(`another Ringside runs on the store ${path}: stop it first, or name another store`, {
      cause: error,
    });
  }
}
