import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { eventOf, FakeLog, OPTIONS, ScriptServer, SENDING } from '../deliveries/harness.ts';
import { openStore } from '../deliveries/harness.ts';
import { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import { RuleStore } from '../../src/api/rules/rule-store.ts';
import { loadConfiguration } from '../../src/rules/config-file.ts';
import { Ringside, ringside } from './process.ts';

/** A rule as the page writes it. */
const ENTRY = {
  ...{ extension: ['101'], event: ['dial-in'], method: 'GET', note: '', enabled: true, extras: [], body: 'form' },
  ...{ headers: {}, secret: [] },
};

/** A folder with a configuration, and a store with one delivery that arrived and two that did not. */
async function prepare(t: Test) {
  const script = new ScriptServer();
  t.teardown(() => script.close());
  script.handle = (response, { line }) => {
    response.statusCode = line.includes('=bad') ? 404 : 200;
    response.end(line.includes('=bad') ? 'no such \x1b[31mcall' : 'OK');
  };
  const folder = t.testdir({
    'ringside.yaml': [
      'tenants: [{ extensions: ["*"] }]',
      'hep: { listen: ["udp:127.0.0.1:0"] }',
      'sip: { engine: none }',
      'delivery: { schedule: [1ms] }',
      'callEvents:',
      `  - { extension: "*", event: [hangup], url: "${await script.listen()}/hook?key=1", extras: [EventID] }`,
    ].join('\n'),
  });
  const config = join(folder, 'ringside.yaml');
  const { rules } = loadConfiguration(config);
  const { file, store, records } = openStore(join(folder, 'ringside.db'));
  const parts = { store, sender: new HttpSender(SENDING), findRule: () => rules[0], log: new FakeLog() };
  const dispatcher = new Dispatcher(OPTIONS, parts);
  dispatcher.start();
  for (const call of ['good', 'bad1', 'bad2']) dispatcher.publish([{ event: eventOf(call, 1, 'hangup'), rules }]);
  t.ok(await dispatcher.settle(5000));
  await dispatcher.stop(1000);
  t.strictSame(records.counts(), { pending: 0, delivered: 1, stale: 0, dead: 2 });
  file.close();
  script.received.length = 0;
  return { config, script, rule: rules[0]!, command: (...args: string[]) => ringside(t, ...args, '-c', config) };
}

t.test('deliveries are listed, chosen, shown, and purged', async (t) => {
  const { command, rule } = await prepare(t);
  const list = await command('deliveries', 'list');
  t.match(list.out, /^ID +TIME +STATE +EVENT +EXTENSION +CALLAPIID +TRIES ANSWER +SCRIPT\n/);
  t.match(list.out, /^1 .* delivered hangup +0003\*102 +good +1 +200 +GET http:\/\/127\.0\.0\.1:\d+\/hook\n/m);
  t.match(list.out, /^3 .* dead +hangup +0003\*102 +bad2 +2 +404 /m);
  t.notMatch(list.out, 'key=1', 'queries may be secret');

  const idsOf = async (...filter: string[]) => {
    const { out, code } = await command('deliveries', 'list', '--json', ...filter);
    t.equal(code, 0);
    return out
      .split('\n')
      .filter(Boolean)
      .map((line) => (JSON.parse(line) as { id: number }).id);
  };
  t.strictSame(await idsOf('--state', 'dead,stale'), [2, 3]);
  t.strictSame(await idsOf('--call', 'bad2', '--status', '404', '--rule', rule.id, '--since', '1h'), [3]);
  t.strictSame(await idsOf('--until', '1h'), []);
  t.strictSame(await idsOf('--extension', '0003*999'), []);
  t.match((await command('deliveries', 'list', '-n', '1')).out, /bad2.*\n2 older ones; --limit shows more\./s);

  const { out } = await command('deliveries', 'show', '2');
  t.match(out, /^Delivery 2: dead\nEvent bad1-1: hangup of 0003\*102 at 2026-/);
  t.equal(out.match(/ 404 in \d+ ms: no such \?\[31mcall\n/g)?.length, 2, 'each attempt; nothing steers the terminal');
  t.match(JSON.parse((await command('deliveries', 'show', '1', '--json')).out), {
    state: 'delivered',
    history: [{ status: 200, answer: 'OK' }],
  });
  t.strictSame(await command('deliveries', 'show', '99'), { code: 1, out: 'No delivery 99.\n', err: '' });

  t.match(await command('deliveries', 'purge'), { code: 2, err: /name deliveries/ });
  t.match((await command('deliveries', 'purge', '2')).out, 'One delivery deleted.');
  t.match((await command('deliveries', 'purge', '--all')).out, '2 deliveries deleted.');
  t.equal((await command('deliveries', 'list')).out, 'None.\n');
});

t.test('a running Ringside sends again what the command line asks for', async (t) => {
  const { command, config, script } = await prepare(t);
  const server = new Ringside(t, ['run', '-c', config]);
  await server.waitFor(/Ctrl-C/);
  t.match(await command('deliveries', 'retry', '--call', 'good'), { code: 1, out: /^0 deliveries/ });
  script.handle = (response) => response.end('OK now');
  t.match(await command('deliveries', 'retry'), { code: 0, out: /^2 deliveries to be sent again/ });
  await script.until(() => script.received.length === 2);
  t.match(await command('deliveries', 'retry', '1'), { code: 0 }, 'also one that had arrived');
  await script.until(() => script.received.length === 3);
  server.child.kill('SIGTERM');
  await server.finished;
  t.match((await command('deliveries', 'list', '--state', 'delivered')).out, /good.*bad1.*bad2/s);
  t.match((await command('deliveries', 'show', '3')).out, /: OK now\n$/);
});

t.test('what is of a rule that is gone is not sent again, and that is said', async (t) => {
  const { command, config } = await prepare(t);
  const text = readFileSync(config, 'utf8');
  writeFileSync(config, text.replace(/callEvents:[^]*$/, ''));
  t.match(await command('deliveries', 'retry'), {
    code: 1,
    out: /^0 deliveries to be sent again.*\n2 deliveries left alone: of rules that are gone or disabled\.\n$/,
  });
  t.match((await command('deliveries', 'list', '--state', 'dead')).out, /bad1.*bad2/s, 'they stay as they are');
});

t.test('a sample event of a rule', async (t) => {
  const { command, config, rule, script } = await prepare(t);
  t.match((await command('rules', 'list')).out, `${rule.id}  *: hangup -> GET http`);
  const { code, out } = await command('rules', 'test', rule.id);
  t.equal(code, 0);
  t.match(out, /^GET http.*\n200 after \d+ ms\nOK\n$/);
  const query = new URL(script.received[0]!.line.split(' ')[1]!, 'http://h').searchParams;
  t.match(query.get('CallID'), /^test[0-9a-f]{16}@ringside\.invalid$/);
  t.match(query.get('EventID'), /^test/);
  t.equal(query.get('CallerIDName'), 'Ringside test');
  t.equal(query.get('CallStatus'), 'ANSWER');
  script.handle = (response) => response.writeHead(500).end('out of order');
  t.match(await command('rules', 'test', rule.id), { code: 1, out: /500 after \d+ ms\nout of order\n/ });
  const { file } = openStore(join(dirname(config), 'ringside.db'));
  new RuleStore(file).put({ id: 'made-by-the-page', json: JSON.stringify({ ...ENTRY, url: rule.url }), modified: 0 });
  file.close();
  t.match((await command('rules', 'list')).out, 'made-by-the-page  101: dial-in -> GET http');
  const refused = await command('rules', 'test', 'made-by-the-page');
  t.match(
    refused,
    { code: 1, out: /rules of this kind may not reach/ },
    'those of the page may not reach this machine',
  );
  t.match(await command('rules', 'test', 'x'), { code: 2, err: /no rule x; 'ringside rules list' lists them/ });
});

t.test('wrong use: one line', async (t) => {
  const { command } = await prepare(t);
  const table: [args: string[], error: RegExp][] = [
    [['list', '--state', 'lost'], /One or several of pending, delivered, stale, dead are expected/],
    [['list', '--since', 'yesterday'], /A date such as/],
    [['list', '--status', '999'], /An HTTP status or 0 is expected/],
    [['show', 'x'], /A number from 1 up is expected/],
    [['retry', '0'], /A number from 1 up is expected/],
  ];
  for (const [args, error] of table)
    t.match(await command('deliveries', ...args), { code: 2, err: error }, args.join(' '));
  const config = join(t.testdir({ 'ringside.yaml': '' }), 'ringside.yaml');
  t.match(await ringside(t, 'deliveries', 'list', '-c', config), {
    code: 2,
    err: /ringside\.db: no such file: nothing was stored yet\n$/,
  });
});
