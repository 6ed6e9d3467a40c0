import t, { type Test } from 'tap';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { openEngine, type Opened } from './harness.ts';
import { keep } from './phones.ts';
import {
  calledDialog,
  callerDialog,
  makeInDialog,
  makeRequest,
  makeResponse,
  SDP,
  unique,
} from './support/wire-builders.ts';
import { openTcpPhone, openTcpServer, openUdpPhone, openWebPhone } from './phones.ts';
import { openWirePhone, type WirePhone } from './support/wire-phone.ts';

// In front of a PBX: what comes from phones goes to it, what comes from it goes to phones.

interface Edge extends Opened {
  readonly phone: WirePhone;
  readonly pbx: WirePhone;
}

async function openEdge(t: Test, options: Partial<EmbeddedOptions> = {}): Promise<Edge> {
  const pbx = await keep(t, openUdpPhone());
  const phone = await keep(t, openUdpPhone());
  const opened = await openEngine(t, { upstream: `sip:${pbx.at}`, ...options });
  return { ...opened, phone, pbx };
}

const TO = 'sip:102@acme.example.com';

t.test('a call through the proxy, and what it changes on the way', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const odd = [
    'x-OdD : kept  as it\tis',
    'v: SIP/2.0/UDP 192.0.2.99:5060;branch=z9hG4bKolder',
    'k: replaces,timer',
    'Subject: a\r\n folded',
  ];
  const request = makeRequest(phone, { to: TO, headers: odd, callId: 'c1@x' });
  await phone.send(request, udp);
  const invite = await pbx.next('INVITE');
  t.equal(invite.startLine, `INVITE ${TO} SIP/2.0`);
  t.equal(invite.body, SDP);
  t.equal(invite.header('Max-Forwards'), '69');
  t.match(invite.headers('Via'), [
    /^SIP\/2\.0\/UDP 127\.0\.0\.1:\d+;branch=z9hG4bK/,
    new RegExp(`rport=${phone.port}`),
  ]);
  t.equal(invite.headers('Record-Route').length, 1);
  t.match(invite.header('X-CallAPIID'), /^[a-z0-9]{20}$/);
  const untouched = request.split('\r\n').filter((line) => !/^(Via|Max-Forwards)/.test(line));
  t.strictSame(
    untouched.filter((line) => !invite.text.includes(`${line}\r\n`) && line !== ''),
    [],
    'all else is as it was',
  );

  await pbx.send(makeResponse(invite, 180), udp);
  t.match((await phone.next(180)).headers('Via'), [new RegExp(phone.at)], 'without the Via of the proxy');
  await pbx.send(
    makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>`, headers: ['X-Odd:  yes'], body: SDP }),
    udp,
  );
  const ok = await phone.next(200);
  t.match(ok.text, 'X-Odd:  yes\r\n');
  t.equal(ok.body, SDP);

  const caller = callerDialog(ok);
  const called = calledDialog(invite);
  await phone.send(makeInDialog(phone, caller, 'ACK', 1), udp);
  const ack = await pbx.next('ACK');
  t.equal(ack.uri, `sip:102@${pbx.at}`);
  t.strictSame(ack.headers('Route'), [], 'the route that named the proxy is gone');
  for (const method of ['INFO', 'REFER', 'UPDATE', 'MESSAGE', 'STRANGE']) {
    await phone.send(makeInDialog(phone, caller, method, 2, ['X-Who: caller']), udp);
    const there = await pbx.next(method);
    await pbx.send(makeResponse(there, 202), udp);
    await phone.next(202);
    await pbx.send(makeInDialog(pbx, called, method, 3), udp);
    await phone.send(makeResponse(await phone.next(method), 488), udp);
    await pbx.next(488);
  }
  await pbx.send(makeInDialog(pbx, called, 'BYE', 9), udp);
  await phone.send(makeResponse(await phone.next('BYE'), 200), udp);
  await pbx.next(200);
});

t.test('in-dialog requests find their way after a restart', async (t) => {
  const { phone, pbx, udp, stop } = await openEdge(t);
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  const caller = callerDialog(await phone.next(200));
  await stop();
  const again = await openEngine(t, {
    upstream: `sip:${pbx.at}`,
    listen: [{ transport: 'udp', ip: udp.ip, port: udp.port }],
  });
  await phone.send(makeInDialog(phone, caller, 'BYE', 2), again.udp);
  const bye = await pbx.next('BYE');
  await pbx.send(makeResponse(bye, 200), again.udp);
  await phone.next(200);
});

t.test('a route is good for the call that it was recorded for, and for nobody else', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const victim = await keep(t, openUdpPhone());
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  const stolen = callerDialog(await phone.next(200));
  const forged = { ...stolen, callId: 'another', target: `sip:x@${victim.at}` };
  await phone.send(makeInDialog(phone, forged, 'BYE', 2), udp);
  await pbx.send(makeResponse(await pbx.next('BYE'), 481), udp);
  await phone.next(481);
  t.equal(victim.received.length, 0, 'it goes to the PBX, whatever it asks for');
});

t.test('failures: ACK by the proxy, the final response again until the caller acknowledges', async (t) => {
  const { phone, pbx, udp, skip } = await openEdge(t);
  const branch = `z9hG4bK${unique()}`;
  await phone.send(
    makeRequest(phone, { to: TO, branch, callId: 'fail', headers: ['Route: <sip:127.0.0.1:9;lr>'].slice(1) }),
    udp,
  );
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 486, { headers: ['Retry-After: 7', 'Reason: Q.850;cause=17'] }), udp);
  const ack = await pbx.next('ACK');
  t.equal(ack.uri, invite.uri);
  t.equal(ack.header('Via'), invite.header('Via'));
  t.match(ack.header('To'), /;tag=t1$/);
  const busy = await phone.next(486);
  t.equal(busy.header('Retry-After'), '7');
  await pbx.send(makeResponse(invite, 486), udp);
  await pbx.next('ACK');
  skip(600);
  await phone.next(486);
  await phone.send(makeRequest(phone, { to: TO, branch, callId: 'fail' }), udp);
  await phone.next(486);
  const lines = makeRequest(phone, { to: TO, branch, method: 'ACK', callId: 'fail', toTag: 't1', body: '' });
  await phone.send(lines, udp);
  await phone.send(makeRequest(phone, { to: `sip:${udp.ip}:${udp.port}`, method: 'OPTIONS' }), udp);
  await phone.next(200);
  const before = phone.count(486);
  skip(5000);
  await phone.send(makeRequest(phone, { to: `sip:${udp.ip}:${udp.port}`, method: 'OPTIONS' }), udp);
  await phone.next(200);
  t.equal(phone.count(486), before, 'no more copies after the ACK');
  t.equal(pbx.count('ACK'), 2, 'the ACK of a failure is not passed on');
});

t.test('CANCEL', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const cancel = (branch: string, callId: string): string =>
    makeRequest(phone, { to: TO, method: 'CANCEL', branch, callId, contact: '', headers: ['Reason: SIP;cause=200'] });
  await t.test('after a provisional response', async (t) => {
    const branch = `z9hG4bK${unique()}`;
    await phone.send(makeRequest(phone, { to: TO, branch, callId: 'cancel1' }), udp);
    const invite = await pbx.next('INVITE');
    await pbx.send(makeResponse(invite, 180), udp);
    await phone.next(180);
    await phone.send(cancel(branch, 'cancel1'), udp);
    await phone.next(200);
    const passed = await pbx.next('CANCEL');
    t.equal(passed.header('Via'), invite.header('Via'));
    t.equal(passed.header('Reason'), 'SIP;cause=200');
    t.equal(passed.header('Max-Forwards'), '70');
    await pbx.send(makeResponse(passed, 200), udp);
    await pbx.send(makeResponse(invite, 487), udp);
    await pbx.next('ACK');
    await phone.next(487);
  });
  await t.test('before any response it waits for the first', async (t) => {
    const branch = `z9hG4bK${unique()}`;
    await phone.send(makeRequest(phone, { to: TO, branch, callId: 'cancel2' }), udp);
    const invite = await pbx.next('INVITE');
    await phone.send(cancel(branch, 'cancel2'), udp);
    await phone.next(200);
    t.equal(pbx.count('CANCEL'), 1);
    await pbx.send(makeResponse(invite, 100), udp);
    await pbx.next('CANCEL');
  });
  await t.test('of nothing', async () => {
    await phone.send(cancel(`z9hG4bK${unique()}`, 'cancel3'), udp);
    await phone.next(481);
  });
  await t.test('that crosses the answer', async () => {
    const branch = `z9hG4bK${unique()}`;
    await phone.send(makeRequest(phone, { to: TO, branch, callId: 'cancel4' }), udp);
    const invite = await pbx.next('INVITE');
    await pbx.send(makeResponse(invite, 180), udp);
    await phone.next(180);
    await phone.send(cancel(branch, 'cancel4'), udp);
    await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
    await phone.next(200);
    await phone.next(200);
  });
});

t.test('timers: copies on UDP, 100 for the caller, 408 when nobody answers', async (t) => {
  const { phone, udp, pbx, skip } = await openEdge(t);
  await phone.send(makeRequest(phone, { to: TO, callId: 'silent' }), udp);
  await pbx.next('INVITE');
  await phone.next(100);
  for (const ms of [500, 1000, 2000, 4000, 8000, 16_000]) {
    skip(ms);
    await pbx.next('INVITE');
  }
  skip(500);
  const answer = await phone.next(408);
  t.match(answer.header('To'), /;tag=/);
  t.equal(pbx.count('INVITE'), 7);
  await phone.send(makeRequest(phone, { to: TO, method: 'MESSAGE' }), udp);
  for (const ms of [0, 500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000]) {
    skip(ms);
    await pbx.next('MESSAGE');
  }
  skip(4000);
  await phone.next(408);
});

t.test('copies of a request are not passed on', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const text = makeRequest(phone, { to: TO });
  await phone.send(text, udp);
  const invite = await pbx.next('INVITE');
  await phone.send(text, udp);
  await phone.next(100);
  await pbx.send(makeResponse(invite, 183), udp);
  await phone.next(183);
  await phone.send(text, udp);
  await phone.next(183);
  t.equal(pbx.count('INVITE'), 1);
});

t.test('a target that refuses is told at once', async (t) => {
  const { phone, udp } = await openEdge(t, { upstream: 'sip:127.0.0.1:9' });
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const refused = await phone.next(503, 2500);
  t.match(refused.header('Reason'), /Q\.850;cause=27/, 'UDP: ICMP says so');
  const tcp = await openEdge(t, {
    upstream: 'sip:127.0.0.1:9;transport=tcp',
    listen: [
      { transport: 'udp', ip: '127.0.0.1', port: 0 },
      { transport: 'tcp', ip: '127.0.0.1', port: 0 },
    ],
  });
  tcp.phone.send(makeRequest(tcp.phone, { to: TO }), tcp.udp);
  t.match((await tcp.phone.next(503, 1000)).header('Reason'), /Q\.850;cause=27/, 'TCP: a reset says so');
});

t.test('requests that are refused', async (t) => {
  const { phone, pbx, udp, drops } = await openEdge(t);
  const rows: [code: number, text: string][] = [
    [483, makeRequest(phone, { to: TO, maxForwards: 0 })],
    [400, makeRequest(phone, { to: TO, maxForwards: 'many' })],
    [420, makeRequest(phone, { to: TO, headers: ['Proxy-Require: magic'] })],
    [416, makeRequest(phone, { to: 'mailto:a@b' })],
    [400, makeRequest(phone, { to: TO }).replace(/CSeq: .*\r\n/, '')],
    [400, makeRequest(phone, { to: TO }).replace('1 INVITE', '1 BYE')],
    [400, makeRequest(phone, { to: TO }).replace('Max', 'Route: <sip:unclosed\r\nMax')],
  ];
  for (const [code, text] of rows) {
    await phone.send(text, udp);
    await phone.next(code);
  }
  await phone.send('garbage\r\n\r\n', udp);
  await phone.send('\r\n\r\n', udp);
  await phone.send(makeRequest(phone, { to: `sip:${udp.ip}:${udp.port}`, method: 'OPTIONS' }), udp);
  t.match((await phone.next(200)).header('Allow'), /INVITE/);
  t.equal(pbx.received.length, 0);
  t.equal(drops.get('not readable as SIP'), 3);
  await phone.send(makeRequest(phone, { to: TO, maxForwards: '' }), udp);
  t.equal((await pbx.next('INVITE')).header('Max-Forwards'), '70');
});

t.test('a loop is found', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  const back = invite.text.replace('Via: ', `Via: SIP/2.0/UDP ${pbx.at};branch=z9hG4bK${unique()};rport\r\nVia: `);
  await pbx.send(back, udp);
  await pbx.next(482);
  await pbx.send(
    back.replace(`INVITE ${TO}`, `INVITE sip:103@${udp.ip}:${udp.port}`).replace('z9hG4bK', 'z9hG4bKother'),
    udp,
  );
  await pbx.next(404);
});

t.test('strict routers before and behind', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  const dialog = callerDialog(await phone.next(200));
  const ours = /<([^>]*)>/.exec(dialog.routes[0]!)![1]!;
  await phone.send(makeInDialog(phone, { ...dialog, target: ours, routes: [`<${dialog.target}>`] }, 'BYE', 2), udp);
  t.equal((await pbx.next('BYE')).uri, `sip:102@${pbx.at}`);
});

t.test('other transports, and the routes that lead back', async (t) => {
  const listen = (['udp', 'tcp', 'ws'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { places, pbx, udp } = await openEdge(t, { listen });
  const openings: [string, () => Promise<WirePhone>][] = [
    ['tcp', () => openTcpPhone(places['tcp']!)],
    ['ws', () => openWebPhone(places['ws']!)],
  ];
  for (const [name, opening] of openings) {
    const phone = await keep(t, opening());
    await phone.send(makeRequest(phone, { to: TO, body: SDP.padEnd(5000, 'x') }), places[name]);
    const invite = await pbx.next('INVITE');
    t.equal(invite.body.length, 5000, `${name}: large over UDP`);
    t.equal(invite.headers('Record-Route').length, 2, `${name}: a route for either side`);
    await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
    const caller = callerDialog(await phone.next(200));
    await phone.send(makeInDialog(phone, caller, 'ACK', 1), places[name]);
    await pbx.next('ACK');
    await pbx.send(makeInDialog(pbx, calledDialog(invite), 'BYE', 1), udp);
    await phone.send(makeResponse(await phone.next('BYE'), 200), places[name]);
    await pbx.next(200);
    await phone.send('\r\n\r\n', places[name]);
  }
});

t.test('a PBX over TCP: one connection is used for all', async (t) => {
  const pbx = await keep(t, openTcpServer());
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { udp } = await openEngine(t, { upstream: `sip:${pbx.at};transport=tcp`, listen });
  const phone = await keep(t, openUdpPhone());
  const ports = new Set<number>();
  for (let i = 0; i < 3; i++) {
    await phone.send(makeRequest(phone, { to: TO }), udp);
    const invite = await pbx.next('INVITE');
    ports.add(invite.from.port);
    t.match(invite.header('Via'), 'SIP/2.0/TCP');
    await pbx.send(makeResponse(invite, 486), invite.from);
    await phone.next(486);
  }
  t.equal(ports.size, 1);
});

t.test('REGISTER: the Contact leads through us, and back', async (t) => {
  const { phone, pbx, udp, bindings } = await openEdge(t);
  const contact = `<sip:102@192.168.7.7:5066;line=ab;transport=udp>;expires=600;+sip.instance="<urn:uuid:1>"`;
  await phone.send(makeRequest(phone, { method: 'REGISTER', to: 'sip:acme.example.com', from: TO, contact }), udp);
  const register = await pbx.next('REGISTER');
  const rewritten = register.header('Contact')!;
  t.match(
    rewritten,
    new RegExp(
      `^<sip:102@127\\.0\\.0\\.1:${udp.port};line=ab;rs=[\\w-]+>;expires=600;\\+sip\\.instance="<urn:uuid:1>"$`,
    ),
  );
  t.ok(/<([^>]*)>/.exec(rewritten)![1]!.length < 200, 'short enough for a PBX');
  await pbx.send(
    makeResponse(register, 200, {
      contact: `${rewritten.replace('600', '300')}, <sip:102@elsewhere.example.com>;expires=60`,
    }),
    udp,
  );
  t.equal(
    (await phone.next(200)).headers('Contact').join(', '),
    `${contact.replace('600', '300')}, <sip:102@elsewhere.example.com>;expires=60`,
  );
  const known = bindings.get('102@acme.example.com');
  t.match(known, [{ contact: 'sip:102@192.168.7.7:5066;line=ab;transport=udp' }]);
  t.equal(known?.length, 1, 'a contact elsewhere is no phone of ours');

  const target = /<([^>]*)>/.exec(rewritten)![1]!;
  await pbx.send(
    makeRequest(pbx, { to: target, from: 'sip:101@pbx.example.com', headers: ['X-CallAPIID: abcdefghij0123456789'] }),
    udp,
  );
  const invite = await phone.next('INVITE');
  t.equal(invite.uri, 'sip:102@192.168.7.7:5066;line=ab;transport=udp', 'at the address that NAT opened');
  t.equal(invite.header('X-CallAPIID'), undefined, 'what the PBX and we know is nothing for phones');
  await phone.send(makeResponse(invite, 200, { contact: '<sip:102@192.168.7.7:5066>' }), udp);
  const dialog = callerDialog(await pbx.next(200));
  await pbx.send(makeInDialog(pbx, dialog, 'BYE', 2), udp);
  t.equal((await phone.next('BYE')).uri, 'sip:102@192.168.7.7:5066');
});

t.test('REGISTER: Path where the phone knows it', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const headers = ['Supported: outbound, path'];
  await phone.send(makeRequest(phone, { method: 'REGISTER', to: 'sip:acme.example.com', from: TO, headers }), udp);
  const register = await pbx.next('REGISTER');
  t.match(register.header('Contact'), `<sip:102@${phone.at}`);
  const path = register.header('Path');
  t.match(path, new RegExp(`^<sip:[\\w-]+@127\\.0\\.0\\.1:${udp.port};lr>$`));
  await pbx.send(makeRequest(pbx, { to: `sip:102@${phone.at}`, headers: [`Route: ${path}`] }), udp);
  const invite = await phone.next('INVITE');
  t.strictSame(invite.headers('Route'), []);
});

t.test('the marker: of whom it is believed', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  await phone.send(
    makeRequest(phone, { to: TO, headers: ['X-CallAPIID: forged00000000000000', 'x-callapiid: twice'] }),
    udp,
  );
  const invite = await pbx.next('INVITE');
  t.equal(invite.headers('X-CallAPIID').length, 1);
  t.notMatch(invite.text, 'forged');
  const off = await openEdge(t, { marker: '' });
  off.phone.send(makeRequest(off.phone, { to: TO }), off.udp);
  t.equal((await off.pbx.next('INVITE')).header('X-CallAPIID'), undefined);
});

t.test('trunks', async (t) => {
  const { pbx, udp } = await openEdge(t, { trunks: ['127.0.0.9'] });
  const trunk = await keep(t, openUdpPhone('127.0.0.9'));
  await trunk.send(makeRequest(trunk, { to: `sip:15551230001@${udp.ip}:${udp.port}` }), udp);
  t.equal((await pbx.next('INVITE')).uri, `sip:15551230001@${pbx.at}`, 'what names us is made to name the PBX');
  await pbx.send(makeRequest(pbx, { to: `sip:15557654321@${trunk.at}` }), udp);
  t.equal((await trunk.next('INVITE')).header('X-CallAPIID'), undefined);
});

t.test('a PBX on this machine, over a connection that it opened itself', async (t) => {
  const listen = (['udp', 'tcp'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const opened = await openEdge(t, { listen, upstream: 'sip:127.0.0.2:5070;transport=tcp', trusted: ['127.0.0.2'] });
  const { phone, places } = opened;
  const pbx = await keep(t, openWirePhone({ transport: 'tcp', ip: '127.0.0.2', target: places['tcp']! }));
  const to = `sip:102@${phone.at}`;
  await t.test('is known where nobody else has its address', async () => {
    await pbx.send(makeRequest(pbx, { to }));
    await phone.next('INVITE');
  });
  await t.test('is not known by what it writes as its Via: anybody could', async (t) => {
    const { pbx, phone, places } = await openEdge(t, { listen });
    const other = await keep(t, openTcpPhone(places['tcp']!));
    await other.send(makeRequest(other, { to: `sip:102@${phone.at}` }).replace(`TCP ${other.at}`, `TCP ${pbx.at}`));
    await pbx.next('INVITE');
    t.equal(phone.received.length, 0, 'it goes to the PBX, as what comes from phones does');
  });
});

t.test('floods from one address are cut off, others are served', async (t) => {
  const { phone, pbx, udp, drops } = await openEdge(t, { ratePerSecond: 5 });
  for (let i = 0; i < 40; i++) await phone.send(makeRequest(phone, { to: TO, method: 'MESSAGE' }), udp);
  await pbx.send(makeRequest(pbx, { to: `sip:${udp.ip}:${udp.port}`, method: 'OPTIONS' }), udp);
  await pbx.next(200);
  t.equal(pbx.count('MESSAGE'), 20);
  t.equal(drops.get('rate limit'), 20);
});

t.test('a stop lets calls that are being set up finish, and refuses new ones', async (t) => {
  const { engine, phone, pbx, udp } = await openEdge(t);
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  const stopped = engine.stop(5000);
  await phone.send(makeRequest(phone, { to: TO }), udp);
  t.equal((await phone.next(503)).header('Retry-After'), '5');
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  await phone.next(200);
  await stopped;
});

t.test('addresses that are none', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  const nowhere = ['sip:x@127.0.0.1:0', 'sip:x@999.1.1.1', 'sip:x@[::1]:5060', 'sip:x@127.0.0.1:9;maddr=nonsense'];
  for (const [i, target] of nowhere.entries()) {
    await phone.send(makeRequest(phone, { to: TO, callId: `nowhere${i}` }), udp);
    const invite = await pbx.next('INVITE');
    await pbx.send(makeResponse(invite, 200, { contact: `<${target}>` }), udp);
    const dialog = callerDialog(await phone.next(200));
    await phone.send(makeInDialog(phone, dialog, 'ACK', 1), udp);
    await phone.send(makeInDialog(phone, dialog, 'BYE', 2), udp);
    await phone.next(503);
  }
  await phone.send(makeRequest(phone, { to: TO }).replace(';rport', ';received=nonsense;rport=99999'), udp);
  await pbx.next('INVITE');
});

t.test('a device that leaves out all Vias but ours', async (t) => {
  const { phone, pbx, udp } = await openEdge(t);
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 486).replace(/(Via: .*\r\n)Via: .*\r\n/, '$1'), udp);
  t.match((await phone.next(486)).headers('Via'), [new RegExp(phone.at)]);
});
