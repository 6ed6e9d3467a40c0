import { lookup } from 'node:dns';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, LookupFunction, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import t, { type Test } from 'tap';
import { NetworkGuard } from '../../src/deliveries/network-guard.ts';
import { formatRequest } from '../../src/deliveries/request.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { makeEvent, makeRule, SENDING } from './harness.ts';

/** Spellings of this machine: a rule of the file gets through by them. */
const OWN = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '127.255.255.254',
  '127.0.0.1.',
  '0177.0.0.1',
  '0177.1',
  '00000177.0.0.01',
  '0x7f.0.0.1',
  '0x7f.1',
  '0X7F.0X0.0X0.0X1',
  '0x7f000001',
  '0x7f.0x000001',
  '2130706433',
  '017700000001',
  '127.0x1',
  '%31%32%37.0.0.1',
  '127%2e0%2e0%2e1',
  '１２７.０.０.１',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '127．0．0．1',
  '0',
  '0.0.0.0',
  '0x0',
  '00',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'own.example',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000:0000:0000:0000:0000:0000:0000:0001]',
  '[::0.0.0.1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::FFFF:7F00:0001]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::ffff:0.0.0.0]',
];

/** Other places that are not the Internet, or not only; nothing is sent there by a test. */
const INNER = [
  '10.0.0.1',
  '012.0.0.1',
  '0xa000001',
  '167772161',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '192.168.257',
  '169.254.0.1',
  '169.254.169.254',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '2852039166',
  '169.16689662',
  '168.63.129.16',
  '192.0.0.192',
  '100.64.0.1',
  '100.100.100.200',
  '100.127.255.255',
  '0.1.2.3',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  'own-and-public.example',
  'public-and-own.example',
  'metadata.example',
  'inner-six.example',
  '[::127.0.0.1]',
  '[::7f00:1]',
  '[::10.0.0.1]',
  '[::8.8.8.8]',
  '[::ffff:10.0.0.1]',
  '[::ffff:a9fe:a9fe]',
  '[::ffff:8.8.8.8]',
  '[::ffff:0:127.0.0.1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::1]',
  '[2002:808:808::1]',
  '[2001::1]',
  '[2001:0:4136:e378:8000:63bf:80ff:fffe]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b::8.8.8.8]',
  '[64:ff9b:1::10.0.0.1]',
  '[64:ff9b:1:fffe::7f00:1]',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[fd20:ce::254]',
  '[ff02::1]',
  '[ff0e::1]',
  '[100::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[5f00::1]',
  '[4000::1]',
];

const NAMES: { readonly [name: string]: readonly string[] } = {
  'localhost': ['127.0.0.1'],
  'localhost.': ['127.0.0.1'],
  'own.example': ['127.0.0.1'],
  'own-and-public.example': ['127.0.0.1', '93.184.215.14'],
  'public-and-own.example': ['2606:2800:21f:cb07:6820:80da:af6b:8b2c', '127.0.0.1'],
  'metadata.example': ['169.254.169.254'],
  'inner-six.example': ['93.184.215.14', 'fd00::1'],
};

const hasIPv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'));
if (!hasIPv6) console.error('SKIPPED: no IPv6 here to reach a script by');
const reachable = (hosts: readonly string[]) => hosts.filter((host) => hasIPv6 || !host.startsWith('['));

/** A name server that gives what it is told. */
const answerWith =
  (addressesOf: (host: string) => readonly string[]): LookupFunction =>
  (host, options, done) => {
    const found = addressesOf(host).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    if (found.length === 0) done(Object.assign(new Error(`${host} is not known`), { code: 'ENOTFOUND' }), []);
    else if (options.all) done(null, found);
    else done(null, found[0]!.address, found[0]!.family);
  };

/** A script at all addresses of this machine; `reached` are those that a connection came to. */
async function openScript(t: Test) {
  const reached: (string | undefined)[] = [];
  const server = createServer((_, response) => response.writeHead(200, { connection: 'close' }).end());
  server.on('connection', (socket: Socket) => reached.push(socket.localAddress?.replace('::ffff:', '')));
  server.listen(0, hasIPv6 ? '::' : '0.0.0.0');
  await once(server, 'listening');
  t.teardown(() => (server.close(), server.closeAllConnections()));
  return { server, reached, port: (server.address() as AddressInfo).port };
}

function openSender(t: Test, source: Rule['source'], lookUp: LookupFunction, allowedNetworks: readonly string[] = []) {
  const sender = new HttpSender({ ...SENDING, connectTimeoutMs: 1000, allowedNetworks, lookUp });
  t.teardown(() => sender.close());
  return (url: string) => {
    const rule = makeRule({ url, source });
    return sender.send(formatRequest(makeEvent(), rule), rule, 'id-1');
  };
}

const lookUp = answerWith((host) => NAMES[host.toLowerCase()] ?? []);
const REFUSED = { error: /^\S+ is at an address that rules of this kind may not reach; delivery\.allowedNetworks/ };

t.test('a rule from the API reaches nothing but the Internet, however it is spelt', async (t) => {
  const { reached, port } = await openScript(t);
  const send = openSender(t, 'api', lookUp);
  t.ok(OWN.length + INNER.length >= 100, 'a long list');
  for (const host of [...OWN, ...INNER]) {
    for (const scheme of ['http', 'https'])
      t.match(await send(`${scheme}://${host}:${port}/x`), REFUSED, `${scheme} ${host}`);
  }
  t.strictSame(reached, [], 'none connects');
});

t.test('a rule from the file gets through by the same spellings', async (t) => {
  const { reached, port } = await openScript(t);
  const send = openSender(t, 'file', lookUp);
  for (const host of reachable(OWN)) t.strictSame(await send(`http://${host}:${port}/x`), { status: 200 }, host);
  t.equal(reached.length, reachable(OWN).length);
});

t.test('nothing but http and https', async (t) => {
  const { reached, port } = await openScript(t);
  const send = openSender(t, 'api', lookUp, ['127.0.0.0/8']);
  for (const scheme of ['ftp', 'file', 'gopher', 'ws', 'unix', 'data', 'dict', 'javascript', 'http+unix']) {
    t.match(await send(`${scheme}://127.0.0.1:${port}/x`), { error: /protocol|URL/ }, scheme);
  }
  t.match(await send('//127.0.0.1/'), { error: /URL/ });
  t.strictSame(reached, []);
});

t.test('networks that the configuration allows are reached, and no others', async (t) => {
  const { reached, port } = await openScript(t);
  const send = openSender(t, 'api', lookUp, ['127.0.0.2/32', '::1/128']);
  const allowed = reachable(['127.0.0.2', '[::ffff:127.0.0.2]', '[::1]']);
  for (const host of allowed) {
    t.strictSame(await send(`http://${host}:${port}/`), { status: 200 }, host);
  }
  for (const host of ['127.0.0.1', 'localhost', '127.0.0.3'])
    t.match(await send(`http://${host}:${port}/`), REFUSED, host);
  t.equal(reached.length, allowed.length);
  t.notOk(reached.some((address) => address !== '127.0.0.2' && address !== '::1'));
});

t.test('a name is looked up once for a connection, which goes to the address that was checked', async (t) => {
  const { reached, port } = await openScript(t);
  let asked = 0;
  const rebinding = answerWith(() => [asked++ % 2 === 0 ? '127.0.0.2' : '127.0.0.1']);
  const send = openSender(t, 'api', rebinding, ['127.0.0.2/32']);
  const outcomes = [];
  for (let i = 0; i < 4; i++) outcomes.push(await send(`http://rebind.example:${port}/`));
  t.match(outcomes, [{ status: 200 }, REFUSED, { status: 200 }, REFUSED]);
  t.equal(asked, 4);
  t.strictSame(reached, ['127.0.0.2', '127.0.0.2']);
});

t.test('a redirect leads nowhere', async (t) => {
  const { server, reached, port } = await openScript(t);
  server.removeAllListeners('request');
  server.on('request', (_, response: ServerResponse) =>
    response.writeHead(307, { location: `http://127.0.0.1:${port}/` }).end(),
  );
  t.strictSame(await openSender(t, 'api', lookUp, ['127.0.0.2/32'])(`http://127.0.0.2:${port}/`), { status: 307 });
  t.strictSame(reached, ['127.0.0.2']);
});

t.test('a connection of a rule from the file is not used by one from the API', async (t) => {
  const { server, reached, port } = await openScript(t);
  server.removeAllListeners('request');
  server.on('request', (_, response: ServerResponse) => response.end()); // and stays open
  const sender = new HttpSender({ ...SENDING, connectionsPerOrigin: 1, lookUp });
  t.teardown(() => sender.close());
  const send = (source: Rule['source']) => {
    const rule = makeRule({ url: `http://127.0.0.1:${port}/`, source });
    return sender.send(formatRequest(makeEvent(), rule), rule, 'id-1');
  };
  t.strictSame(await send('file'), { status: 200 });
  t.match(await send('api'), REFUSED);
  t.strictSame(await send('file'), { status: 200 });
  t.equal(reached.length, 1);
});

t.test('which addresses are the Internet', (t) => {
  const guard = new NetworkGuard([], lookup);
  const open = ['8.8.8.8', '1.1.1.1', '93.184.215.14', '172.32.0.1', '100.128.0.1', '2606:4700::1111', '2a00:1450::1'];
  for (const address of open) t.ok(guard.allows(address), address);
  for (const text of ['', 'x', '999.1.1.1', '8.8.8.8:80', '::ffff:8.8.8.8', 'fe80::1%eth0'])
    t.notOk(guard.allows(text), text);
  t.ok(new NetworkGuard(['::ffff:0:0/96'], lookup).allows('::ffff:8.8.8.8'));
  t.end();
});

t.test('a lookup that wants one address gets one, or the error', (t) => {
  const ask = (host: string, all: boolean) =>
    new Promise((resolve) =>
      new NetworkGuard(['127.0.0.1/32'], lookUp).lookUp(host, { all }, (...answer) => resolve(answer)),
    );
  t.resolveMatch(ask('own.example', false), [null, '127.0.0.1', 4]);
  t.resolveMatch(ask('own.example', true), [null, [{ address: '127.0.0.1', family: 4 }]]);
  t.resolveMatch(ask('metadata.example', false), [{ message: REFUSED.error }, []]);
  t.resolveMatch(ask('unknown.example', false), [{ code: 'ENOTFOUND' }, []]);
  t.end();
});
