import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import { loadConfiguration } from '../../src/rules/config-file.ts';
import { eventOf, FakeLog, openStore, OPTIONS, ScriptServer, SENDING } from '../deliveries/harness.ts';
import { Ringside } from './process.ts';

const capture = new URL('../../captures/called-ends.pcap', import.meta.url).pathname;
const SIGNING = `whsec_${btoa('hunter2 hunter2 hunter2 ')}`;
const SECRETS = { TOKEN: 'hunter2-token', PASSWORD: 'hunter2-password', HEADER: 'hunter2-header', SIGNING };
const ENCODED = btoa('hunter2-user:hunter2-password');
const SECRET = new RegExp(`hunter2|${ENCODED.slice(0, 20)}|${SIGNING.slice(6)}`);

const configure = (origin: string): string => `
log: { level: trace }
tenants: [{ extensions: ["*"] }]
delivery: { schedule: [1ms] }
callEvents:
  - { extension: "*", event: [dial-in, hangup], url: "${origin}/a", auth: { bearer: "\${TOKEN}" }, secret: "\${SIGNING}" }
  - extension: "*"
    event: [dial-in, hangup]
    method: POST
    url: "${origin}/b"
    auth: { basic: { user: hunter2-user, password: "\${PASSWORD}" } }
    headers: { X-Token: "\${HEADER}" }
    secret: ["\${SIGNING}", "\${SIGNING}"]
  - { extension: "*", event: hangup, url: "http://127.0.0.1:9/c", auth: { bearer: "\${TOKEN}" } }
`;

t.test('what rules keep secret reaches the scripts, and no listing, log or store', async (t) => {
  const server = new ScriptServer();
  t.teardown(() => server.close());
  server.handle = (response) => response.writeHead(500).end('no');
  const folder = t.testdir({ 'ringside.yaml': configure(await server.listen()) });
  const config = join(folder, 'ringside.yaml');

  await t.test('on the command line', async (t) => {
    for (const args of [
      ['check', config],
      ...[[], ['--dry-run']].map((more) => ['replay', '-c', config, ...more, capture]),
    ]) {
      const { out, err } = await new Ringside(t, args, SECRETS).finished;
      t.match(out, /\/b|dial-in/, `${args.join(' ')}: there is something to look at`);
      t.notMatch(out + err, SECRET);
    }
  });

  await t.test('in the log and the store', async (t) => {
    const log = new FakeLog();
    const { file, store, records } = openStore(join(folder, 'ringside.db'));
    const { rules } = loadConfiguration(config, SECRETS);
    const find = (id: string) => rules.find((rule) => rule.id === id);
    const parts = { store, sender: new HttpSender(SENDING), findRule: find, log };
    const dispatcher = new Dispatcher(OPTIONS, parts);
    dispatcher.start();
    dispatcher.publish([{ event: eventOf('x', 1), rules }]);
    t.ok(await dispatcher.settle(5000));
    await dispatcher.stop(0);
    t.equal(records.list({ states: ['dead'] }, 10).length, 3);
    t.notMatch(JSON.stringify([log.lines, records.list({ states: ['dead'] }, 10)]), SECRET);
    file.close();
    for (const file of readdirSync(folder).filter((name) => name.startsWith('ringside.db'))) {
      t.notMatch(readFileSync(join(folder, file), 'latin1'), SECRET, file);
    }
  });

  const sent = server.received.map(({ headers }) => Object.fromEntries(headers));
  t.ok(sent.some(({ authorization }) => authorization === `Basic ${ENCODED}`));
  t.ok(sent.some(({ authorization }) => authorization === `Bearer ${SECRETS.TOKEN}`));
  t.ok(sent.some((headers) => headers['x-token'] === SECRETS.HEADER));
});
