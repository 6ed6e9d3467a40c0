import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { CallEvent } from '../../src/calls/event.ts';
import { type DeliveryOptions, Dispatcher } from '../../src/deliveries/dispatcher.ts';
import type { AttemptOutcome } from '../../src/deliveries/retry.ts';
import { SqliteStore, StoreError } from '../../src/deliveries/store.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { eventOf, FakeClock, FakeLog, FakeSender, finishTurns, makeEvent, makeRule, OPTIONS, T0 } from './harness.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

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
  const store = new SqliteStore(path);
  const sender = new FakeSender();
  const log = new FakeLog();
  const findRule = (id: string) => rules.find((rule) => rule.id === id);
  const dispatcher = new Dispatcher(store, sender, { ...OPTIONS, ...options }, findRule, log, clock);
  t.teardown(() => dispatcher.stop(0));
  const publish = (...events: CallEvent[]) => dispatcher.publish(events.map((event) => ({ event, rules })));
  return { store, sender, log, clock, dispatcher, publish };
}

/** Path and Sequence of what was sent, in order. */
const sentOf = ({ sent }: FakeSender): string[] =>
  sent.map(({ url }) => `${new URL(url).pathname} ${new URL(url).searchParams.get('EventID')}`);

const scriptRule = (path: string, more: Partial<Rule> = {}): Rule =>
  makeRule({ id: `rule ${path}`, url: `http://127.0.0.1:9${path}`, extras: ['EventID'], ...more });

t.test('an event goes to every rule it is for, with the headers of each', async (t) => {
  const rules = [scriptRule('/a', { headers: { 'X-Token': 'a' } }), scriptRule('/b')];
  const { dispatcher, publish, sender, store } = setUp(t, { rules });
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
  t.strictSame(store.counts(), { pending: 0, delivered: 2, stale: 0, dead: 0 });
});

t.test('what comes in one turn of the event loop is one transaction, committed before anything is sent', async (t) => {
  const { dispatcher, publish, sender, store } = setUp(t);
  const appended: number[] = [];
  const append = store.append.bind(store);
  store.append = (deliveries, now) => {
    appended.push(deliveries.length);
    return append(deliveries, now);
  };
  const pendingWhenSent: number[] = [];
  sender.answer = () => {
    pendingWhenSent.push(store.counts().pending);
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
  const { dispatcher, publish, sender, store, clock, log } = setUp(t);
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
  t.match(store.list('dead', 10), [
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
  const { dispatcher, publish, sender, clock } = setUp(t, { options: { scheduleMs: waits.map((s) => s * SECOND) } });
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
  const { dispatcher, publish, sender, clock, store } = setUp(t, {
    rules: [scriptRule('/a')],
    options: { scheduleMs: [20 * SECOND, 20 * SECOND, 20 * SECOND, 20 * SECOND, 20 * SECOND] },
  });
  clock.chance = 1;
  sender.answer = ({ url }) => (url.includes('x-1') ? { status: 500 } : { status: 200 });
  dispatcher.start();
  publish(eventOf('x', 1, 'dial-in'), eventOf('x', 2, 'hangup'));
  await clock.advance(HOUR);
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-1', '/a x-1', '/a x-1', '/a x-2']);
  t.strictSame(dispatcher.finished, { delivered: 1, stale: 1, dead: 0 });
  t.match(store.list('stale', 10), [{ eventId: 'x-1', attempts: 4, lastStatus: 500, finishedAt: T0 + 60 * SECOND }]);
});

t.test('a Dial that grew old behind another is not sent at all; a Hangup is', async (t) => {
  const { dispatcher, publish, sender, clock, store } = setUp(t, { rules: [scriptRule('/a')] });
  let answer: ((outcome: AttemptOutcome) => void) | undefined;
  sender.answer = () => new Promise((resolve) => (answer = resolve));
  dispatcher.start();
  publish(eventOf('x', 1), eventOf('x', 2, 'answer-in'), eventOf('x', 3, 'hangup'));
  await clock.advance(61 * SECOND);
  sender.answer = () => ({ status: 200 });
  answer!({ status: 200 });
  await finishTurns();
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-3']);
  t.match(store.list('stale', 10), [{ eventId: 'x-2', attempts: 0, lastError: 'too old' }]);
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
      const { dispatcher, sender, store, clock } = setUp(t, { rules, options: { concurrencyPerScript: 2 } });
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
      const { delivered, dead, pending } = store.counts();
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
  t.match(log.lines, [{ message: 'deliveries left out: the same events were stored before', fields: { known: 1 } }]);
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
  const { dispatcher, publish, sender, store } = setUp(t, { rules });
  dispatcher.start();
  publish(eventOf('x', 1));
  rules.length = 0;
  await finishTurns();
  t.equal(sender.sent.length, 0);
  t.match(store.list('dead', 10), [{ eventId: 'x-1', lastError: 'its rule is gone' }]);
});

t.test('a 410 disables the rule, and no other, until the configuration changes', async (t) => {
  const rules = [scriptRule('/gone'), scriptRule('/b')];
  const { dispatcher, publish, sender, store, log } = setUp(t, { rules });
  sender.answer = ({ url }) => ({ status: url.includes('/gone') ? 410 : 200 });
  dispatcher.start();
  publish(eventOf('x', 1), eventOf('x', 2), eventOf('y', 1));
  await finishTurns();
  t.strictSame(sentOf(sender).sort(), ['/b x-1', '/b x-2', '/b y-1', '/gone x-1', '/gone y-1'], 'y-1 was under way');
  t.match(
    store.list('dead', 10).map(({ eventId, lastStatus, lastError }) => [eventId, lastStatus, lastError]),
    [
      ['y-1', 410, ''],
      ['x-2', 0, 'its rule is disabled by a 410'],
      ['x-1', 410, ''],
    ],
  );
  publish(eventOf('z', 1));
  await finishTurns();
  t.strictSame(sentOf(sender).at(-1), '/b z-1');
  t.equal(store.list('dead', 10).length, 3, 'what comes later is not even stored');
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
  t.match(log.lines[0]!.fields, { event: 'x-1', url: 'http://127.0.0.1:9/a', attempts: 1, status: 500 });
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
  first.store.close();
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
  first.store.close();

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
    const waiting = first.store.pending().map(({ id }) => ({
      ...{ id, state: 'pending' as const, attempts: 1, nextAttemptAt: T0 + 2 * HOUR, at: T0, status: 0, error: '' },
    }));
    first.store.record(waiting);
    first.store.close();
    await clock.advance(HOUR);
    const { dispatcher, store } = setUp(t, { path, clock });
    dispatcher.start();
    await finishTurns();
    t.strictSame(store.counts(), {
      pending: event === 'hangup' ? COUNT : 0,
      delivered: 0,
      stale: event === 'dial-in' ? COUNT : 0,
      dead: 0,
    });
  }
});

t.test('stop lets what is under way finish, sends nothing new, and keeps the rest', async (t) => {
  const { dispatcher, publish, sender, store } = setUp(t, { rules: [scriptRule('/a')] });
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
  t.strictSame(store.counts(), { pending: 2, delivered: 1, stale: 0, dead: 0 });
});

t.test('what the stop breaks off did not fail: it is sent again at the next start', async (t) => {
  const { dispatcher, publish, sender, store, log } = setUp(t, { options: { scheduleMs: [] } });
  let answer: ((outcome: AttemptOutcome) => void) | undefined;
  sender.answer = () => new Promise((resolve) => (answer = resolve));
  sender.onClose = () => answer!({ error: 'The client is destroyed' });
  dispatcher.start();
  publish(eventOf('x', 1));
  await finishTurns();
  await dispatcher.stop(1);
  await finishTurns();
  t.match(store.pending(), [{ eventId: 'x-1', attempts: 0 }]);
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

t.test('while the store fails nothing is sent and nothing lost', async (t) => {
  const { dispatcher, publish, sender, store, clock, log } = setUp(t, { rules: [scriptRule('/a')] });
  dispatcher.start();
  publish(eventOf('x', 1));
  await finishTurns();
  const [append, record] = [store.append.bind(store), store.record.bind(store)];
  store.append = store.record = () => {
    throw new StoreError("can't write the store: disk full");
  };
  publish(eventOf('x', 2));
  await clock.advance(2500);
  publish(eventOf('x', 3));
  await finishTurns();
  t.strictSame(sentOf(sender), ['/a x-1']);
  t.equal(log.lines.filter(({ message }) => message === 'the store failed').length, 3, 'at 0, 1 and 2 s');
  store.append = append;
  store.record = record;
  await clock.advance(SECOND);
  t.strictSame(sentOf(sender), ['/a x-1', '/a x-2', '/a x-3']);
  t.strictSame(store.counts(), { pending: 0, delivered: 3, stale: 0, dead: 0 });
});

t.test('what became of attempts is kept till the store can take it', async (t) => {
  const { dispatcher, publish, store, clock } = setUp(t);
  dispatcher.start();
  const record = store.record.bind(store);
  store.record = () => {
    throw new StoreError("can't write the store: disk full");
  };
  publish(eventOf('x', 1));
  await clock.advance(3 * SECOND);
  t.strictSame(store.counts(), { pending: 1, delivered: 0, stale: 0, dead: 0 });
  store.record = record;
  await clock.advance(SECOND);
  t.strictSame(store.counts(), { pending: 0, delivered: 1, stale: 0, dead: 0 });
});

t.test('finished deliveries are deleted after a while, however many; dead letters are kept as long', async (t) => {
  const rules = [makeRule()];
  const { dispatcher, publish, sender, store, clock } = setUp(t, { rules, options: { retentionMs: HOUR } });
  sender.answer = ({ url }) => ({ status: url.includes('bad') ? 410 : 200 });
  dispatcher.start();
  publish(...Array.from({ length: 1700 }, (_, i) => eventOf(`call${i}`, 1)), eventOf('bad', 1));
  t.ok(await dispatcher.settle(30_000));
  rules[0] = makeRule(); // the 410 disabled the one before
  publish(eventOf('later', 1));
  await clock.advance(HOUR - MINUTE);
  t.strictSame(store.counts(), { pending: 0, delivered: 1701, stale: 0, dead: 1 });
  await clock.advance(2 * MINUTE + SECOND);
  t.strictSame(store.counts(), { pending: 0, delivered: 0, stale: 0, dead: 0 });
});
