import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import { formatRequest } from '../../src/deliveries/request.ts';
import {
  type DeliveryRecord,
  type DeliveryState,
  type NewDelivery,
  SqliteStore,
  StoreError,
} from '../../src/deliveries/store.ts';
import { eventOf, makeRule, T0 } from './harness.ts';

const rule = makeRule({
  method: 'POST',
  url: 'http://127.0.0.1:9/hook?a=b',
  headers: { Authorization: 'Bearer s3cret' },
});

function delivery(call: string, sequence: number, more = rule): NewDelivery {
  const event = eventOf(call, sequence);
  return { event, ruleId: more.id, request: formatRequest(event, more) };
}

const recordOf = (
  id: number,
  state: DeliveryState,
  at: number,
  more: Partial<DeliveryRecord> = {},
): DeliveryRecord => ({
  id,
  state,
  attempts: 1,
  nextAttemptAt: at,
  at,
  status: 200,
  error: '',
  ...more,
});

t.test('what was appended is there after the file was closed and opened again', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const store = new SqliteStore(path);
  const get = makeRule({ id: 'rule-2' });
  const appended = store.append([delivery('a', 1), delivery('a', 1, get), delivery('b', 1)], T0);
  t.strictSame(
    appended.map(({ eventId, ruleId, call, createdAt, attempts }) => [eventId, ruleId, call, createdAt, attempts]),
    [
      ['a-1', 'rule-1', 'a', T0, 0],
      ['a-1', 'rule-2', 'a', T0, 0],
      ['b-1', 'rule-1', 'b', T0, 0],
    ],
  );
  store.record([recordOf(appended[1]!.id, 'pending', T0 + 5, { attempts: 3, nextAttemptAt: T0 + 999 })]);
  store.close();

  const again = new SqliteStore(path);
  t.teardown(() => again.close());
  const [first, second, third] = appended;
  t.strictSame(again.pending(), [first, { ...second, attempts: 3, nextAttemptAt: T0 + 999 }, third]);
  t.end();
});

t.test('the same event for the same rule is stored once', (t) => {
  const store = new SqliteStore(':memory:');
  t.equal(store.append([delivery('a', 1), delivery('a', 1)], T0).length, 1);
  t.equal(store.append([delivery('a', 1), delivery('a', 2)], T0 + 1).length, 1);
  store.record(store.pending().map(({ id }) => recordOf(id, 'delivered', T0)));
  t.strictSame(store.append([delivery('a', 1)], T0 + 2), [], 'also after it was delivered');
  t.end();
});

t.test('finished deliveries are no longer pending, are counted, and can be listed with what became of them', (t) => {
  const store = new SqliteStore(':memory:');
  const [a, b, c, d, e] = store.append(
    [1, 2, 3, 4, 5].map((n) => delivery('a', n)),
    T0,
  ) as { id: number }[];
  store.record([
    recordOf(a!.id, 'delivered', T0 + 10),
    recordOf(b!.id, 'dead', T0 + 20, { attempts: 15, status: 0, error: 'x'.repeat(5000) }),
    recordOf(c!.id, 'stale', T0 + 30, { attempts: 0, status: 0, error: 'too old' }),
    recordOf(d!.id, 'dead', T0 + 40, { attempts: 2, status: 404 }),
  ]);
  t.strictSame(store.counts(), { pending: 1, delivered: 1, stale: 1, dead: 2 });
  t.strictSame(
    store.pending().map(({ id }) => id),
    [e!.id],
  );
  t.strictSame(store.list('dead', 1), [
    {
      id: d!.id,
      eventId: 'a-4',
      ruleId: 'rule-1',
      event: 'dial-in',
      call: 'a',
      method: 'POST',
      url: 'http://127.0.0.1:9/hook?a=b',
      state: 'dead',
      attempts: 2,
      createdAt: T0,
      finishedAt: T0 + 40,
      lastStatus: 404,
      lastError: '',
    },
  ]);
  t.strictSame(
    store.list('dead', 100).map(({ eventId, lastError }) => [eventId, lastError?.length]),
    [
      ['a-4', 0],
      ['a-2', 500],
    ],
    'newest first; what a peer said is cut',
  );
  t.match(store.list('pending', 100), [{ finishedAt: null, lastStatus: null, lastError: null }]);
  t.end();
});

t.test('prune deletes what was finished before, oldest first, so many at a time, and events nobody refers to', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const store = new SqliteStore(path);
  const other = makeRule({ id: 'rule-2' });
  const ids = store
    .append([delivery('a', 1), delivery('a', 1, other), delivery('a', 2), delivery('a', 3), delivery('a', 4)], T0)
    .map(({ id }) => id);
  store.record([
    recordOf(ids[0]!, 'delivered', T0 + 30),
    recordOf(ids[2]!, 'dead', T0 + 10),
    recordOf(ids[3]!, 'stale', T0 + 20),
    recordOf(ids[4]!, 'delivered', T0 + 500),
  ]);
  t.equal(store.prune(T0 + 100, 2), 2);
  t.strictSame(store.counts(), { pending: 1, delivered: 2, stale: 0, dead: 0 }, 'the two oldest');
  t.equal(store.prune(T0 + 100, 2), 1);
  t.equal(store.prune(T0 + 100, 2), 0);
  t.strictSame(store.counts(), { pending: 1, delivered: 1, stale: 0, dead: 0 }, 'what is pending stays');
  store.close();
  const database = new DatabaseSync(path);
  const events = database.prepare('SELECT id FROM events ORDER BY id').all() as { id: string }[];
  database.close();
  t.strictSame(
    events.map(({ id }) => id),
    ['a-1', 'a-4'],
  );
  t.end();
});

t.test("a rule's headers, which may be secret, are not in the file", (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const store = new SqliteStore(path);
  store.append([delivery('a', 1)], T0);
  store.close();
  const bytes = readFileSync(path, 'latin1');
  t.ok(bytes.includes('CallAPIID=a'), 'the request is');
  t.notOk(bytes.includes('s3cret'));
  t.end();
});

t.test('a batch is stored as a whole or not at all', (t) => {
  const store = new SqliteStore(':memory:');
  const broken = { ...delivery('a', 2), ruleId: {} as string };
  t.throws(() => store.append([delivery('a', 1), broken], T0), StoreError);
  t.strictSame(store.pending(), []);
  t.equal(store.append([delivery('a', 1)], T0).length, 1, 'and the store goes on');
  t.end();
});

t.test('a file that is of no use: StoreError names it', (t) => {
  const folder = t.testdir({
    'text.db': 'This is not a database. '.repeat(100),
    'folder.db': {},
  });
  const newer = new DatabaseSync(join(folder, 'newer.db'));
  newer.exec('PRAGMA user_version = 99');
  newer.close();
  const foreign = new DatabaseSync(join(folder, 'foreign.db'));
  foreign.exec('CREATE TABLE other (x); PRAGMA user_version = 1');
  foreign.close();
  const table: [name: string, reason: RegExp][] = [
    ['text.db', /not a database/],
    ['folder.db', /unable to open/],
    ['nowhere/ringside.db', /unable to open/],
    ['newer.db', /newer version of Ringside \(schema 99\)/],
    ['foreign.db', /no such table/],
  ];
  for (const [name, reason] of table) {
    const path = join(folder, name);
    const error = catchError(() => new SqliteStore(path));
    t.type(error, StoreError, name);
    t.match(error?.message, reason);
    t.ok(error?.message.startsWith(`can't open the store ${path}: `), name);
  }
  t.end();
});

function catchError(run: () => void): Error | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

t.test('a file that was damaged, or may not be written', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const store = new SqliteStore(path);
  store.append(
    Array.from({ length: 200 }, (_, i) => delivery('a', i)),
    T0,
  );
  store.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, 4096));
  const reason = catchError(() => {
    const damaged = new SqliteStore(path);
    t.teardown(() => damaged.close());
    damaged.pending();
  });
  t.type(reason, StoreError);
  t.ok(reason?.message.includes(path));
  t.end();
});

const isRoot = process.getuid?.() === 0;
t.test('a file without write permission', { skip: isRoot && 'SKIPPED: root may write everywhere' }, (t) => {
  const path = join(t.testdir(), 'ringside.db');
  new SqliteStore(path).close();
  chmodSync(path, 0o400);
  t.throws(() => new SqliteStore(path), StoreError);
  t.end();
});

t.test('a file that another process holds: StoreError after a wait, and the batch is not lost to the caller', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const store = new SqliteStore(path, 50);
  t.teardown(() => store.close());
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const error = catchError(() => store.append([delivery('a', 1)], T0));
  t.type(error, StoreError);
  t.equal(error?.message, `can't write the store ${path}: database is locked`);
  other.exec('ROLLBACK');
  other.close();
  t.equal(store.append([delivery('a', 1)], T0).length, 1);
  t.end();
});

t.test('closed: StoreError, no crash', (t) => {
  const store = new SqliteStore(':memory:');
  store.close();
  t.throws(() => store.append([delivery('a', 1)], T0), StoreError);
  t.throws(() => store.pending(), StoreError);
  t.end();
});
