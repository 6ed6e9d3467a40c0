import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import { FakeLog, makeRule, openStore, OPTIONS, type ReceivedRequest, ScriptServer, SENDING } from './harness.ts';

const CHILD = new URL('crash-child.ts', import.meta.url).pathname;
const EVENTS = 100;

const eventIdOf = ({ line }: ReceivedRequest) => new URL(line.split(' ')[1]!, 'http://h').searchParams.get('EventID');

t.test('killed with requests under way: every event arrives after the restart, with its EventID', async (t) => {
  const server = new ScriptServer();
  const origin = await server.listen();
  t.teardown(() => server.close());
  server.handle = () => {};
  const path = join(t.testdir(), 'ringside.db');
  const rule = makeRule({ url: `${origin}/hook`, extras: ['EventID'] });
  const child = spawn(process.execPath, [CHILD, path, JSON.stringify(rule), String(EVENTS)], { stdio: 'inherit' });
  const exited = once(child, 'exit');
  await Promise.race([server.until(() => server.received.length === OPTIONS.concurrencyPerScript), exited]);
  child.kill('SIGKILL');
  t.strictSame(await exited, [null, 'SIGKILL']);

  const sentBefore = server.received.splice(0).map(eventIdOf);
  t.equal(sentBefore.length, OPTIONS.concurrencyPerScript);
  server.handle = (response) => response.end();
  const { file, store, records } = openStore(path);
  const parts = { store, sender: new HttpSender(SENDING), findRule: () => rule, log: new FakeLog() };
  const dispatcher = new Dispatcher(OPTIONS, parts);
  dispatcher.start();
  t.ok(await dispatcher.settle(30_000));
  await dispatcher.stop(0);
  const sentAfter = server.received.map(eventIdOf);
  const all = Array.from({ length: EVENTS }, (_, i) => `call${i}-1`);
  t.strictSame(sentAfter.sort(), all.sort(), 'each once');
  t.ok(
    sentBefore.every((id) => all.includes(id!)),
    'what was under way, under the same id',
  );
  t.strictSame(records.counts(), { pending: 0, delivered: EVENTS, stale: 0, dead: 0 });
  file.close();
});
