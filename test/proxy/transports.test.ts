import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { WebSocket, WebSocketServer } from 'ws';
import { keepAlive } from '../../src/proxy/embedded/websocket-server.ts';
import { openEngine } from './harness.ts';
import { keep } from './phones.ts';
import { startNameServer } from './name-server.ts';
import { readWire } from './support/wire-message.ts';
import {
  callerDialog,
  makeFollowUp,
  makeInDialog,
  makeRequest,
  makeResponse,
  unique,
} from './support/wire-builders.ts';
import {
  makeCertificate,
  openWirePhone,
  type Received,
  type WirePhone,
  type WirePhoneOptions,
} from './support/wire-phone.ts';
import { until } from './support/ports.ts';
import { openUdpPhone } from './phones.ts';

// TLS, secure WebSockets, and names that have to be looked up.

const TO = 'sip:102@acme.example.com';
const certificate = makeCertificate('localhost', '127.0.0.1');
const other = makeCertificate('localhost', '127.0.0.1');

async function phoneFor(t: Test, options: WirePhoneOptions): Promise<WirePhone> {
  const phone = await openWirePhone(options);
  t.teardown(() => phone.close());
  return phone;
}

const listen = (
  ...transports: ('udp' | 'tcp' | 'tls' | 'wss')[]
): { transport: 'udp' | 'tcp' | 'tls' | 'wss'; ip: string; port: number }[] =>
  transports.map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));

t.test('phones over TLS and secure WebSockets', async (t) => {
  const pbx = await keep(t, openUdpPhone());
  const tls = { server: certificate, ca: undefined, verify: true };
  const { places, udp } = await openEngine(t, { upstream: `sip:${pbx.at}`, listen: listen('udp', 'tls', 'wss'), tls });
  for (const transport of ['tls', 'wss'] as const) {
    const phone = await phoneFor(t, { transport, target: places[transport]!, ca: certificate.cert });
    await phone.send(makeRequest(phone, { to: TO }));
    const invite = await pbx.next('INVITE');
    t.equal(invite.headers('Record-Route').length, 2, transport);
    await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
    const answer = await phone.next('200 INVITE');
    await phone.send(makeInDialog(phone, callerDialog(answer), 'ACK', 1));
    await pbx.next('ACK');
  }
});

t.test('certificates are read anew, and connections that are up stay', async (t) => {
  const pbx = await keep(t, openUdpPhone());
  const tls = { server: certificate, ca: undefined, verify: true };
  const { places, engine } = await openEngine(t, { upstream: `sip:${pbx.at}`, listen: listen('udp', 'tls'), tls });
  const old = await phoneFor(t, { transport: 'tls', target: places['tls']!, ca: certificate.cert });
  await old.send(makeRequest(old, { to: TO }));
  await pbx.next('INVITE');
  engine.useCertificates(other);
  const fresh = await phoneFor(t, { transport: 'tls', target: places['tls']!, ca: other.cert });
  await fresh.send(makeRequest(fresh, { to: TO }));
  await pbx.next('INVITE');
  await old.send(makeRequest(old, { to: TO }));
  await pbx.next('INVITE');
});

t.test('a PBX over TLS: its certificate is checked', async (t) => {
  const pbx = await phoneFor(t, { transport: 'tls', certificate });
  for (const [ca, code] of [
    [certificate.cert, 486],
    [other.cert, 503],
  ] as const) {
    const { udp } = await openEngine(t, {
      upstream: `sip:127.0.0.1:${pbx.port};transport=tls`,
      listen: listen('udp', 'tls'),
      tls: { server: certificate, ca, verify: true },
    });
    const phone = await keep(t, openUdpPhone());
    await phone.send(makeRequest(phone, { to: TO }), udp);
    if (code === 486) {
      const invite = await pbx.next('INVITE');
      t.match(invite.header('Via'), 'SIP/2.0/TLS');
      await pbx.reply(invite, makeResponse(invite, 486));
    }
    await phone.next(code);
  }
});

t.test('the PBX by name: SRV, priorities, and the next one where the first is dead', async (t) => {
  const [first, second] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone('127.0.0.2'))];
  const dead = { ip: '127.0.0.1', port: 9 };
  const nameServer = await startNameServer(t, {
    services: {
      '_sip._udp.pbx.example.com': [
        [20, 1, second.port, 'two.example.com'],
        [10, 1, dead.port, 'one.example.com'],
      ],
      '_sip._udp.good.example.com': [[1, 1, first.port, 'one.example.com']],
    },
    hosts: { 'one.example.com': '127.0.0.1', 'two.example.com': '127.0.0.2', 'plain.example.com': '127.0.0.1' },
  });
  await t.test('over to the next', async (t) => {
    const { udp, engine, log } = await openEngine(t, { upstream: 'sip:pbx.example.com', nameServers: [nameServer] });
    const phone = await keep(t, openUdpPhone());
    const ask = async (): Promise<number> => {
      await phone.send(makeRequest(phone, { to: TO, callId: unique() }), udp);
      await until(
        () => phone.received.some(({ code }) => code === 503) || second.count('INVITE') > 0,
        'an answer',
        5000,
      );
      return second.count('INVITE');
    };
    await until(async () => (await ask()) > 0, 'the second address', 10_000);
    t.ok(engine.sizes.transactions > 0, log.join());
  });
  await t.test('a port needs no SRV', async (t) => {
    const upstream = `sip:plain.example.com:${first.port}`;
    const { udp } = await openEngine(t, { upstream, nameServers: [nameServer] });
    const phone = await keep(t, openUdpPhone());
    await phone.send(makeRequest(phone, { to: TO }), udp);
    await first.next('INVITE');
  });
  await t.test('a name that is none', async (t) => {
    const { udp, log } = await openEngine(t, { upstream: 'sip:nowhere.example.com', nameServers: [nameServer] });
    const phone = await keep(t, openUdpPhone());
    await phone.send(makeRequest(phone, { to: TO }), udp);
    t.equal((await phone.next(503)).header('Retry-After'), '10');
    await until(() => log.some((line) => line.includes('no address')), 'a log line');
  });
});

t.test('a browser that is gone without a word is let go', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.teardown(() => void server.close());
  await once(server, 'listening');
  server.on('connection', (webSocket) => keepAlive(webSocket, 30));
  const { port } = server.address() as AddressInfo;
  const [gone, here] = [false, true].map((autoPong) => new WebSocket(`ws://127.0.0.1:${port}`, { autoPong }));
  await once(gone!, 'close');
  t.equal(here!.readyState, WebSocket.OPEN);
  here!.terminate();
});

t.test('a PBX whose connection closes while it rings', async (t) => {
  const pbx = await keep(t, openWirePhone({ transport: 'tcp' }));
  const upstream = `sip:${pbx.at};transport=tcp`;
  const { udp, places, engine } = await openEngine(t, { upstream, listen: listen('udp', 'tcp') });
  const ring = async (): Promise<{ phone: WirePhone; invite: Received; request: string }> => {
    const phone = await keep(t, openUdpPhone());
    const request = makeRequest(phone, { to: TO });
    await phone.send(request, udp);
    const invite = await pbx.next('INVITE');
    await pbx.reply(invite, makeResponse(invite, 180));
    await phone.next(180);
    pbx.disconnect();
    await until(() => engine.sizes.connections === 0, 'the end of the connection');
    return { phone, invite, request };
  };
  await t.test('its answer comes over another', async () => {
    const { phone, invite } = await ring();
    const other = await phoneFor(t, { transport: 'tcp', target: places['tcp']! });
    await other.send(makeResponse(invite, 200, { contact: `<${upstream}>` }));
    await phone.next('200 INVITE');
    await other.close();
    await until(() => engine.sizes.connections === 0, 'the end of that, too');
  });
  await t.test('so does what it is told', async () => {
    const { phone, request } = await ring();
    await phone.send(makeFollowUp('CANCEL', readWire(request)), udp);
    const cancel = await pbx.next('CANCEL');
    await pbx.reply(cancel, makeResponse(cancel, 200));
  });
  await t.test('a caller that gives up does not wait for one that is dead', async () => {
    const { phone, request } = await ring();
    await pbx.close();
    await phone.send(makeFollowUp('CANCEL', readWire(request)), udp);
    await phone.next(487);
  });
});

t.test('a connection over TLS that is opened again is checked for the same name', async (t) => {
  const named = makeCertificate('pbx.example.com');
  const pbx = await phoneFor(t, { transport: 'tls', certificate: named });
  const nameServer = await startNameServer(t, { hosts: { 'pbx.example.com': '127.0.0.1' } });
  const { udp, engine } = await openEngine(t, {
    upstream: `sip:pbx.example.com:${pbx.port};transport=tls`,
    nameServers: [nameServer],
    listen: listen('udp', 'tls'),
    tls: { server: certificate, ca: named.cert, verify: true },
  });
  const phone = await keep(t, openUdpPhone());
  const request = makeRequest(phone, { to: TO });
  await phone.send(request, udp);
  const invite = await pbx.next('INVITE');
  await pbx.reply(invite, makeResponse(invite, 180));
  await phone.next(180);
  pbx.disconnect();
  await until(() => engine.sizes.connections === 0, 'the end of the connection');
  await phone.send(makeFollowUp('CANCEL', readWire(request)), udp);
  await pbx.next('CANCEL');
});
