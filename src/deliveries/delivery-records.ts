import type { CallEvent, EventName } from '../calls/event.ts';
import type { DeliveryState, FinishedState } from './delivery.ts';
import { DROP_ATTEMPTS, DROP_EVENT } from './store.ts';
import type { Row, StoreFile, Value } from './store-file.ts';

/** A delivery as lists show it. */
export interface DeliveryEntry {
  readonly id: number;
  readonly eventId: string;
  readonly ruleId: string;
  readonly event: EventName;
  /** Extended number of the extension whose event it is. */
  readonly extension: string;
  /** CallAPIID. */
  readonly call: string;
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  /** Epoch ms at which it was published. */
  readonly createdAt: number;
  /** Epoch ms; of use while it is pending. */
  readonly nextAttemptAt: number;
  /** Epoch ms at which it was delivered or given up; null while it is pending. */
  readonly finishedAt: number | null;
  /** HTTP status of the last attempt, 0 if there was none in answer to it; null before the first attempt. */
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

/** One HTTP request, and what came back. */
export interface AttemptEntry {
  /** Epoch ms. */
  readonly at: number;
  readonly durationMs: number;
  /** HTTP status, or 0. */
  readonly status: number;
  readonly error: string;
  /** The first bytes of the answer, as text. */
  readonly answer: string;
}

/** All that is known of a delivery. */
export interface DeliveryDetails extends DeliveryEntry {
  readonly contentType: string | null;
  readonly body: string | null;
  readonly source: CallEvent;
  /** The oldest first. */
  readonly history: readonly AttemptEntry[];
}

/** Which deliveries; all conditions have to hold. */
export interface DeliveryFilter {
  readonly ids?: readonly number[] | undefined;
  readonly states?: readonly DeliveryState[] | undefined;
  readonly ruleId?: string | undefined;
  readonly extension?: string | undefined;
  /** CallAPIID. */
  readonly call?: string | undefined;
  /** Epoch ms at which it was published: from here on. */
  readonly since?: number | undefined;
  /** Before this. */
  readonly until?: number | undefined;
  readonly event?: EventName | undefined;
  /** Part of the URL, without its query; in upper or lower case. */
  readonly url?: string | undefined;
  /** HTTP status of the last attempt, 0 for none. */
  readonly status?: number | undefined;
  /** Those with a lower id only: the next page. */
  readonly before?: number | undefined;
}

const ENTRY = `d.id, d.event AS eventId, d.rule AS ruleId, e.name AS event, e.extension, d.call, d.method, d.url, d.state,
  d.attempts, d.created_at AS createdAt, d.next_attempt_at AS nextAttemptAt, d.finished_at AS finishedAt,
  d.last_status AS lastStatus, d.last_error AS lastError`;
const FROM = 'FROM deliveries d JOIN events e ON e.id = d.event';
/** Of one statement; SQLite takes no more than so many values. */
const MAX_IDS = 10_000;
const RECENT = 10_000;

/** What was sent where and what came of it, to look at and to send again; beside a running Ringside, too. */
export class DeliveryRecords {
  readonly #file: StoreFile;

  constructor(file: StoreFile) {
    this.#file = file;
  }

  /** The newest deliveries that fit, newest first. @throws StoreError */
  list(filter: DeliveryFilter, limit: number): DeliveryEntry[] {
    const { where, values } = formatWhere(filter);
    const rows = this.#file.read(`SELECT ${ENTRY} ${FROM} ${where} ORDER BY d.id DESC LIMIT ?`, ...values, limit);
    return rows.map((row) => ({ ...row }) as unknown as DeliveryEntry);
  }

  /** The newest delivery of each rule that has one among the last ten thousand. @throws StoreError */
  lastOfRules(): DeliveryEntry[] {
    const recent = `SELECT id, rule FROM deliveries ORDER BY id DESC LIMIT ${RECENT}`;
    const ids = this.#file.read(`SELECT max(id) AS id FROM (${recent}) GROUP BY rule`).map(({ id }) => Number(id));
    return ids.length === 0 ? [] : this.list({ ids }, ids.length);
  }

  /** How many fit. @throws StoreError */
  count(filter: DeliveryFilter): number {
    const { where, values } = formatWhere(filter);
    return Number(this.#file.read(`SELECT count(*) AS count ${FROM} ${where}`, ...values)[0]!.count);
  }

  /** @throws StoreError */
  counts(): { [state in DeliveryState]: number } {
    const rows = this.#file.read('SELECT state, count(*) AS count FROM deliveries GROUP BY state');
    const counts = { pending: 0, delivered: 0, stale: 0, dead: 0 };
    for (const { state, count } of rows as unknown as { state: DeliveryState; count: number }[]) counts[state] = count;
    return counts;
  }

  /** Epoch ms at which the oldest waiting delivery was published; undefined if none waits. @throws StoreError */
  oldestWaitingAt(): number | undefined {
    const sql = "SELECT created_at AS at FROM deliveries WHERE state = 'pending' ORDER BY id LIMIT 1";
    return this.#file.read(sql)[0]?.at as number | undefined;
  }

  /** @throws StoreError */
  show(id: number): DeliveryDetails | undefined {
    const sql = `SELECT ${ENTRY}, d.content_type AS contentType, d.body, e.json ${FROM} WHERE d.id = ?`;
    const [row] = this.#file.read(sql, id) as (Row & { json: string })[];
    if (!row) return undefined;
    const { json, ...entry } = row;
    const attempts =
      'SELECT at, duration_ms AS durationMs, status, error, answer FROM attempts WHERE delivery = ? ORDER BY at, rowid';
    const history = this.#file.read(attempts, id).map((attempt) => ({ ...attempt }) as unknown as AttemptEntry);
    return { ...(entry as unknown as DeliveryDetails), source: JSON.parse(json) as CallEvent, history };
  }

  /** How many finished deliveries that fit there are of each rule, by its id. @throws StoreError */
  countFinishedByRule(filter: DeliveryFilter): ReadonlyMap<string, number> {
    const { where, values } = formatWhere({ ...filter, states: finishedOf(filter.states) });
    const rows = this.#file.read(
      `SELECT d.rule AS rule, count(*) AS count ${FROM} ${where} GROUP BY d.rule`,
      ...values,
    );
    return new Map(rows.map(({ rule, count }) => [String(rule), Number(count)]));
  }

  /** Asks for finished deliveries to be sent again, whatever became of them; returns how many. @throws StoreError */
  requeue(filter: DeliveryFilter, now: number): number {
    const { where, values } = formatWhere({ ...filter, states: finishedOf(filter.states) });
    const sql = `UPDATE deliveries SET state = 'pending', attempts = 0, next_attempt_at = ?, requeued_at = ?, is_requeued = 1,
      finished_at = NULL WHERE id IN (SELECT d.id ${FROM} ${where}) RETURNING id`;
    return this.#file.transact(() => this.#file.read(sql, now, now, ...values).length);
  }

  /** Deletes finished deliveries and what was kept of them; returns how many. @throws StoreError */
  purge(filter: DeliveryFilter): number {
    const { where, values } = formatWhere({ ...filter, states: finishedOf(filter.states) });
    const sql = `DELETE FROM deliveries WHERE id IN (SELECT d.id ${FROM} ${where}) RETURNING id, event`;
    const dropAttempts = this.#file.prepare(DROP_ATTEMPTS);
    const dropEvent = this.#file.prepare(DROP_EVENT);
    return this.#file.transact(() => {
      const deleted = this.#file.read(sql, ...values) as { id: number; event: string }[];
      for (const { id, event } of deleted) {
        dropAttempts.run(id);
        dropEvent.run(event);
      }
      return deleted.length;
    });
  }
}

const FINISHED: readonly FinishedState[] = ['delivered', 'stale', 'dead'];

const finishedOf = (states: readonly DeliveryState[] | undefined): readonly DeliveryState[] =>
  FINISHED.filter((state) => !states || states.includes(state));

function formatWhere(filter: DeliveryFilter): { readonly where: string; readonly values: readonly Value[] } {
  const conditions: string[] = [];
  const values: Value[] = [];
  const add = (condition: string, ...given: (Value | undefined)[]): void => {
    if (given.includes(undefined)) return;
    conditions.push(condition);
    values.push(...(given as Value[]));
  };
  const { ids, states } = filter;
  if (ids) add(`d.id IN (${placesOf(ids)})`, ...ids.slice(0, MAX_IDS));
  if (states) add(`d.state IN (${placesOf(states)})`, ...states);
  add('d.rule = ?', filter.ruleId);
  add('e.extension = ?', filter.extension);
  add('d.call = ?', filter.call);
  add('d.created_at >= ?', filter.since);
  add('d.created_at < ?', filter.until);
  add('e.name = ?', filter.event);
  add('instr(lower(d.script), lower(?)) > 0', filter.url);
  add('d.last_status = ?', filter.status);
  add('d.id < ?', filter.before);
  return { where: conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '', values };
}

const placesOf = (values: readonly unknown[]): string => Array.from(values.slice(0, MAX_IDS), () => '?').join(', ');
