import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import type { AttemptRecord, DeliveryState, NewDelivery } from '../../src/deliveries/delivery.ts';
import { formatRequest } from '../../src/deliveries/request.ts';
import type { CallSnapshot } from '../../src/calls/snapshot.ts';
import type { DeliveryFilter } from '../../src/deliveries/delivery-records.ts';
import type { PendingDelivery, SqliteStore } from '../../src/deliveries/store.ts';
import { StoreError, StoreFile } from '../../src/deliveries/store-file.ts';
import { eventOf, makeRule, openStore, T0 } from './harness.ts';

const rule = makeRule({
  method: 'POST',
  url: 'http://127.0.0.1:9/hook?a=b',
  headers: { Authorization: 'Bearer s3cret' },
});

function delivery(id: number, call: string, sequence: number, more = rule): NewDelivery {
  const source = eventOf(call, sequence);
  return {
    id,
    eventId: `${call}-${sequence}`,
    ruleId: more.id,
    event: source.event,
    call,
    follows: undefined,
    createdAt: T0,
    requeuedAt: undefined,
    attempts: 0,
    nextAttemptAt: T0,
    request: formatRequest(source, more),
    source,
  };
}

const recordOf = (id: number, state: DeliveryState, at: number, more: Partial<AttemptRecord> = {}): AttemptRecord => ({
  id,
  state,
  attempts: 1,
  nextAttemptAt: at,
  at,
  durationMs: 12,
  status: 200,
  error: '',
  answer: '',
  ...more,
});

const append = (store: SqliteStore, ...deliveries: NewDelivery[]) =>
  store.commit({ deliveries, attempts: [], calls: undefined });
const record = (store: SqliteStore, ...attempts: AttemptRecord[]) =>
  store.commit({ deliveries: [], attempts, calls: undefined });

function pendingOf(store: SqliteStore): PendingDelivery[] {
  const pending: PendingDelivery[] = [];
  store.eachPending((one) => pending.push(one));
  return pending;
}

t.test('what was committed is there after the file was closed and opened again', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store } = openStore(path);
  const get = makeRule({ id: 'rule-2' });
  const whole = [delivery(1, 'a', 1), delivery(2, 'a', 1, get), { ...delivery(3, 'b', 1), follows: 'a' }];
  append(store, ...whole);
  record(store, recordOf(2, 'pending', T0 + 5, { attempts: 3, nextAttemptAt: T0 + 999 }));
  file.close();

  const again = openStore(path);
  t.teardown(() => again.file.close());
  t.strictSame(
    pendingOf(again.store).map(({ id, call, follows, nextAttemptAt, script }) => [
      ...[id, call, follows, nextAttemptAt, script],
    ]),
    [
      [1, 'a', undefined, T0, 'http://127.0.0.1:9/hook'],
      [2, 'a', undefined, T0 + 999, 'http://127.0.0.1:9/script'],
      [3, 'b', 'a', T0, 'http://127.0.0.1:9/hook'],
    ],
  );
  const { id, eventId, ruleId, call, request } = whole[1]!;
  const second = { id, eventId, ruleId, call, request, attempts: 3, createdAt: T0, nextAttemptAt: T0 + 999 };
  t.match(again.store.read(2), second);
  t.equal(again.store.read(99), undefined);
  t.equal(again.store.lastId(), 3);
  t.end();
});

t.test('the same event for the same rule is stored once', (t) => {
  const { store } = openStore();
  t.strictSame([...append(store, delivery(1, 'a', 1), delivery(2, 'a', 1))], [2]);
  t.strictSame([...append(store, delivery(3, 'a', 1), delivery(4, 'a', 2))], [3]);
  record(store, recordOf(1, 'delivered', T0), recordOf(4, 'delivered', T0));
  t.strictSame([...append(store, delivery(5, 'a', 1))], [5], 'also after it was delivered');
  t.end();
});

t.test('deliveries are counted, listed and shown with what became of them', (t) => {
  const { store, records } = openStore();
  append(store, ...[1, 2, 3, 4, 5].map((n) => delivery(n, 'a', n)), delivery(6, 'b', 1, makeRule({ id: 'other' })));
  record(store, recordOf(2, 'pending', T0 + 15, { status: 503, answer: 'busy', durationMs: 7 }));
  record(
    store,
    recordOf(1, 'delivered', T0 + 10, { answer: 'OK' }),
    recordOf(2, 'dead', T0 + 20, { attempts: 2, status: 0, error: 'x'.repeat(5000) }),
    recordOf(3, 'stale', T0 + 30, { attempts: 0, status: 0, error: 'too old', durationMs: undefined }),
    recordOf(4, 'dead', T0 + 40, { attempts: 2, status: 404 }),
  );
  t.strictSame(records.counts(), { pending: 2, delivered: 1, stale: 1, dead: 2 });
  t.strictSame(
    pendingOf(store).map(({ id }) => id),
    [5, 6],
  );
  t.strictSame(records.list({ states: ['dead'] }, 1), [
    {
      id: 4,
      eventId: 'a-4',
      ruleId: 'rule-1',
      event: 'dial-in',
      extension: '0003*102',
      call: 'a',
      method: 'POST',
      url: 'http://127.0.0.1:9/hook?a=b',
      state: 'dead',
      attempts: 2,
      createdAt: T0,
      nextAttemptAt: T0 + 40,
      finishedAt: T0 + 40,
      lastStatus: 404,
      lastError: '',
    },
  ]);
  const table: [filter: DeliveryFilter, ids: number[]][] = [
    [{}, [6, 5, 4, 3, 2, 1]],
    [{ states: ['dead', 'stale'] }, [4, 3, 2]],
    [{ states: [] }, []],
    [{ ids: [5, 1, 77] }, [5, 1]],
    [{ ruleId: 'other' }, [6]],
    [{ extension: '0003*102', call: 'b' }, [6]],
    [{ extension: '0003*999' }, []],
    [{ status: 404 }, [4]],
    [{ status: 0 }, [3, 2]],
    [{ since: T0 + 1 }, []],
    [{ since: T0, until: T0 + 1, before: 3 }, [2, 1]],
  ];
  for (const [filter, ids] of table) {
    t.strictSame(
      records.list(filter, 10).map(({ id }) => id),
      ids,
      JSON.stringify(filter),
    );
    t.equal(records.count(filter), ids.length);
  }
  t.match(records.show(2), {
    state: 'dead',
    contentType: 'application/x-www-form-urlencoded',
    body: /CallAPIID=a/,
    source: { event: 'dial-in', params: { CallAPIID: 'a' } },
    lastError: 'x'.repeat(500),
    history: [
      { at: T0 + 15, durationMs: 7, status: 503, error: '', answer: 'busy' },
      { at: T0 + 20, durationMs: 12, status: 0, error: 'x'.repeat(500), answer: '' },
    ],
  });
  t.strictSame(records.show(3)?.history, [], 'nothing was sent');
  t.equal(records.show(99), undefined);
  t.end();
});

t.test('sending again, and purging: finished ones only', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store, records } = openStore(path);
  t.teardown(() => file.close());
  append(store, ...[1, 2, 3, 4].map((n) => delivery(n, 'a', n)), delivery(5, 'a', 4, makeRule({ id: 'other' })));
  record(store, recordOf(2, 'dead', T0 + 20, { attempts: 9 }), recordOf(3, 'stale', T0), recordOf(4, 'delivered', T0));
  t.equal(records.requeue({ ids: [1, 2] }, T0 + 500), 1);
  t.match(store.read(2), { attempts: 0, nextAttemptAt: T0 + 500, requeuedAt: T0 + 500 });
  t.match(store.takeRequeued(), [{ id: 2, call: 'a' }]);
  t.strictSame(store.takeRequeued(), [], 'once');
  t.equal(records.requeue({ states: ['pending'] }, T0), 0);
  t.equal(records.purge({ states: ['delivered', 'pending'] }), 1);
  t.strictSame(records.counts(), { pending: 3, delivered: 0, stale: 1, dead: 0 });
  t.equal(records.purge({}), 1);
  const database = new DatabaseSync(path);
  t.strictSame(
    database
      .prepare('SELECT id FROM events ORDER BY id')
      .all()
      .map(({ id }) => id),
    ['a-1', 'a-2', 'a-4'],
    'events that others refer to stay',
  );
  t.strictSame(
    database
      .prepare('SELECT delivery FROM attempts')
      .all()
      .map((row) => row.delivery),
    [2],
  );
  database.close();
  t.end();
});

t.test('calls that are up are kept until they are over', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store } = openStore(path);
  const call = (id: string, dialled: string) => ({ id, dialled }) as CallSnapshot;
  const keep = (up: CallSnapshot[], over: string[]) =>
    store.commit({ deliveries: [], attempts: [], calls: { up, over } });
  keep([call('a', '1'), call('b', '1')], ['never kept']);
  keep([call('a', '2')], ['b']);
  file.close();
  const again = openStore(path);
  t.teardown(() => again.file.close());
  t.strictSame(again.store.calls(), [call('a', '2')]);
  again.store.commit({ deliveries: [], attempts: [], calls: { up: [], over: ['a'] } });
  t.strictSame(again.store.calls(), []);
  t.end();
});

t.test('a file of an older version is brought up to date with all that is in it', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store } = openStore(path);
  append(store, delivery(1, 'a', 1));
  file.close();
  const old = new DatabaseSync(path); // as version 2 left it
  old.exec(`DROP TABLE attempts; DROP TABLE calls; DROP TABLE IF EXISTS rules; DROP INDEX deliveries_pending; DROP INDEX deliveries_failed;
    DROP INDEX deliveries_requeued; DROP INDEX deliveries_call; ALTER TABLE deliveries DROP COLUMN call;
    ALTER TABLE deliveries DROP COLUMN follows; ALTER TABLE deliveries DROP COLUMN script; ALTER TABLE deliveries DROP COLUMN requeued_at;
    ALTER TABLE deliveries DROP COLUMN is_requeued; CREATE INDEX deliveries_state ON deliveries (state, id);
    PRAGMA user_version = 2`);
  old.close();
  const again = openStore(path);
  t.teardown(() => again.file.close());
  t.match(pendingOf(again.store), [{ id: 1, call: 'a', script: 'http://127.0.0.1:9/hook' }]);
  t.end();
});

t.test('prune deletes what was finished before, oldest first, so many at a time, and events nobody refers to', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store, records } = openStore(path);
  const other = makeRule({ id: 'rule-2' });
  append(store, delivery(1, 'a', 1), delivery(2, 'a', 1, other), ...[2, 3, 4].map((n) => delivery(n + 1, 'a', n)));
  record(
    store,
    recordOf(1, 'delivered', T0 + 30),
    recordOf(3, 'dead', T0 + 10),
    recordOf(4, 'stale', T0 + 20),
    recordOf(5, 'delivered', T0 + 500),
  );
  t.equal(store.prune(T0 + 100, 2), 2);
  t.strictSame(records.counts(), { pending: 1, delivered: 2, stale: 0, dead: 0 }, 'the two oldest');
  t.equal(store.prune(T0 + 100, 2), 1);
  t.equal(store.prune(T0 + 100, 2), 0);
  t.strictSame(records.counts(), { pending: 1, delivered: 1, stale: 0, dead: 0 }, 'what is pending stays');
  file.close();
  const database = new DatabaseSync(path);
  const events = database
    .prepare('SELECT id FROM events ORDER BY id')
    .all()
    .map(({ id }) => id);
  const attempts = database
    .prepare('SELECT delivery FROM attempts')
    .all()
    .map((row) => row.delivery);
  database.close();
  t.strictSame([events, attempts], [['a-1', 'a-4'], [5]]);
  t.end();
});

t.test("a rule's headers, which may be secret, are not in the file", (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store } = openStore(path);
  append(store, delivery(1, 'a', 1));
  file.close();
  const bytes = readFileSync(path, 'latin1');
  t.ok(bytes.includes('CallAPIID=a'), 'the request is');
  t.notOk(bytes.includes('s3cret'));
  t.end();
});

t.test('a batch is stored as a whole or not at all', (t) => {
  const { store } = openStore();
  const broken = { ...delivery(2, 'a', 2), ruleId: {} as string };
  t.throws(() => append(store, delivery(1, 'a', 1), broken), StoreError);
  t.strictSame(pendingOf(store), []);
  t.equal(append(store, delivery(1, 'a', 1)).size, 0, 'and the store goes on');
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
    const error = catchError(() => new StoreFile(path));
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
  const { file, store } = openStore(path);
  append(store, ...Array.from({ length: 200 }, (_, i) => delivery(i, 'a', i)));
  file.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0x5a, 4096));
  const reason = catchError(() => {
    const damaged = openStore(path);
    t.teardown(() => damaged.file.close());
    pendingOf(damaged.store);
  });
  t.type(reason, StoreError);
  t.ok(reason?.message.includes(path));
  t.end();
});

const isRoot = process.getuid?.() === 0;
t.test('a file without write permission', { skip: isRoot && 'SKIPPED: root may write everywhere' }, (t) => {
  const path = join(t.testdir(), 'ringside.db');
  new StoreFile(path).close();
  chmodSync(path, 0o400);
  t.throws(() => new StoreFile(path), StoreError);
  t.end();
});

t.test('a file that another process holds: StoreError after a wait, and the batch is not lost to the caller', (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { file, store } = openStore(path, 50);
  t.teardown(() => file.close());
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  const error = catchError(() => append(store, delivery(1, 'a', 1)));
  t.type(error, StoreError);
  t.equal(error?.message, `can't write the store ${path}: database is locked`);
  other.exec('ROLLBACK');
  other.close();
  t.equal(append(store, delivery(1, 'a', 1)).size, 0);
  t.end();
});

t.test('closed: StoreError, no crash', (t) => {
  const { file, store, records } = openStore();
  file.close();
  t.throws(() => append(store, delivery(1, 'a', 1)), StoreError);
  t.throws(() => pendingOf(store), StoreError);
  t.throws(() => records.list({}, 1), StoreError);
  t.end();
});
