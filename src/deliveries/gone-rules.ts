import type { Rule } from '../rules/rule.ts';
import type { DeliveryLog } from './delivery-log.ts';
import { StoreError, type StoreFile } from './store-file.ts';

const SETTING = 'rules.gone';

/**
 * Rules whose script answered 410 Gone: they tell nothing more. A rule that was changed or read anew is another, and not among them.
 * Their ids are in the store for those who look at it from outside; the next start begins with none.
 */
export class GoneRules {
  readonly #file: StoreFile;
  readonly #log: DeliveryLog;
  readonly #onChange: () => void;
  readonly #rules = new WeakSet<Rule>();
  #ids: readonly string[] = [];

  constructor(file: StoreFile, log: DeliveryLog, onChange: () => void) {
    this.#file = file;
    this.#log = log;
    this.#onChange = onChange;
    this.#store([]);
  }

  has(rule: Rule): boolean {
    return this.#rules.has(rule);
  }

  add(rule: Rule): void {
    this.#rules.add(rule);
    this.#store([...this.#ids, rule.id]);
    this.#onChange();
  }

  /** Other rules are in force. */
  use(rules: readonly Rule[]): void {
    const ids = rules.filter((rule) => this.has(rule)).map(({ id }) => id);
    if (ids.length !== this.#ids.length) this.#store(ids);
  }

  #store(ids: readonly string[]): void {
    this.#ids = ids;
    try {
      const sql = 'INSERT OR REPLACE INTO settings (name, value) VALUES (?, ?)';
      this.#file.transact(() => this.#file.read(sql, SETTING, JSON.stringify(ids)));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#log.error({ error: error.message }, 'the store failed: which rules are disabled by a 410 is not in it');
    }
  }
}

/** The ids of such rules of the Ringside that runs on a store, or ran last. @throws StoreError */
export function readGoneRules(file: StoreFile): readonly string[] {
  const [row] = file.read('SELECT value FROM settings WHERE name = ?', SETTING);
  return row ? (JSON.parse(row.value as string) as string[]) : [];
}
