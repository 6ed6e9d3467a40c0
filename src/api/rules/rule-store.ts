import type { StoreFile } from '../../deliveries/store-file.ts';

/** A rule of the API as it is kept. */
export interface RuleRow {
  readonly id: string;
  /** A rule entry as JSON. */
  readonly json: string;
  /** Epoch ms of the last change. */
  readonly modified: number;
}

/** The rules of the API, in the file of the outbox. All of it throws StoreError. */
export class RuleStore {
  readonly #file: StoreFile;

  constructor(file: StoreFile) {
    this.#file = file;
  }

  /** In the order in which they were made. */
  list(): RuleRow[] {
    return this.#file.read('SELECT id, json, modified FROM rules ORDER BY place') as unknown as RuleRow[];
  }

  put({ id, json, modified }: RuleRow): void {
    const sql = `INSERT INTO rules (id, json, modified) VALUES (?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET json = excluded.json, modified = excluded.modified`;
    this.#file.transact(() => this.#file.read(sql, id, json, modified));
  }

  remove(ids: readonly string[]): void {
    const sql = 'DELETE FROM rules WHERE id IN (SELECT value FROM json_each(?))';
    this.#file.transact(() => this.#file.read(sql, JSON.stringify(ids)));
  }
}
