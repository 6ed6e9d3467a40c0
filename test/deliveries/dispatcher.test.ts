import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { CallEvent } from '../../src/calls/event.ts';
import type { CallSnapshot } from '../../src/calls/snapshot.ts';
import { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import type { DeliveryOptions } from '../../src/deliveries/dispatcher-parts.ts';
import type { AttemptOutcome } from '../../src/deliveries/retry.ts';
import { StoreError } from '../../src/deliveries/store-file.ts';
import type { Rule } from '../../src/rules/rule.ts';
import {
  eventOf,
  FakeClock,
  FakeLog,
  FakeSender,
  finishTurns,
  makeEvent,
  makeRule,
  openStore,
  OPTIONS,
  T0,
} from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

const call = (id: string): CallSnapshot => ({ id, dialled: '', did: '', fields: {}, parties: [], legs: [] });

interface SetupOptions {
  options?: Partial<DeliveryOptions>;
  rules?: readonly Rule[];
  path?: string;
  clock?: FakeClock;
}

function setUp(
  t: Test,
  { options, rules = [makeRule()], path = ':memory:', clock = new FakeClock() }: SetupOptions = {},
) {
  const { file, store, records } = openStore(path);
  const sender = new FakeSender();
  const log = new FakeLog();
  const findRule = (id: string) => rules.find((rule) => rule.id === id);
  const dispatcher = new Dispatcher({ ...OPTIONS, ...options }, { store, sender, findRule, log, clock });
  t.teardown(() => dispatcher.stop(0));
  const publish = (...events: CallEvent[]) => dispatcher.publish(events.map((event) => ({ event, rules })));
  return { file, store, records, sender, log, clock, dispatcher, publish };
}

/** Path and Sequence of what was sent, in order. */
const sentOf = ({ sent }: FakeSender): string[] =>
  sent.map(({ url }) => `${new URL(url).pathname} ${new URL(url).searchParams.get('EventID')}`);

const scriptRule = (path: string, more: Partial<Rule> = {}): Rule =>
  makeRule({ id: `rule ${path}`, url: `http://127.0.0.1:9${path}`, extras: ['EventID'], ...more });

t.test('an event goes to every rule it is for, with the headers of each', async (t) => {
  const rules = [scriptRule('/a', { headers: { 'X-Token': 'a' } }), scriptRule('/b')];
  const { dispatcher, publish, sender, records } = setUp(t, { rules });
  dispatcher.start();
  publish(eventOf('x', 1));
  t.ok(await dispatcher.settle(5000));
  t.strictSame(sentOf(sender), ['/a x-1', '/b x-1']);
  t.strictSame(
    sender.sent.map(({ headers }) => headers),
    [{ 'X-Token': 'a' }, {}],
  );
  t.strictSame(dispatcher.finished, { delivered: 2, stale: 0, dead: 0 });
  await finishTurns();
  t.strictSame(records.counts(), { pending: 0, delivered: 2, stale: 0, dead: 0 });
});

t.test('what comes in one turn of the event loop is one transaction, committed before anything is sent', async (t) => {
  const { dispatcher, publish, sender, store, records } = setUp(t);
  const appended: number[] = [];
  const commit = store.commit.bind(store);
  store.commit = (batch) => {
    const count = [...batch.deliveries].length;
    if (count > 0) appended.push(count);
    return commit(batch);
  };
  const pendingWhenSent: number[] = [];
  sender.answer = () => {
    pendingWhenSent.push(records.counts().pending);
    return { status: 200 };
  };
  dispatcher.start();
  publish(eventOf('x', 1), eventOf('y', 1));
  publish(eventOf('z', 1));
  t.equal(sender.sent.length, 0);
  t.ok(await dispatcher.settle(5000));
  t.strictSame(appended, [3]);
  t.strictSame(pendingWhenSent, [3, 3, 3]);
});

t.test('the schedule: each wait with half jitter, then a dead letter', async (t) => {
  const { dispatcher, publish, sender, records, clock, log } = setUp(t);
  const times: number[] = [];
  sender.answer = () => {
    times.push(clock.now() - T0);
    clock.chance = times.length / 4;
    return { error: 'ECONNREFUSED' };
  };
  dispatcher.start();
  publish(eventOf('x', 1, 'hangup'));
  await clock.advance(HOUR);
  // After attempt n chance is n/4: 1 s × (1/2 + 1/8), 2 s × (1/2 + 2/8), 5 s × (1/2 + 3/8).
  t.strictSame(times, [0, 625, 625 + 1500, 625 + 1500 + 4375]);
  t.strictSame(dispatcher.finished, { delivered: 0, stale: 0, dead: 1 });
  t.equal(dispatcher.retried, 3);
  t.equal(dispatcher.pending, 0);
  t.match(records.list({ states: ['dead'] }, 10), [
    { eventId: 'x-1', attempts: 4, lastStatus: 0, lastError: 'ECONNREFUSED', finishedAt: T0 + 6500 },
  ]);
  t.strictSame(
    log.lines.map(({ level, message }) => `${level}: ${message}`),
    [
      'warn: delivery failed; next attempt in 1 s',
      'warn: delivery failed; next attempt in 2 s',
      'warn: delivery failed; next attempt in 5 s',
      'error: delivery dead',
    ],
  );
});

t.test('the default schedule takes a Hangup through an outage of most of a day', async (t) => {
  const waits = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18_000, 36_000];
  const { dispatcher, publish, sender, clock } = setUp(t, {
    rules: [makeRule({ scheduleMs: waits.map((s) => s * SECOND) })],
  });
  sender.answer = () => (clock.now() < T0 + 13 * HOUR ? { status: 503 } : { status: 200 });
  dispatcher.start();
  publish(eventOf('x', 1, 'hangup'));
  await clock.advance(24 * HOUR);
  t.strictSame(dispatcher.finished, { delivered: 1, stale: 0, dead: 0 });
  t.equal(sender.sent.length, 15);
});

t.test('Retry-After is honoured', async (t) => {
  const { dispatcher, publish, sender, clock } = setUp(t);
  sender.answer = () => (sender.sent.length === 1 ? { status: 429, retryAfterMs: 30 * SECOND } : { status: 200 });
  dispatcher.start();
  publish(eventOf('x', 1));
  await clock.advance(29_999);
  t.equal(sender.sent.length, 1);
  await clock.advance(1);
  t.equal(sender.sent.length, 2);
});

t.test('a Dial that did not arrive in time is stale, and what follows it in its call goes on', async (t) => {
  const { dispatcher, publish, sender, clock, records } = setUp(t, {
    rules: [scriptRule('/a', { scheduleMs: [20 * SECOND, 20 * SECOND, 20 * SECOND, 20 * SECOND, 20 * SECOND] })],
  });
  clock.chance = 1;
  sender.answer = ({ url }) => (url.includes('x-1') ? { status: 500 } : { status: 200 });
  dispatcher.start();
  publish(eventOf('x', 1, 'dial-in'), eventOf('x', 2, 'hangup'));
  await clock.advance(HOUR);
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-1', '/a x-1', '/a x-1', '/a x-2']);
  t.strictSame(dispatcher.finished, { delivered: 1, stale: 1, dead: 0 });
  t.match(records.list({ states: ['stale'] }, 10), [
    { eventId: 'x-1', attempts: 4, lastStatus: 500, finishedAt: T0 + 60 * SECOND },
  ]);
});

t.test('a Dial that grew old behind another is not sent at all; a Hangup is', async (t) => {
  const { dispatcher, publish, sender, clock, records } = setUp(t, { rules: [scriptRule('/a')] });
  let answer: ((outcome: AttemptOutcome) => void) | undefined;
  sender.answer = () => new Promise((resolve) => (answer = resolve));
  dispatcher.start();
  publish(eventOf('x', 1), eventOf('x', 2, 'answer-in'), eventOf('x', 3, 'hangup'));
  await clock.advance(61 * SECOND);
  sender.answer = () => ({ status: 200 });
  answer!({ status: 200 });
  await finishTurns();
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-3']);
  t.match(records.list({ states: ['stale'] }, 10), [{ eventId: 'x-2', attempts: 0, lastError: 'too old' }]);
});

t.test(
  'within a call and a script, whatever its query, nothing overtakes; other calls and scripts go on',
  async (t) => {
    const rules = [scriptRule('/a?type=0', { id: '1' }), scriptRule('/a?type=2', { id: '2' }), scriptRule('/b')];
    const { dispatcher, publish, sender, clock } = setUp(t, { rules });
    let isDown = true;
    sender.answer = ({ url }) =>
      isDown && url.includes('/a?') && url.includes('=x-') ? { status: 503 } : { status: 200 };
    dispatcher.start();
    dispatcher.publish([
      { event: eventOf('x', 1), rules: [rules[0]!, rules[2]!] },
      { event: eventOf('x', 2, 'hangup'), rules: [rules[1]!, rules[2]!] },
    ]);
    publish(eventOf('y', 1));
    await finishTurns();
    t.strictSame(sentOf(sender).sort(), ['/a x-1', '/a y-1', '/a y-1', '/b x-1', '/b x-2', '/b y-1']);
    isDown = false;
    await clock.advance(SECOND);
    t.strictSame(sentOf(sender).slice(6), ['/a x-1', '/a x-2']);
  },
);

t.test('so many requests to one script at a time; a script that hangs delays no other', async (t) => {
  const rules = [scriptRule('/slow'), scriptRule('/quick')];
  const { dispatcher, publish, sender } = setUp(t, { rules, options: { concurrencyPerScript: 3 } });
  const held: (() => void)[] = [];
  sender.answer = ({ url }) =>
    url.includes('/slow') ? new Promise((resolve) => held.push(() => resolve({ status: 200 }))) : { status: 200 };
  dispatcher.start();
  for (let i = 0; i < 10; i++) publish(eventOf(`call${i}`, 1));
  await finishTurns();
  t.equal(held.length, 3);
  t.equal(sentOf(sender).filter((sent) => sent.startsWith('/quick')).length, 10);
  held[0]!();
  await finishTurns();
  t.equal(held.length, 4, 'one done, one more');
});

interface Plan {
  /** Which call, and which of the scripts, each event is for. */
  readonly events: readonly { call: number; scripts: number }[];
  /** Status of each attempt, and how many turns it takes. */
  readonly attempts: readonly { status: number; turns: number }[];
}

const plans: fc.Arbitrary<Plan> = fc.record({
  events: fc.array(fc.record({ call: fc.nat(3), scripts: fc.integer({ min: 1, max: 7 }) }), {
    minLength: 1,
    maxLength: 25,
  }),
  attempts: fc.array(fc.record({ status: fc.constantFrom(200, 200, 200, 404, 503), turns: fc.nat(4) }), {
    minLength: 1,
    maxLength: 20,
  }),
});

t.test('whatever fails and however long it takes: order, limit, and nothing lost', async (t) => {
  const rules = [scriptRule('/a?x=1', { id: '1' }), scriptRule('/a?x=2', { id: '2' }), scriptRule('/b')];
  await fc.assert(
    fc.asyncProperty(plans, async ({ events, attempts }) => {
      const { dispatcher, sender, records, clock } = setUp(t, { rules, options: { concurrencyPerScript: 2 } });
      const active = new Map<string, number>();
      let mostActive = 0;
      sender.answer = async ({ url }) => {
        const script = new URL(url).pathname;
        const { status, turns } = attempts[sender.sent.length % attempts.length]!;
        active.set(script, (active.get(script) ?? 0) + 1);
        mostActive = Math.max(mostActive, active.get(script)!);
        for (let turn = 0; turn < turns; turn++) await nextTurn();
        active.set(script, active.get(script)! - 1);
        return { status };
      };
      dispatcher.start();
      for (const [i, { call, scripts }] of events.entries()) {
        const chosen = rules.filter((_, bit) => scripts & (1 << bit));
        dispatcher.publish([{ event: eventOf(`call${call}`, i, 'hangup'), rules: chosen }]);
        if (i % 5 === 4) await nextTurn();
      }
      while (dispatcher.pending > 0) await clock.advance(HOUR);
      await finishTurns();
      const { delivered, dead, pending } = records.counts();
      const expected = events.reduce(
        (sum, { scripts }) => sum + rules.filter((_, bit) => scripts & (1 << bit)).length,
        0,
      );
      return mostActive <= 2 && isOrdered(sentOf(sender)) && pending === 0 && delivered + dead === expected;
    }),
    { numRuns: 60 },
  );
  t.pass('60 plans');
});

/** Whether within each script and call no event was sent after a later one. */
function isOrdered(sent: readonly string[]): boolean {
  const latest = new Map<string, number>();
  return sent.every((line) => {
    const [, lane, sequence] = /^(.*)-(\d+)$/.exec(line)!;
    const isInOrder = Number(sequence) >= (latest.get(lane!) ?? 0);
    latest.set(lane!, Number(sequence));
    return isInOrder;
  });
}

t.test('what is stored before already is left out, and the log says so', async (t) => {
  const { dispatcher, publish, sender, log } = setUp(t);
  dispatcher.start();
  publish(makeEvent());
  await finishTurns();
  publish(makeEvent());
  await finishTurns();
  t.equal(sender.sent.length, 1);
  const told = log.lines.filter(({ level }) => level === 'warn');
  t.match(told, [{ message: 'deliveries left out: the same events were stored before', fields: { known: 1 } }]);
});

t.test('one too many is dropped, counted and logged', async (t) => {
  const { dispatcher, publish, sender, log } = setUp(t, { options: { maxPending: 3 } });
  sender.answer = () => new Promise(() => {});
  dispatcher.start();
  publish(eventOf('a', 1), eventOf('b', 1));
  await finishTurns();
  publish(eventOf('c', 1), eventOf('d', 1), eventOf('e', 1));
  t.equal(dispatcher.pending, 3);
  t.equal(dispatcher.dropped, 2);
  t.strictSame(log.lines, [
    { level: 'error', message: 'deliveries dropped: too many are pending', fields: { dropped: 2, pending: 3 } },
  ]);
  await finishTurns();
  t.equal(sender.sent.length, 3);
});

t.test('a rule that is gone leaves a dead letter', async (t) => {
  const rules = [scriptRule('/a')];
  const { dispatcher, publish, sender, records } = setUp(t, { rules });
  dispatcher.start();
  publish(eventOf('x', 1));
  rules.length = 0;
  await finishTurns();
  t.equal(sender.sent.length, 0);
  t.match(records.list({ states: ['dead'] }, 10), [{ eventId: 'x-1', lastError: 'its rule is gone' }]);
});

t.test('a 410 disables the rule, and no other, until the configuration changes', async (t) => {
  const rules = [scriptRule('/gone'), scriptRule('/b')];
  const { dispatcher, publish, sender, records, log } = setUp(t, { rules });
  sender.answer = ({ url }) => ({ status: url.includes('/gone') ? 410 : 200 });
  dispatcher.start();
  publish(eventOf('x', 1), eventOf('x', 2), eventOf('y', 1));
  await finishTurns();
  t.strictSame(sentOf(sender).sort(), ['/b x-1', '/b x-2', '/b y-1', '/gone x-1', '/gone y-1'], 'y-1 was under way');
  t.match(
    records
      .list({ states: ['dead'] }, 10)
      .map(({ eventId, lastStatus, lastError }) => [eventId, lastStatus, lastError]),
    [
      ['y-1', 410, ''],
      ['x-2', 0, 'its rule is disabled by a 410'],
      ['x-1', 410, ''],
    ],
  );
  publish(eventOf('z', 1));
  await finishTurns();
  t.strictSame(sentOf(sender).at(-1), '/b z-1');
  t.equal(records.list({ states: ['dead'] }, 10).length, 3, 'what comes later is not even stored');
  const told = log.lines.filter(({ message }) => message.startsWith('rule disabled'));
  t.match(told, [{ level: 'error', fields: { rule: 'rule /gone', url: 'http://127.0.0.1:9/gone' } }]);
  t.equal(told.length, 1, 'told once');

  sender.answer = () => ({ status: 200 });
  rules[0] = { ...rules[0]! };
  publish(eventOf('z', 2));
  await finishTurns();
  t.strictSame(sentOf(sender).slice(-2).sort(), ['/b z-2', '/gone z-2'], 'the configuration was read anew');
});

t.test('the log tells no query and no header', async (t) => {
  const rules = [scriptRule('/a?key=s3cret', { headers: { Authorization: 's3cret' } })];
  const { dispatcher, publish, sender, log, clock } = setUp(t, { rules });
  sender.answer = () => ({ status: 500 });
  dispatcher.start();
  publish(eventOf('x', 1));
  await clock.advance(HOUR);
  t.equal(log.lines.length, 4);
  t.match(log.lines[0]!.fields, {
    event: 'dial-in',
    eventId: 'x-1',
    url: 'http://127.0.0.1:9/a',
    attempts: 1,
    status: 500,
  });
  t.notMatch(JSON.stringify(log.lines), /s3cret|15551234567/);
});

t.test('a restart goes on where it was: same EventID, same request, at the time it was due', async (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const clock = new FakeClock();
  const rule = scriptRule('/a');
  const first = setUp(t, { path, clock, rules: [rule] });
  first.sender.answer = () => ({ error: 'ECONNREFUSED' });
  first.dispatcher.start();
  first.publish(eventOf('x', 1, 'hangup'), eventOf('x', 2, 'hangup'));
  await finishTurns();
  await first.dispatcher.stop(0);
  first.file.close();
  t.strictSame(sentOf(first.sender), ['/a x-1']);

  const changed = { ...rule, extras: [], headers: { 'X-Token': 'new' } };
  const second = setUp(t, { path, clock, rules: [changed] });
  second.dispatcher.start();
  second.publish(eventOf('x', 3, 'hangup'));
  await clock.advance(749);
  t.strictSame(sentOf(second.sender), [], 'not due yet, and nothing overtakes it');
  await clock.advance(1);
  t.strictSame(sentOf(second.sender), ['/a x-1', '/a x-2', '/a null']);
  t.strictSame(second.sender.sent[0], { url: first.sender.sent[0]!.url, headers: { 'X-Token': 'new' } });
});

t.test('what was published before the start is sent once, after what an earlier run left', async (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const rules = [scriptRule('/a')];
  const first = setUp(t, { path, rules });
  first.publish(eventOf('x', 1));
  await first.dispatcher.stop(0);
  first.file.close();

  const { dispatcher, publish, sender } = setUp(t, { path, rules });
  publish(eventOf('x', 2));
  await finishTurns();
  t.strictSame(sentOf(sender), []);
  dispatcher.start();
  await finishTurns();
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-2']);
});

t.test('very many that are too old, or wait, at a restart', async (t) => {
  const COUNT = 5000; // deep enough to end a stack
  for (const event of ['dial-in', 'hangup'] as const) {
    const path = join(t.testdir(), `${event}.db`);
    const clock = new FakeClock();
    const first = setUp(t, { path, clock });
    first.publish(...Array.from({ length: COUNT }, (_, i) => eventOf(`call${i}`, 1, event)));
    await first.dispatcher.stop(0);
    const attempts = first.records.list({}, COUNT).map(({ id }) => ({
      ...{ id, state: 'pending' as const, attempts: 1, nextAttemptAt: T0 + 2 * HOUR, at: T0 },
      ...{ durationMs: 1, status: 0, error: '', answer: '' },
    }));
    first.store.commit({ deliveries: [], attempts, calls: undefined });
    first.file.close();
    await clock.advance(HOUR);
    const { dispatcher, records } = setUp(t, { path, clock });
    dispatcher.start();
    await clock.advance(HOUR - 1);
    t.equal(records.counts().pending, COUNT, 'not due yet');
    await clock.advance(5 * SECOND); // nobody needs it to the second
    t.ok(await dispatcher.settle(30_000));
    await finishTurns();
    t.strictSame(records.counts(), {
      pending: 0,
      delivered: event === 'hangup' ? COUNT : 0,
      stale: event === 'dial-in' ? COUNT : 0,
      dead: 0,
    });
  }
});

t.test('stop lets what is under way finish, sends nothing new, and keeps the rest', async (t) => {
  const { dispatcher, publish, sender, records } = setUp(t, { rules: [scriptRule('/a')] });
  let answer: ((outcome: AttemptOutcome) => void) | undefined;
  sender.answer = () => new Promise((resolve) => (answer = resolve));
  dispatcher.start();
  publish(eventOf('x', 1), eventOf('x', 2));
  await finishTurns();
  publish(eventOf('y', 1));
  const stopped = dispatcher.stop(60_000);
  answer!({ status: 200 });
  await stopped;
  t.strictSame(sentOf(sender), ['/a x-1']);
  t.strictSame(records.counts(), { pending: 2, delivered: 1, stale: 0, dead: 0 });
});

t.test('what the stop breaks off did not fail: it is sent again at the next start', async (t) => {
  const { dispatcher, publish, sender, records, log } = setUp(t, { rules: [makeRule({ scheduleMs: [] })] });
  let answer: ((outcome: AttemptOutcome) => void) | undefined;
  sender.answer = () => new Promise((resolve) => (answer = resolve));
  sender.onClose = () => answer!({ error: 'The client is destroyed' });
  dispatcher.start();
  publish(eventOf('x', 1));
  await finishTurns();
  await dispatcher.stop(1);
  await finishTurns();
  t.match(records.list({}, 10), [{ eventId: 'x-1', state: 'pending', attempts: 0 }]);
  t.strictSame(dispatcher.finished, { delivered: 0, stale: 0, dead: 0 });
  t.strictSame(log.lines, []);
});

t.test('settle tells whether everything is done', async (t) => {
  const { dispatcher, publish, sender } = setUp(t);
  dispatcher.start();
  t.equal(await dispatcher.settle(0), true);
  let answer: ((outcome: AttemptOutcome) => void) | undefined;
  sender.answer = () => new Promise((resolve) => (answer = resolve));
  publish(eventOf('x', 1));
  await finishTurns();
  t.equal(await dispatcher.settle(0), false);
  const settled = dispatcher.settle(60_000);
  answer!({ status: 200 });
  t.equal(await settled, true);
});

t.test('while the store fails, events are sent from memory, in order, and stored when it works again', async (t) => {
  const { dispatcher, publish, sender, store, records, clock, log } = setUp(t, { rules: [scriptRule('/a')] });
  dispatcher.start();
  publish(eventOf('x', 1));
  await finishTurns();
  const commit = store.commit.bind(store);
  store.commit = () => {
    throw new StoreError("can't write the store: disk full");
  };
  publish(eventOf('x', 2));
  await finishTurns();
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-2']);
  t.equal(dispatcher.storeFailure, "can't write the store: disk full");
  sender.answer = ({ url }) => ({ status: url.includes('x-3') ? 503 : 200 });
  publish(eventOf('x', 3, 'hangup'), eventOf('x', 4, 'hangup'));
  await clock.advance(2500);
  t.ok(log.lines.filter(({ message }) => message.startsWith('the store failed')).length >= 3, 'loud each second');
  store.commit = commit;
  sender.answer = () => ({ status: 200 });
  await clock.advance(10 * SECOND);
  t.strictSame(sentOf(sender).slice(-2), ['/a x-3', '/a x-4']);
  t.equal(dispatcher.storeFailure, undefined);
  t.strictSame(records.counts(), { pending: 0, delivered: 4, stale: 0, dead: 0 });
  t.equal(log.lines.filter(({ message }) => message === 'the store works again').length, 1);
});

t.test('the disk is full: what does not fit is sent from memory, and stored when there is room', async (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { dispatcher, publish, sender, file, records, clock, log } = setUp(t, { path, rules: [scriptRule('/a')] });
  dispatcher.start();
  file.read('PRAGMA max_page_count = 1'); // no more than there are now
  const events = Array.from({ length: 300 }, (_, i) => eventOf(`call${i}`, 1, 'hangup'));
  for (const event of events) {
    publish(event);
    await finishTurns();
  }
  t.match(dispatcher.storeFailure, /database or disk is full/);
  t.equal(sender.sent.length, 300);
  t.ok(records.counts().delivered < 300);
  file.read('PRAGMA max_page_count = 1000000');
  await clock.advance(2 * SECOND);
  t.equal(dispatcher.storeFailure, undefined);
  t.strictSame(records.counts(), { pending: 0, delivered: 300, stale: 0, dead: 0 });
  t.ok(log.lines.some(({ message }) => message === 'the store works again'));
});

t.test('a delivery that can not be read waits till it can', async (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const first = setUp(t, { path, rules: [scriptRule('/a')] });
  first.publish(eventOf('x', 1, 'hangup'));
  await first.dispatcher.stop(0);
  first.file.close();
  const { dispatcher, sender, store, clock } = setUp(t, { path, rules: [scriptRule('/a')] });
  const read = store.read.bind(store);
  store.read = () => {
    throw new StoreError("can't read the store: disk I/O error");
  };
  dispatcher.start();
  await clock.advance(2500);
  t.strictSame(sentOf(sender), []);
  store.read = read;
  await clock.advance(SECOND);
  t.strictSame(sentOf(sender), ['/a x-1']);
});

t.test('what became of calls is committed with their events', async (t) => {
  const { store, records } = openStore();
  const taken: boolean[] = [];
  const takeCalls = (all: boolean) => {
    taken.push(all);
    return { up: [], over: ['x'] };
  };
  const rule = makeRule();
  const parts = { store, takeCalls, sender: new FakeSender(), findRule: () => rule, log: new FakeLog() };
  const dispatcher = new Dispatcher(OPTIONS, { ...parts, clock: new FakeClock() });
  t.teardown(() => dispatcher.stop(0));
  dispatcher.start();
  const batches: unknown[] = [];
  const commit = store.commit.bind(store);
  store.commit = (batch) => {
    batches.push([[...batch.deliveries].length, batch.calls]);
    return commit(batch);
  };
  dispatcher.publish([{ event: eventOf('x', 1), rules: [rule] }]);
  await finishTurns();
  dispatcher.keepCalls();
  await finishTurns();
  t.strictSame(taken, [false, true]);
  t.match(batches, [
    [1, { over: ['x'] }],
    [0, undefined],
    [0, { over: ['x'] }],
  ]);
  t.equal(records.counts().delivered, 1);
});

t.test(
  'what became of calls that nothing is sent of is committed soon, and not lost while the store fails',
  async (t) => {
    const { store } = openStore();
    const changes = [
      { up: [call('a'), call('b')], over: ['x'] },
      { up: [call('c')], over: ['b'] },
    ];
    const takeCalls = () => changes.shift() ?? { up: [], over: [] };
    const clock = new FakeClock();
    const parts = { store, takeCalls, sender: new FakeSender(), findRule: () => undefined, log: new FakeLog(), clock };
    const dispatcher = new Dispatcher(OPTIONS, parts);
    t.teardown(() => dispatcher.stop(0));
    dispatcher.start();
    await finishTurns();
    const commit = store.commit.bind(store);
    store.commit = () => {
      throw new StoreError("can't write the store: disk full");
    };
    dispatcher.publish([{ event: eventOf('a', 1), rules: [] }]);
    await clock.advance(99);
    t.equal(dispatcher.storeFailure, undefined, 'not yet');
    await clock.advance(1);
    t.equal(dispatcher.storeFailure, "can't write the store: disk full");
    store.commit = commit;
    await clock.advance(2 * SECOND);
    t.equal(dispatcher.storeFailure, undefined);
    t.strictSame(
      store.calls().map(({ id }) => id),
      ['a', 'c'],
    );
  },
);

t.test('a script that fails is left alone, and tried by one delivery at a time', async (t) => {
  const breaker = { failures: 3, minWaitMs: SECOND, maxWaitMs: 4 * SECOND };
  const { dispatcher, publish, sender, clock, log } = setUp(t, {
    rules: [scriptRule('/a', { scheduleMs: [MINUTE, MINUTE] }), scriptRule('/b')],
    options: { breaker, concurrencyPerScript: 3 },
  });
  const attempts: number[] = [];
  let isDown = true;
  sender.answer = ({ url }) => {
    if (!url.includes('/a')) return { status: 200 };
    attempts.push(clock.now() - T0);
    return isDown ? { error: 'ECONNREFUSED' } : { status: 200 };
  };
  dispatcher.start();
  publish(...Array.from({ length: 20 }, (_, i) => eventOf(`call${i}`, 1, 'hangup')));
  await finishTurns();
  t.strictSame(attempts, [0, 0, 0, 0, 0], 'three that failed, and two that were under way');
  t.match(dispatcher.scripts(), [{ url: 'http://127.0.0.1:9/a', pending: 20, breaker: 'open', failures: 5 }]);
  await clock.advance(12 * SECOND);
  t.strictSame(attempts.slice(5), [SECOND, 3 * SECOND, 7 * SECOND, 11 * SECOND], 'each wait twice as long, up to 4 s');
  t.equal(sentOf(sender).filter((sent) => sent.startsWith('/b')).length, 20, 'others go on');
  isDown = false;
  await clock.advance(5 * MINUTE);
  t.equal(dispatcher.pending, 0);
  t.strictSame(dispatcher.finished, { delivered: 40, stale: 0, dead: 0 });
  t.match(
    log.lines.filter(({ message }) => message.startsWith('script ')).map(({ message }) => message),
    ['script fails: one delivery at a time tries it', 'script works again'],
  );
});

t.test('what waits too long for a script that fails is given up', async (t) => {
  const breaker = { failures: 1, minWaitMs: MINUTE, maxWaitMs: MINUTE };
  const { dispatcher, publish, sender, clock, records } = setUp(t, {
    rules: [scriptRule('/a', { scheduleMs: [MINUTE, MINUTE, MINUTE, MINUTE, MINUTE] })],
    options: { breaker, concurrencyPerScript: 1 },
  });
  sender.answer = () => ({ status: 503 });
  dispatcher.start();
  publish(...['a', 'b', 'c', 'd'].map((call) => eventOf(call, 1, 'hangup')), eventOf('e', 1, 'dial-in'));
  await clock.advance(HOUR);
  t.equal(dispatcher.pending, 0);
  t.strictSame(records.counts(), { pending: 0, delivered: 0, stale: 1, dead: 4 });
  t.ok(records.list({}, 10).some(({ lastError }) => lastError === 'its script failed for too long'));
});

t.test('what is too old while its script is left alone is told so at once, and what follows it waits on', async (t) => {
  const breaker = { failures: 1, minWaitMs: HOUR, maxWaitMs: HOUR };
  const { dispatcher, publish, sender, clock, records } = setUp(t, {
    rules: [scriptRule('/a', { staleAfterMs: MINUTE, scheduleMs: [HOUR, HOUR, HOUR] })],
    options: { breaker, concurrencyPerScript: 1 },
  });
  sender.answer = () => ({ status: 503 });
  dispatcher.start();
  publish(eventOf('first', 1, 'hangup'));
  await finishTurns();
  publish(eventOf('a', 1, 'dial-in'), eventOf('a', 2, 'hangup'), eventOf('b', 1, 'dial-out'));
  await clock.advance(30 * SECOND);
  publish(eventOf('first', 2, 'answer-in'), eventOf('c', 1, 'dial-in'), eventOf('c', 2, 'answer-in'));
  await finishTurns();
  const waiting = (): string[] => records.list({ states: ['pending'] }, 10).map(({ eventId }) => eventId);
  t.strictSame(waiting(), ['c-2', 'c-1', 'first-2', 'b-1', 'a-2', 'a-1', 'first-1']);
  await clock.advance(29 * SECOND);
  t.equal(dispatcher.pending, 7);
  await clock.advance(2 * SECOND);
  t.strictSame(waiting(), ['c-2', 'c-1', 'first-2', 'a-2', 'first-1']);
  await clock.advance(30 * SECOND);
  t.strictSame(waiting(), ['a-2', 'first-1'], 'also behind a Hangup that waits for its next attempt');
  t.strictSame(dispatcher.finished, { delivered: 0, stale: 5, dead: 0 });
  t.match(dispatcher.scripts(), [{ pending: 2 }]);
  sender.answer = () => ({ status: 200 });
  publish(eventOf('b', 2, 'hangup'));
  await clock.advance(2 * HOUR);
  t.strictSame(dispatcher.finished, { delivered: 3, stale: 5, dead: 0 });
  t.strictSame(sentOf(sender), ['/a first-1', '/a first-1', '/a a-2', '/a b-2']);
  t.equal(dispatcher.pending, 0);
});

t.test('so many requests a second to one script', async (t) => {
  const { dispatcher, publish, sender, clock } = setUp(t, {
    rules: [scriptRule('/slow'), scriptRule('/quick')],
    options: { ratePerScript: 100, scripts: new Map([['http://127.0.0.1:9/slow', { rate: 2, concurrency: 1 }]]) },
  });
  dispatcher.start();
  publish(...Array.from({ length: 5 }, (_, i) => eventOf(`call${i}`, 1)));
  const times: number[] = [];
  sender.answer = ({ url }) => {
    if (url.includes('/slow')) times.push(clock.now() - T0);
    return { status: 200 };
  };
  await clock.advance(10 * SECOND);
  t.strictSame(times, [0, 500, 1000, 1500, 2000]);
  t.equal(dispatcher.pending, 0);
});

t.test('one script may fill its share of the queue only', async (t) => {
  const rules = [scriptRule('/dead'), scriptRule('/b')];
  const { dispatcher, publish, sender } = setUp(t, { rules, options: { maxPendingPerScript: 3 } });
  sender.answer = ({ url }) => (url.includes('/dead') ? new Promise(() => {}) : { status: 200 });
  dispatcher.start();
  for (let i = 0; i < 10; i++) {
    publish(eventOf(`call${i}`, 1));
    await finishTurns();
  }
  t.equal(dispatcher.dropped, 7);
  t.equal(sentOf(sender).filter((sent) => sent.startsWith('/b')).length, 10);
});

t.test('events of a call that was merged into another come first', async (t) => {
  const { dispatcher, publish, sender, clock } = setUp(t, { rules: [scriptRule('/a')] });
  let isDown = true;
  sender.answer = ({ url }) => ({ status: isDown && url.includes('young-') ? 503 : 200 });
  dispatcher.start();
  publish(eventOf('young', 1, 'hangup'), eventOf('old', 1, 'hangup'));
  await finishTurns();
  const merged = eventOf('old', 2, 'hangup');
  publish({ ...merged, extras: { ...merged.extras, PreviousCallAPIID: 'young' } }, eventOf('old', 3, 'hangup'));
  await finishTurns();
  t.strictSame(sentOf(sender), ['/a young-1', '/a old-1']);
  isDown = false;
  await clock.advance(SECOND);
  t.strictSame(sentOf(sender).slice(2), ['/a young-1', '/a old-2', '/a old-3']);
});

t.test('what was sent is not remembered for as long as it would have been of use', async (t) => {
  const { dispatcher, publish, clock } = setUp(t, {
    rules: [scriptRule('/a', { staleAfterMs: HOUR })],
    options: { concurrencyPerScript: 1 },
  });
  dispatcher.start();
  const before = clock.running;
  publish(...Array.from({ length: 20 }, (_, i) => eventOf(`call${i}`, 1)));
  await finishTurns();
  t.strictSame(dispatcher.finished, { delivered: 20, stale: 0, dead: 0 });
  t.ok(clock.running > before);
  await clock.advance(5 * SECOND);
  t.equal(clock.running, before);
});

t.test('the clock is set by an hour, back or forth: nothing is late, early, stale or lost', async (t) => {
  for (const leap of [HOUR, -HOUR]) {
    const { dispatcher, publish, sender, clock } = setUp(t, { rules: [scriptRule('/a')] });
    sender.answer = () => (sender.sent.length === 1 ? { status: 503 } : { status: 200 });
    dispatcher.start();
    publish(eventOf('x', 1, 'dial-in'), eventOf('x', 2, 'hangup'));
    await finishTurns();
    clock.set(leap);
    dispatcher.leap(leap);
    publish(eventOf('y', 1, 'dial-in'));
    await clock.advance(SECOND);
    t.strictSame(sentOf(sender), ['/a x-1', '/a y-1', '/a x-1', '/a x-2']);
    t.strictSame(dispatcher.finished, { delivered: 3, stale: 0, dead: 0 });
  }
});

t.test('what somebody asks for is sent again, also when it is old', async (t) => {
  const path = join(t.testdir(), 'ringside.db');
  const { dispatcher, publish, sender, clock, records } = setUp(t, { path, rules: [scriptRule('/a')] });
  sender.answer = () => ({ status: 404 });
  dispatcher.start();
  publish(eventOf('x', 1, 'dial-in'), eventOf('y', 1, 'dial-in'));
  await clock.advance(HOUR);
  t.strictSame(dispatcher.finished, { delivered: 0, stale: 0, dead: 2 });
  sender.answer = () => ({ status: 200, answer: 'thanks' });
  const other = openStore(path);
  t.teardown(() => other.file.close());
  t.equal(other.records.requeue({ states: ['dead'], call: 'x' }, clock.now()), 1);
  dispatcher.takeRequeued();
  await finishTurns();
  t.strictSame(sentOf(sender).slice(4), ['/a x-1']);
  const [entry] = records.list({ call: 'x' }, 1);
  t.match(entry, { state: 'delivered', attempts: 1, lastStatus: 200 });
  t.match(records.show(entry!.id)?.history, [
    { status: 404, answer: '' },
    { status: 404, answer: '' },
    { status: 200, answer: 'thanks' },
  ]);
});

t.test('finished deliveries are deleted after a while, however many; dead letters are kept as long', async (t) => {
  const rules = [makeRule()];
  const { dispatcher, publish, sender, records, clock } = setUp(t, { rules, options: { retentionMs: HOUR } });
  sender.answer = ({ url }) => ({ status: url.includes('bad') ? 410 : 200 });
  dispatcher.start();
  publish(...Array.from({ length: 1700 }, (_, i) => eventOf(`call${i}`, 1)), eventOf('bad', 1));
  t.ok(await dispatcher.settle(30_000));
  rules[0] = makeRule(); // the 410 disabled the one before
  publish(eventOf('later', 1));
  await clock.advance(HOUR - MINUTE);
  t.strictSame(records.counts(), { pending: 0, delivered: 1701, stale: 0, dead: 1 });
  await clock.advance(2 * MINUTE + SECOND);
  t.strictSame(records.counts(), { pending: 0, delivered: 0, stale: 0, dead: 0 });
});
