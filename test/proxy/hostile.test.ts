import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { Branches } from '../../src/proxy/embedded/branches.ts';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { ServerTransaction } from '../../src/proxy/embedded/server-transaction.ts';
import { Timers } from '../../src/proxy/embedded/timers.ts';
import { openEngine, type Opened } from './harness.ts';
import { keep, openTcpServer, openUdpPhone, openWebPhone } from './phones.ts';
import { callerDialog, makeInDialog, makeRequest, makeResponse, unique } from './support/wire-builders.ts';
import { until } from './support/ports.ts';
import { seededRandom } from './support/relay.ts';
import type { WirePhone } from './support/wire-phone.ts';

// What one peer sends must not harm the calls of others.

const TO = 'sip:102@acme.example.com';

async function openEdge(
  t: Test,
  options: Partial<EmbeddedOptions> = {},
): Promise<Opened & { phone: WirePhone; pbx: WirePhone }> {
  const [phone, pbx] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
  return { ...(await openEngine(t, { upstream: `sip:${pbx.at}`, ...options })), phone, pbx };
}

/** A call from one to the other that must go through. */
async function callThrough({ udp }: Opened, phone: WirePhone, pbx: WirePhone): Promise<void> {
  const callId = `good${unique()}`;
  await phone.send(makeRequest(phone, { to: TO, callId }), udp);
  const invite = await pbx.next(
    (message) => message.code === 0 && message.callId === callId && message.method === 'INVITE',
  );
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  const dialog = callerDialog(await phone.next((message) => message.code === 200 && message.callId === callId));
  await phone.send(makeInDialog(phone, dialog, 'BYE', 2), udp);
  const bye = await pbx.next((message) => message.callId === callId && message.code === 0 && message.method === 'BYE');
  await pbx.send(makeResponse(bye, 200), udp);
  await phone.next((message) => message.callId === callId && message.method === 'BYE');
}

t.test('one message at a time', async (t) => {
  const edge = await openEdge(t, { ringMs: 10_000 });
  const { phone, pbx, udp } = edge;
  const invite = (): string => makeRequest(phone, { to: TO });
  const rows: [title: string, text: string, code: number][] = [
    ['too many header fields', invite().replace('Max-Forwards', `${'X: n\r\n'.repeat(989)}Max-Forwards`), 400],
    ['a body that is not there', invite().replace(/Content-Length: \d+/, 'Content-Length: 60000'), 400],
    ['two sizes', invite().replace('Content-Length', 'Content-Length: 1\r\nContent-Length'), 400],
    ['no end of the header section', invite().replace(/\r\n\r\n[^]*/, ''), 400],
    ['a number of hops in other words', invite().replace('Forwards: 70', 'Forwards: 1e3'), 400],
    ['a route to a name with a zero byte', invite().replace('Max', 'Route: <sip:a\0b:5060;lr>\r\nMax'), 0],
  ];
  for (const [title, text, code] of rows) {
    await phone.send(text, udp);
    if (code > 0) t.equal((await phone.next(code)).code, code, title);
    await callThrough(edge, phone, pbx);
  }
  await phone.send(`${invite()}INVITE sip:smuggled@x SIP/2.0\r\nVia: SIP/2.0/UDP x;branch=z9hG4bKx\r\n\r\n`, udp);
  t.notMatch((await pbx.next('INVITE')).text, 'smuggled', 'what stands behind a message in a datagram goes nowhere');
  t.equal(edge.drops.get('internal error'), undefined);
});

t.test('half a line end, which some programs take for a whole one', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  for (const start of ['Call-ID: ', 'From: ', 'Subject: ']) {
    await phone.send(
      makeRequest(phone, { to: TO, headers: ['Subject: x'] }).replace(start, `${start}a\rX-Evil: b`),
      udp,
    );
    t.notMatch((await phone.next(400)).text, /\r(?!\n)/, start);
  }
  t.equal(pbx.received.length, 0);
});

t.test('routes of other calls, and other words', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const carrier = await keep(t, openUdpPhone());
  await phone.send(makeRequest(phone, { to: TO, callId: 'path' }), udp);
  const invite = await pbx.next('INVITE');
  const route = invite.header('Record-Route')!;
  for (const callId of ['path', 'other']) {
    const headers = [`Route: ${route}`, `Route: <sip:${carrier.at};lr>`];
    await phone.send(makeRequest(phone, { to: 'sip:1900@x', callId, headers, cseq: 7 }), udp);
    await pbx.next('INVITE');
  }
  t.equal(carrier.received.length, 0, 'all of it went to the PBX');
});

t.test('a response that no transaction is left for goes where its request came from, and nowhere else', async (t) => {
  const { phone, pbx, udp, stop } = await openEdge(t);
  const victim = await keep(t, openUdpPhone());
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await stop();
  const listen = [{ transport: 'udp' as const, ...udp }];
  const { drops } = await openEngine(t, { upstream: `sip:${pbx.at}`, listen });
  const answer = makeResponse(invite, 200);
  const last = (text: string): number => text.lastIndexOf('Via: ');
  const [ours, theirs] = [answer.slice(0, last(answer)), answer.slice(last(answer))];
  const stolen = `Via: SIP/2.0/UDP ${victim.at};branch=z9hG4bKx${theirs.slice(theirs.indexOf('\r\n'))}`;
  await pbx.send(ours + stolen, udp);
  await pbx.send(answer.replace(/branch=([^.;]*)/, 'branch=$1x'), udp);
  await pbx.send(answer, udp);
  await phone.next('200 INVITE');
  t.equal(victim.received.length, 0);
  t.equal(drops.get('response to nothing we sent'), 2);
});

t.test('branches of one fork tell nothing of each other', (t) => {
  const branches = new Branches('secret', 0);
  const [first, second] = [branches.next('hash', 'u192.0.2.1:5060'), branches.next('hash', 'u192.0.2.1:5060')];
  const differing = [...first].filter((letter, i) => letter !== second[i]).length;
  t.ok(differing > 6, `${first} ${second}`);
  t.ok(new Branches('secret', 1).isOurs(first, 'u192.0.2.1:5060'), 'also after a restart');
  t.notOk(branches.isOurs(first, 'u192.0.2.2:5060'));
  t.end();
});

t.test('calls that are up go on while new ones are refused', async (t) => {
  const { phone, pbx, udp, engine } = await openEdge(t, { maxTransactions: 20 });
  await phone.send(makeRequest(phone, { to: TO }), udp);
  await pbx.send(makeResponse(await pbx.next('INVITE'), 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  const dialog = callerDialog(await phone.next('200 INVITE'));
  for (let i = 0; i < 19; i++) await phone.send(makeRequest(phone, { to: TO }), udp);
  t.equal((await phone.next(503)).header('Retry-After'), '5');
  await phone.send(makeInDialog(phone, dialog, 'BYE', 2), udp);
  await pbx.next('BYE');
  t.ok(engine.sizes.transactions > 18);
});

t.test('a request that nothing answers is forgotten', (t) => {
  const timers = new Timers();
  const ended: string[] = [];
  const host = { timers, sendResponse: () => {}, onSilence: () => {}, onEnd: () => void ended.push('OPTIONS') };
  const server = new ServerTransaction('key', 'OPTIONS', {} as never, Buffer.from('x'), host);
  server.respond(Buffer.from('SIP/2.0 180 Ringing'), 180);
  for (let now = 0; now < 33_000; now += 1000) timers.advance(now);
  t.same(ended, ['OPTIONS']);
  t.end();
});

t.test('a caller whose connection closed is told the end over another', async (t) => {
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { places, pbx, udp, engine } = await openEdge(t, { listen });
  const phone = await keep(t, openTcpServer());
  const socket = connect(places['tcp']!.port, '127.0.0.1');
  socket.write(makeRequest(phone, { to: TO }));
  const invite = await pbx.next('INVITE');
  socket.destroy();
  await until(() => engine.sizes.connections === 0, 'the end of the connection');
  await pbx.send(makeResponse(invite, 486), udp);
  await phone.next(486);
});

t.test('one address can not take all connections', async (t) => {
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { places, drops, engine } = await openEdge(t, { listen, maxConnectionsPerAddress: 2 });
  const open = (): Socket => connect(places['tcp']!.port, '127.0.0.1').on('error', () => {});
  const first = open();
  const others = [open(), open()];
  await Promise.race(others.map((socket) => once(socket.resume(), 'close')));
  t.equal(drops.get('more connections from one address than limits allow'), 1);
  first.destroy();
  await until(() => engine.sizes.connections === 1, 'the end of one');
  const next = open().resume();
  await until(() => engine.sizes.connections === 2, 'room for another');
  for (const socket of [...others, next]) socket.destroy();
});

t.test('a PBX over TCP is told where messages end', async (t) => {
  const pbx = await keep(t, openTcpServer());
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { udp } = await openEngine(t, { upstream: `sip:${pbx.at};transport=tcp`, listen });
  const phone = await keep(t, openUdpPhone());
  const text = makeRequest(phone, { to: TO });
  await phone.send(text.replace(/Content-Length: \d+\r\n/, ''), udp);
  t.equal((await pbx.next('INVITE')).body, text.slice(text.indexOf('\r\n\r\n') + 4));
});

t.test('bytes that are no UTF-8 reach a browser, and its connection stays', async (t) => {
  const listen = (['udp', 'ws'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { places, pbx, udp } = await openEdge(t, { listen });
  const phone = await keep(t, openWebPhone(places['ws']!));
  await phone.send(makeRequest(phone, { to: TO }));
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 180, { headers: ['Subject: M\xfcller'] }), udp);
  await phone.next(180);
});

t.test('a broken certificate is refused; a stop waits for nobody who says nothing', async (t) => {
  const listen = (['udp', 'tcp', 'ws'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { engine, places, drops, stop } = await openEdge(t, { listen });
  const silent = [places['ws']!, places['tcp']!].map(({ ip, port }) => connect(port, ip));
  await Promise.all(silent.map((socket) => once(socket, 'connect')));
  engine.useCertificates({ cert: 'junk', key: 'junk' });
  t.equal(drops.get('internal error'), 1, 'told, and nothing worse');
  const closed = silent.map((socket) => once(socket.on('error', () => {}).resume(), 'close'));
  await stop();
  await Promise.all(closed);
});

t.test('mutated messages, with calls beside them', async (t) => {
  t.setTimeout(900_000);
  const seed = Number(process.env['FUZZ_SEED'] ?? 1);
  const count = Number(process.env['FUZZ_MESSAGES'] ?? 3000);
  const random = seededRandom(seed);
  const edge = await openEdge(t, { maxTransactions: 1_000_000 });
  const { phone, pbx, udp, drops, engine, skip } = edge;
  const attacker = createSocket('udp4');
  attacker.on('error', () => {}); // a message larger than a datagram
  t.teardown(() => void attacker.close());
  const methods = ['INVITE', 'ACK', 'CANCEL', 'BYE', 'REGISTER', 'OPTIONS', 'SUBSCRIBE', 'REFER', 'STRANGE'];
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const mutate = (text: string): Buffer => {
    const lines = text.split('\r\n');
    if (random() < 0.5) lines.splice(Math.floor(random() * lines.length), 1);
    if (random() < 0.3) lines.splice(1, 0, pick(lines), `${pick(lines)}, ${pick(lines)}`);
    const bytes = Buffer.from(lines.join(random() < 0.1 ? '\n' : '\r\n'), 'latin1');
    for (let i = Math.floor(random() * 6); i > 0; i--)
      bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    return random() < 0.1 ? bytes.subarray(0, Math.floor(random() * bytes.length)) : bytes;
  };
  for (let i = 0; i < count; i++) {
    const seen = pbx.received.at(-1)?.text ?? 'SIP/2.0 200 OK\r\nVia: x\r\n\r\n';
    const own = makeRequest(phone, {
      to: pick([TO, `sip:${udp.ip}:${udp.port}`, 'sip:x@1.2.3.4:0']),
      method: pick(methods),
    });
    const text = random() < 0.3 ? seen.replace(/^[^\r]*/, 'SIP/2.0 200 OK') : own;
    attacker.send(mutate(text), udp.port, udp.ip);
    if (i % 20 === 0) await new Promise((done) => setTimeout(done, 5)); // as much as the phone of the test can take
    if (i % 300 === 0) await callThrough(edge, phone, pbx);
  }
  await callThrough(edge, phone, pbx);
  t.equal(
    drops.get('internal error'),
    undefined,
    `seed ${seed}: ${edge.log.filter((line) => line.includes('internal')).join('\n')}`,
  );
  const isQuiet = (): boolean => {
    skip(40_000);
    return engine.sizes.transactions === 0;
  };
  await until(isQuiet, 'the end of all transactions', 20_000);
});
