import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { openDatabase } from '../deliveries/store-schema.ts';
import type { Logger } from '../log.ts';
import type { Binding } from '../proxy/bindings.ts';

const BUSY_MS = 2000;
const SAVE_AFTER_MS = 200;

/** What the SIP engine must find again after a restart: its secret, and where phones can be reached. */
export class SipState {
  readonly #database: DatabaseSync;
  readonly #log: Logger;
  #unsaved = new Map<string, readonly Binding[]>();
  #timer: NodeJS.Timeout | undefined;

  /** @throws Error where the store can't be opened. */
  constructor(path: string, log: Logger) {
    this.#database = openDatabase(path, BUSY_MS);
    this.#log = log;
  }

  /** What routes and challenges are sealed with: made once. */
  secret(): string {
    const insert = 'INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING';
    this.#database.prepare(insert).run('sip.secret', randomBytes(24).toString('base64url'));
    const row = this.#database.prepare('SELECT value FROM settings WHERE name = ?').get('sip.secret');
    return (row as { value: string }).value;
  }

  /** All bindings that have not run out. */
  load(now: number): Binding[] {
    const rows = this.#database.prepare('SELECT json FROM bindings').all() as { json: string }[];
    return rows.flatMap(({ json }) => JSON.parse(json) as Binding[]).filter(({ expiresAt }) => expiresAt > now);
  }

  /** Keeps all bindings of an account, a moment later: many at once cost one write. */
  save(account: string, bindings: readonly Binding[]): void {
    this.#unsaved.set(account, bindings);
    this.#timer ??= setTimeout(() => this.#write(), SAVE_AFTER_MS);
  }

  close(): void {
    this.#write();
    this.#database.close();
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const unsaved = this.#unsaved;
    this.#unsaved = new Map();
    try {
      if (unsaved.size > 0) this.#writeAll(unsaved);
    } catch (error) {
      this.#log.error(
        { error: (error as Error).message },
        'registrations could not be stored: a restart would lose them',
      );
    }
  }

  #writeAll(unsaved: ReadonlyMap<string, readonly Binding[]>): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      const set = this.#database.prepare('INSERT OR REPLACE INTO bindings (account, json) VALUES (?, ?)');
      const remove = this.#database.prepare('DELETE FROM bindings WHERE account = ?');
      for (const [account, bindings] of unsaved) {
        if (bindings.length === 0) remove.run(account);
        else set.run(account, JSON.stringify(bindings));
      }
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }
}
