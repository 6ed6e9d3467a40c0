import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import t, { type Test } from 'tap';
import { hasBaresip, hasKamailio, startBaresip, startKamailio, type Kamailio } from './support/peers.ts';
import { until } from './support/ports.ts';
import { fates, openRelay } from './support/relay.ts';
import { hasSipp, runSipp, startSipp } from './support/sipp.ts';
import {
  calledDialog,
  callerDialog,
  contactUri,
  makeFollowUp,
  makeInDialog,
  makeRequest,
  makeResponse,
  SDP,
  unique,
} from './support/wire-builders.ts';
import {
  authorize,
  makeCertificate,
  openWirePhone,
  Received,
  type WirePhone,
  type WirePhoneOptions,
} from './support/wire-phone.ts';

async function openSocket(t: Test, got: string[]): Promise<Socket> {
  const socket = createSocket('udp4').on('message', (packet) => got.push(packet.toString()));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => new Promise<void>((done) => socket.close(done)));
  return socket;
}

async function phoneFor(t: Test, options: WirePhoneOptions = {}): Promise<WirePhone> {
  const phone = await openWirePhone(options);
  t.teardown(() => phone.close());
  return phone;
}

t.test('a relay loses and doubles by its seed', async (t) => {
  const impairment = { loss: 0.3, duplicate: 0.2, delayMs: 0, jitterMs: 0 };
  const next = fates(42, 0, 'up');
  const expected = Array.from({ length: 200 }, (_, at) => {
    const { isLost, delays } = next(impairment);
    return isLost ? [] : delays.map(() => `${at}`);
  }).flat();
  const got: string[] = [];
  const server = await openSocket(t, got);
  const relay = await openRelay({ target: { ip: '127.0.0.1', port: server.address().port }, seed: 42, ...impairment });
  t.teardown(() => relay.close());
  const client = await openSocket(t, []);
  for (let at = 0; at < 200; at++) {
    client.send(`${at}`, relay.port, '127.0.0.1');
    if (at % 20 === 19) await until(() => relay.up.received > at, 'the relay takes the packets');
  }
  await until(() => got.length >= expected.length, 'all packets come');
  t.strictSame(got, expected, 'as foretold, in order');
  t.equal(relay.up.sent, expected.length);
  t.equal(relay.up.lost + relay.up.sent - relay.up.duplicated, 200);
  t.ok(relay.up.lost > 40 && relay.up.lost < 80, 'about as many are lost as asked for');
  t.equal(relay.down.received, 0);
});

t.test('a relay is a NAT: a port per client, both ways, and it can forget', async (t) => {
  const got: string[] = [];
  const ports = new Set<number>();
  const server = await openSocket(t, got);
  server.on('message', (packet, { port, address }) => {
    ports.add(port);
    server.send(`re ${packet.toString()}`, port, address);
  });
  const relay = await openRelay({ target: { ip: '127.0.0.1', port: server.address().port } });
  t.teardown(() => relay.close());
  const [heardA, heardB]: [string[], string[]] = [[], []];
  const [a, b] = [await openSocket(t, heardA), await openSocket(t, heardB)];
  for (const [socket, text] of [
    [a, 'a'],
    [b, 'b'],
    [a, 'c'],
  ] as const)
    socket.send(text, relay.port, '127.0.0.1');
  await until(() => heardA.length === 2 && heardB.length === 1, 'answers come back');
  t.strictSame(heardB, ['re b']);
  t.equal(ports.size, 2);
  relay.forget();
  a.send('d', relay.port, '127.0.0.1');
  await until(() => heardA.includes('re d'), 'it goes on');
  t.equal(ports.size, 3, 'from another port');
});

t.test('a relay delays, reorders and filters', async (t) => {
  const got: string[] = [];
  const server = await openSocket(t, got);
  const target = { ip: '127.0.0.1', port: server.address().port };
  const passes = (packet: Buffer): boolean => packet.toString() !== '3';
  const relay = await openRelay({ target, passes, delayMs: 5, jitterMs: 60, seed: 3 });
  t.teardown(() => relay.close());
  const client = await openSocket(t, []);
  for (let at = 0; at < 20; at++) client.send(`${at}`, relay.port, '127.0.0.1');
  await until(() => got.length === 19, 'all but one come');
  t.notOk(got.includes('3'));
  t.equal(relay.up.filtered, 1);
  t.ok(relay.up.overtaken > 0, 'some are overtaken');
});

/** Calls and hangs up from the other side, everything sent by hand. */
async function callBetween(t: Test, alice: WirePhone, bob: WirePhone, uri: string): Promise<void> {
  const callId = unique();
  await alice.send(makeRequest(alice, { to: uri, from: 'sip:alice@example.test', callId }));
  const asked = await bob.next('INVITE');
  t.equal(asked.body, SDP);
  await bob.reply(asked, makeResponse(asked, 180));
  const answer = makeResponse(asked, 200, { contact: `<${contactUri(bob, 'bob')}>`, body: SDP });
  await bob.reply(asked, answer);
  const [ringing, accepted] = [await alice.next(180), await alice.next('200 INVITE')];
  t.equal(ringing.toTag, accepted.toTag, 'one transaction, one tag');
  await alice.send(makeInDialog(alice, callerDialog(accepted), 'ACK', 1));
  t.equal((await bob.next('ACK')).cseq, 1);
  await bob.send(makeInDialog(bob, calledDialog(asked), 'BYE', 1), asked.from);
  const bye = await alice.next('BYE');
  t.equal(bye.callId, callId);
  await alice.reply(bye, makeResponse(bye, 200));
  await bob.next('200 BYE');
  t.strictSame([alice.unconsumed.filter(({ code }) => code !== 100), bob.unconsumed], [[], []], 'no more was said');
}

for (const transport of ['udp', 'tcp', 'tls', 'ws', 'wss'] as const) {
  t.test(`phones call each other over ${transport}`, async (t) => {
    const certificate = makeCertificate('127.0.0.1', 'localhost');
    const bob = await phoneFor(t, { transport, certificate });
    const trust = transport === 'tls' || transport === 'wss' ? { ca: certificate.cert } : {};
    const alice = await phoneFor(t, { transport, target: bob, ...trust });
    await callBetween(t, alice, bob, `sip:bob@127.0.0.1:${bob.port}`);
    t.equal(bob.peers.length, transport === 'udp' ? 0 : 1);
  });
}

t.test('messages in pieces and together, keep-alives between them', async (t) => {
  const bob = await phoneFor(t, { transport: 'tcp' });
  const alice = await phoneFor(t, { transport: 'tcp', target: bob });
  const texts = [1, 2].map((cseq) => makeRequest(alice, { to: 'sip:bob@example.test', cseq, body: 'Größe' }));
  const stream = `\r\n\r\n${texts.join('\r\n\r\n')}`;
  for (const piece of stream.match(/[^]{1,100}/g)!) await alice.send(piece);
  await bob.next((message) => message.cseq === 2);
  t.strictSame(
    bob.received.map(({ text }) => text),
    texts,
  );
  t.strictSame(bob.keepAlives.join(''), '\r\n\r\n\r\n\r\n');
  alice.disconnect();
  await until(() => bob.peers.length === 0, 'the connection ends');
});

t.test('answering by itself, CANCEL, and what the waiting phone tells', async (t) => {
  const bob = await phoneFor(t);
  const alice = await phoneFor(t, { target: bob });
  let invited: Received | undefined;
  bob.answer((request) => {
    if (request.method === 'INVITE') return [makeResponse((invited = request), 100), makeResponse(request, 180)];
    return request.method === 'CANCEL' ? [makeResponse(request, 200), makeResponse(invited!, 487)] : [];
  });
  const invite = new Received(makeRequest(alice, { to: 'sip:bob@example.test' }));
  await alice.send(invite.text);
  await alice.next(180);
  await alice.send(makeFollowUp('CANCEL', invite));
  await alice.next('200 CANCEL');
  await alice.send(makeFollowUp('ACK', invite, (await alice.next('4xx INVITE')).header('To')));
  const asked = [await bob.next('INVITE'), await bob.next('CANCEL'), await bob.next('ACK')];
  t.equal(new Set(asked.map(({ branch }) => branch)).size, 1, 'all of one transaction');
  await t.rejects(alice.next(486, 20), /waited 20 ms for 486; it got:\n {2}SIP\/2\.0 100 .*\n {2}\(taken\) SIP/);
});

t.test('the dialog and digest builders', (t) => {
  const phone = { transport: 'udp', at: '192.0.2.1:5060' };
  const invite = makeRequest(phone, { to: 'sip:bob@example.test' });
  const routes = ['Record-Route: <sip:a;lr>, <sip:b;lr>', 'Record-Route: "x, y" <sip:c,d;lr>'];
  const asked = new Received(invite.replace('\r\nFrom', `\r\n${routes.join('\r\n')}\r\nFrom`));
  const answer = new Received(makeResponse(asked, 200, { contact: '<sip:bob@192.0.2.9>' }));
  const bye = new Received(makeInDialog(phone, callerDialog(answer), 'BYE', 8));
  t.strictSame(bye.headers('Route'), ['"x, y" <sip:c,d;lr>', '<sip:b;lr>', '<sip:a;lr>']);
  t.strictSame([bye.uri, bye.cseq, bye.header('t')], ['sip:bob@192.0.2.9', 8, answer.header('To')]);
  const back = new Received(makeInDialog(phone, calledDialog(asked), 'BYE', 1));
  t.strictSame(back.headers('Route'), ['<sip:a;lr>', '<sip:b;lr>', '"x, y" <sip:c,d;lr>']);
  t.equal(back.uri, 'sip:101@192.0.2.1:5060;transport=udp');
  const request = new Received(makeRequest(phone, { method: 'OPTIONS', to: 'sip:x' }));
  const header = 'WWW-Authenticate: Digest realm="r, s", nonce="n", algorithm=MD5';
  const challenge = new Received(makeResponse(request, 401, { headers: [header] }));
  const proved = new Received(authorize(request, challenge, { user: 'u', password: 'p' }));
  t.equal(proved.cseq, 2);
  t.match(
    proved.header('Authorization'),
    /^Digest username="u", realm="r, s", nonce="n", uri="sip:x", response="\w{32}"/,
  );
  t.end();
});

t.test('SIPp calls SIPp', { skip: !hasSipp && 'sipp (Debian: sip-tester) is not installed' }, async (t) => {
  const reject = ['-key', 'code', '486'];
  const rows: [called: string[], caller: string[]][] = [
    [['uas-answer'], ['uac-call', '-d', '50']],
    [
      ['uas-answer', '-t', 't1'],
      ['uac-call', '-t', 't1', '-d', '50'],
    ],
    [['uas-ring'], ['uac-cancel']],
    [
      ['uas-reject', ...reject],
      ['uac-expect', ...reject],
    ],
  ];
  for (const [called, caller] of rows) {
    const server = await startSipp(['-sf', ...called]);
    const result = await runSipp(['-sf', ...caller, '-m', '3', '-r', '50', `${server.ip}:${server.port}`]);
    const served = await server.stop();
    const title = `${called.join(' ')}, ${caller.join(' ')}`;
    t.match(result, { code: 0, stats: { successful: 3, failed: 0, unexpected: 0 } }, `${title}: the caller`);
    t.match(served, { code: 0, stats: { successful: 3, failed: 0, unexpected: 0 } }, `${title}: the called`);
  }
  const server = await startSipp(['-sf', 'uas-reject', ...reject]);
  const result = await runSipp(['-sf', 'uac-expect', '-key', 'code', '404', `${server.ip}:${server.port}`]);
  await server.stop();
  t.match(result, { code: 1, errors: /486 Rejected/, stats: { failed: 1 } }, 'another code is a failure');
});

t.test('SIPp registers', { skip: !hasSipp && 'sipp (Debian: sip-tester) is not installed' }, async (t) => {
  const registrar = await phoneFor(t);
  const headers = ['WWW-Authenticate: Digest realm="example.test", nonce="n", algorithm=MD5'];
  registrar.answer((request) => {
    const isProved = request.header('Authorization') !== undefined;
    return [isProved ? makeResponse(request, 200) : makeResponse(request, 401, { headers })];
  });
  const keys = ['-key', 'user', 'alice', '-key', 'domain', 'example.test', '-au', 'alice', '-ap', 'secret'];
  const result = await runSipp(['-sf', 'uac-register', ...keys, `127.0.0.1:${registrar.port}`]);
  t.match(result, { code: 0, stats: { successful: 1 } });
  const [first, proved] = registrar.received;
  t.strictSame([first!.uri, first!.header('Expires')], ['sip:example.test', '300']);
  t.match(proved!.header('Authorization'), /username="alice".*uri="sip:example\.test"/);
});

t.test('SIPp over a bad network', { skip: !hasSipp && 'sipp (Debian: sip-tester) is not installed' }, async (t) => {
  const server = await startSipp(['-sf', 'uas-answer', '-d', '1000'], { lossy: true });
  const relay = await openRelay({ target: server, loss: 0.1, duplicate: 0.1, delayMs: 5, jitterMs: 20, seed: 5 });
  t.teardown(() => relay.close());
  const calls = ['-sf', 'uac-call', '-d', '50', '-m', '5', '-r', '50', `${relay.ip}:${relay.port}`];
  const result = await runSipp(calls, { lossy: true });
  t.match(result, { code: 0, stats: { successful: 5, failed: 0 } });
  t.ok(result.stats.retransmissions > 0, 'it had to repeat itself');
  t.match((await server.stop()).stats, { successful: 5, failed: 0 });
});

async function register(phone: WirePhone, user: string, headers: readonly string[] = []): Promise<Received> {
  const { ip, port } = phone.target!;
  const domain = `${ip}:${port}`;
  await phone.send(
    makeRequest(phone, { method: 'REGISTER', to: `sip:${domain}`, from: `sip:${user}@${domain}`, headers }),
  );
  return phone.next('200 REGISTER');
}

const kamailioSkip = { skip: !hasKamailio && 'kamailio is not installed' };

t.test('Kamailio as a registrar', kamailioSkip, async (t) => {
  const kamailio: Kamailio = await startKamailio({ ip: '127.0.0.2' });
  t.teardown(() => kamailio.stop());
  await t.test('phones register and call', async (t) => {
    for (const transport of ['udp', 'tcp'] as const) {
      const alice = await phoneFor(t, { transport, target: kamailio });
      const bob = await phoneFor(t, { transport, target: kamailio });
      t.match((await register(alice, 'alice')).headers('Contact'), [/^<sip:alice@127.*expires=/]);
      await register(bob, `bob-${transport}`);
      await callBetween(t, alice, bob, `sip:bob-${transport}@127.0.0.2:${kamailio.port}`);
    }
  });
  await t.test('calls go through the Path that was registered', async (t) => {
    const edge = await phoneFor(t, { target: kamailio, ip: '127.0.0.3' });
    const path = `<sip:token@127.0.0.3:${edge.port};lr>`;
    const answer = await register(edge, 'carol', [`Path: ${path}`, 'Supported: path']);
    t.strictSame(answer.headers('Path'), [path]);
    const alice = await phoneFor(t, { target: kamailio });
    await alice.send(makeRequest(alice, { to: `sip:carol@127.0.0.2:${kamailio.port}` }));
    const asked = await edge.next('INVITE');
    t.strictSame(asked.headers('Route'), [path]);
    await edge.reply(asked, makeResponse(asked, 486));
    await alice.next(486);
  });
  await t.test('whom it does not know', async (t) => {
    const alice = await phoneFor(t, { target: kamailio });
    await alice.send(makeRequest(alice, { to: `sip:nobody@127.0.0.2:${kamailio.port}` }));
    await alice.next(404);
  });
});

const baresipSkip = { skip: !(hasKamailio && hasBaresip) && 'kamailio or baresip is not installed' };

t.test('baresip registers and calls', baresipSkip, async (t) => {
  const kamailio = await startKamailio({ ip: '127.0.0.2' });
  t.teardown(() => kamailio.stop());
  for (const transport of ['udp', 'tcp'] as const) {
    const alice = await startBaresip({ user: `alice-${transport}`, outbound: kamailio, transport });
    const bob = await startBaresip({ user: `bob-${transport}`, outbound: kamailio, transport, answers: true });
    await alice.dial(bob.aor);
    t.equal((await alice.next('CALL_ESTABLISHED')).direction, 'outgoing');
    t.equal((await bob.next('CALL_ESTABLISHED')).peeruri, alice.aor);
    await alice.hangUp();
    await bob.next('CALL_CLOSED');
    await Promise.all([alice.stop(), bob.stop()]);
  }
});
