import t, { type Test } from 'tap';
import { formatListenAddress, parseListenAddress } from '../../src/sip/listen-address.ts';
import { DEFAULTS, TENANTS } from './harness.ts';
import { makeCallApiId } from '../../src/calls/call-api-id.ts';
import { Directory } from '../../src/calls/directory.ts';
import { DirectoryAccounts } from '../../src/commands/accounts.ts';
import { DrachtioEngine, type DrachtioOptions, type DrachtioPlaces } from '../../src/proxy/drachtio/drachtio-engine.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { keep, openUdpPhone } from './phones.ts';
import { AdminServer, askAbout } from './support/admin-server.ts';
import { makeCertificate } from './support/certificate.ts';
import { DrachtioServer, SECRET, startDrachtio } from './support/drachtio.ts';
import { findProgram, freePort, until } from './support/ports.ts';
import type { Endpoint } from './support/relay.ts';
import { makeRequest, makeResponse, unique } from './support/wire-builders.ts';
import type { WirePhone } from './support/wire-phone.ts';

// Connections to drachtio servers, and what becomes of them.

const isThere = findProgram('drachtio') !== undefined;
const TO = 'sip:102@acme.example.com';

const CUT_MS = Number(process.env['CUT_MS'] ?? 1500);
const LONG = { timeout: CUT_MS + 30_000 };

interface Started {
  readonly engine: DrachtioEngine;
  readonly addresses: readonly string[];
  readonly log: readonly string[];
  /** Until something was logged, as often as that. */
  readonly logged: (text: string, count?: number) => Promise<void>;
}

const serverAt = (port: number, secret = SECRET): DrachtioPlaces['servers'][number] => ({
  name: 'the server',
  host: '127.0.0.1',
  port,
  secret,
  tags: [],
  tls: undefined,
});

async function start(
  t: Test,
  places: Partial<DrachtioPlaces>,
  options: Partial<DrachtioOptions> = {},
): Promise<Started> {
  const log: string[] = [];
  const { tenants } = parseConfiguration('test', TENANTS, {});
  const engine = new DrachtioEngine(
    { ...DEFAULTS, ...options, places: { servers: [], listen: [], proof: '', ...places } },
    new DirectoryAccounts(new Directory(tenants), tenants, ''),
    makeCallApiId,
    {
      onObservation: () => {},
      onBindings: () => {},
      onUpstream: () => {},
      onDrop: () => {},
      onLog: (_, text, about) => void log.push(`${text} ${JSON.stringify(about)}`),
      onRouted: () => {},
    },
  );
  t.teardown(() => engine.stop());
  const addresses = await engine.start();
  const logged = (text: string, count = 1): Promise<void> =>
    until(
      () => log.filter((line) => line.includes(text)).length >= count,
      `${count} times "${text}" in ${log.join('\n')}`,
      20_000,
    );
  return { engine, addresses, log, logged };
}

const CONNECTED = 'connected to the drachtio server';
const ROUTES = 8;

t.test('a server that is not there at start', async (t) => {
  const port = await freePort();
  const { addresses, log, logged } = await start(t, { servers: [serverAt(port)] });
  t.strictSame(addresses, []);
  await logged('nothing listens there');
  t.equal(log.length, 1, 'it is said once');
  await new AdminServer({ port, secret: SECRET }).start(t);
  await logged(CONNECTED);
});

t.test('a secret that the server refuses', async (t) => {
  const server = await new AdminServer({ secret: 'another' }).start(t);
  const { log, logged } = await start(t, { servers: [serverAt(server.port)] });
  await logged('the drachtio server refuses our secret: it must be that of <admin secret');
  t.equal(server.connections, 1, 'it is not hammered');
  t.equal(log.length, 1);
});

t.test('something that is no drachtio server', async (t) => {
  const server = createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const { logged } = await start(t, { servers: [serverAt((server.address() as AddressInfo).port)] });
  await logged('nothing there answers as a drachtio server does');
});

for (const isSecure of [false, true]) {
  t.test(`a server that restarts${isSecure ? ', over TLS' : ''}`, async (t) => {
    const certificate = isSecure ? makeCertificate('127.0.0.1') : undefined;
    const options = { secret: SECRET, ...(certificate && { certificate }) };
    const server = await new AdminServer(options).start(t);
    const tls = certificate && { rejectUnauthorized: true, ca: certificate.cert };
    const { logged } = await start(t, { servers: [{ ...serverAt(server.port), tls }] });
    await server.waitFor('route', ROUTES);
    server.stop();
    await logged('the connection was closed');
    const again = await new AdminServer({ ...options, port: server.port }).start(t);
    await logged(CONNECTED, 2);
    await again.waitFor('route', ROUTES);
  });
}

t.test('a certificate that is not trusted', async (t) => {
  const server = await new AdminServer({ secret: SECRET, certificate: makeCertificate('127.0.0.1') }).start(t);
  const { logged } = await start(t, { servers: [{ ...serverAt(server.port), tls: { rejectUnauthorized: true } }] });
  await logged('self-signed certificate');
});

t.test('several servers', async (t) => {
  const servers = [
    await new AdminServer({ secret: SECRET }).start(t),
    await new AdminServer({ secret: 's2' }).start(t),
  ];
  await start(t, { servers: [serverAt(servers[0]!.port), { ...serverAt(servers[1]!.port, 's2'), tags: ['a', 'b'] }] });
  for (const server of servers) await server.waitFor('route', ROUTES);
  t.equal(servers[1]!.frames[0]!.split('|').slice(1).join('|'), 'authenticate|s2|a,b');
});

t.test('a call that is given up before it was decided is not passed on', async (t) => {
  const server = await new AdminServer({ secret: SECRET }).start(t);
  const trunks = ['127.0.0.1'];
  await start(t, { servers: [serverAt(server.port)] }, { trunks, upstream: 'sip:127.0.0.9:5060' });
  await server.waitFor('route', ROUTES);
  const phone = { transport: 'udp', at: '127.0.0.1:5070' };
  const ids = { callId: unique(), branch: `z9hG4bK${unique()}` };
  const invite = askAbout(makeRequest(phone, { to: TO, ...ids }), 'one');
  const other = askAbout(makeRequest(phone, { to: TO }), 'two');
  server.say(invite, askAbout(makeRequest(phone, { to: TO, method: 'CANCEL', ...ids, contact: '' }), 'one'), other);
  await server.waitFor('proxy');
  t.strictSame(
    server.frames.slice(1 + ROUTES).map((frame) => frame.split('|').slice(1, 3)),
    [['proxy', 'two']],
    'nor answered: the server has done that',
  );
});

t.test('what the server hands over damaged, too often or in a circle is answered', async (t) => {
  const server = await new AdminServer({ secret: SECRET }).start(t);
  await start(t, { servers: [serverAt(server.port)] }, { upstream: 'sip:127.0.0.9:5060', ratePerSecond: 1 });
  await server.waitFor('route', ROUTES);
  const phone = { transport: 'udp', at: '127.0.0.1:5070' };
  const circle = makeRequest(phone, { to: TO, headers: Array<string>(9).fill('Via: SIP/2.0/UDP 127.0.0.1;branch=x') });
  const damaged = makeRequest(phone, { to: TO }).replace(/CSeq: \d+/, 'CSeq: x');
  const requests = [circle, damaged, ...[1, 2, 3, 4].map(() => makeRequest(phone, { to: TO }))];
  server.say(...requests.map((request, i) => askAbout(request, `t${i}`)));
  await until(() => server.frames.length >= 1 + ROUTES + requests.length, 'all answers');
  const answers = server.frames.slice(1 + ROUTES).map((frame) => /SIP\/2\.0 (\d+)/.exec(frame)?.[1] ?? 'proxy');
  t.strictSame(answers, ['482', '400', 'proxy', 'proxy', 'proxy', '503']);
});

/** A call that is refused by who is called: enough to know that requests are passed on. */
async function call(caller: WirePhone, pbx: WirePhone, udp: Endpoint): Promise<void> {
  await caller.send(makeRequest(caller, { to: TO }), udp);
  await pbx.send(makeResponse(await pbx.next('INVITE'), 486), udp);
  await caller.next(486);
}

const udpOf = (addresses: readonly string[]): Endpoint =>
  parseListenAddress(addresses.find((text) => text.startsWith('udp'))!)!;

t.test('with a drachtio server', { skip: !isThere, ...LONG }, async (t) => {
  const [caller, pbx] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone('127.0.0.9'))];
  const upstream = `sip:${pbx.at}`;

  await t.test('it comes late, and is restarted', async (t) => {
    const server = await DrachtioServer.make({ domains: '' });
    t.teardown(() => server.stop());
    const { logged } = await start(t, { servers: [serverAt(server.adminPort)] }, { upstream });
    await logged('nothing listens there');
    await server.start();
    await logged(CONNECTED);
    await call(caller, pbx, server.udp);
    await server.stop();
    await server.start();
    await logged(CONNECTED, 2);
    await call(caller, pbx, server.udp);
  });

  await t.test('it refuses the secret', async (t) => {
    const { adminPort } = await startDrachtio(t);
    const { logged } = await start(t, { servers: [serverAt(adminPort, 'wrong')] });
    await logged('refuses our secret');
  });

  await t.test('it connects to us', async (t) => {
    const port = await freePort();
    const address = parseListenAddress(`tcp:127.0.0.1:${port}`)!;
    const { logged } = await start(
      t,
      { listen: [{ address, secret: SECRET, tags: [], certificate: undefined }] },
      { upstream },
    );
    await logged(formatListenAddress(address));
    const handler = `<request-handler sip-method="*" http-method="GET">tcp://127.0.0.1:${port}</request-handler>`;
    const more = `<request-handlers>${handler}</request-handlers>`;
    const { udp } = await startDrachtio(t, { domains: '', more });
    await call(caller, pbx, udp);
    await call(caller, pbx, udp);
  });

  await t.test('the connection says nothing for a while: what was asked meanwhile is decided then', LONG, async (t) => {
    const server = await startDrachtio(t, { domains: '' });
    const cable = await openCable(t, server.adminPort);
    const { addresses, log } = await start(t, { servers: [serverAt(cable.port)] }, { upstream });
    const udp = udpOf(addresses);
    await call(caller, pbx, udp);
    cable.cut();
    await caller.send(makeRequest(caller, { to: TO }), udp);
    await caller.next(100);
    await new Promise((done) => setTimeout(done, CUT_MS));
    cable.mend();
    await pbx.send(makeResponse(await pbx.next('INVITE'), 486), udp);
    await caller.next(486);
    t.equal(log.length, 1, 'the connection stayed');
  });
});

/** A connection that can be cut: then nothing comes through, and nobody is told. */
async function openCable(t: Test, to: number): Promise<{ readonly port: number; cut(): void; mend(): void }> {
  const sockets: Socket[] = [];
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1');
    sockets.push(near, far);
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { port, cut: () => sockets.forEach((s) => s.pause()), mend: () => sockets.forEach((s) => s.resume()) };
}
