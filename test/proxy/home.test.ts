import { createHash } from 'node:crypto';
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
  unique,
} from './support/wire-builders.ts';
import type { Endpoint } from './support/relay.ts';
import { openTcpPhone, openUdpPhone, openWebPhone } from './phones.ts';
import type { Received, WirePhone } from './support/wire-phone.ts';

// Without a PBX: phones register here and call each other.

const DOMAIN = 'sip:acme.example.com';
const aor = (user: string): string => `sip:${user}@acme.example.com`;

const hash = (algorithm: string, text: string): string =>
  createHash(algorithm === 'SHA-256' ? 'sha256' : 'md5')
    .update(text)
    .digest('hex');

interface Login {
  readonly user: string;
  readonly password: string;
  readonly algorithm?: string;
  readonly count?: string;
  /** As an old device does: without nonce count. */
  readonly isOld?: boolean;
}

/** The credentials for a challenge. RFC 7616 §3.4. */
function answer(challenged: Received, method: string, uri: string, login: Login): string {
  const { user, password, algorithm = 'MD5', count = '00000001', isOld = false } = login;
  const name = challenged.code === 401 ? 'WWW-Authenticate' : 'Proxy-Authenticate';
  const challenge = challenged.headers(name).find((value) => value.includes(`algorithm=${algorithm},`)) ?? '';
  const get = (key: string): string => new RegExp(`${key}="([^"]*)"`).exec(challenge)?.[1] ?? '';
  const [realm, nonce] = [get('realm'), get('nonce')];
  const ha1 = hash(algorithm, `${user}:${realm}:${password}`);
  const counted = isOld ? '' : `${count}:c1:auth:`;
  const response = hash(algorithm, `${ha1}:${nonce}:${counted}${hash(algorithm, `${method}:${uri}`)}`);
  const header = challenged.code === 401 ? 'Authorization' : 'Proxy-Authorization';
  return (
    `${header}: Digest username="${user}", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${response}", ` +
    `algorithm=${algorithm}${isOld ? '' : `, cnonce="c1", qop=auth, nc=${count}`}`
  );
}

interface Registration {
  readonly login?: Partial<Login>;
  readonly contact?: string;
  readonly headers?: readonly string[];
  readonly callId?: string;
  readonly cseq?: number;
  readonly wants?: number;
}

/** Registers a phone, challenge and all. */
async function register(phone: WirePhone, at: Endpoint, user: string, options: Registration = {}): Promise<Received> {
  const { callId = unique(), cseq = 1, headers = [], contact, wants = 200 } = options;
  const request = {
    method: 'REGISTER',
    to: DOMAIN,
    from: aor(user),
    callId,
    ...(contact === undefined ? {} : { contact }),
  };
  await phone.send(makeRequest(phone, { ...request, headers, cseq }), at);
  const challenged = await phone.next(401);
  const credentials = answer(challenged, 'REGISTER', DOMAIN, { user, password: `secret${user}`, ...options.login });
  await phone.send(makeRequest(phone, { ...request, headers: [...headers, credentials], cseq: cseq + 1 }), at);
  return phone.next(wants);
}

interface Call {
  readonly callId: string;
  readonly branch: string;
}

/** Calls as 101, challenge and all. */
async function call(
  phone: WirePhone,
  at: Endpoint,
  to: string,
  login: Partial<Login> = {},
  { contact, headers = [] }: { readonly contact?: string; readonly headers?: readonly string[] } = {},
): Promise<Call> {
  const ids = { callId: unique(), branch: `z9hG4bK${unique()}`, ...(contact === undefined ? {} : { contact }) };
  await phone.send(makeRequest(phone, { to, callId: ids.callId }), at);
  const challenged = await phone.next(407);
  const credentials = answer(challenged, 'INVITE', to, { user: '101', password: 'secret101', ...login });
  await phone.send(makeRequest(phone, { to, ...ids, cseq: 2, headers: [...headers, credentials] }), at);
  return ids;
}

interface Home extends Opened {
  readonly caller: WirePhone;
  readonly phone: WirePhone;
}

async function openHome(t: Test, options: Partial<EmbeddedOptions> = {}): Promise<Home> {
  const [caller, phone] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
  return { ...(await openEngine(t, options)), caller, phone };
}

t.test('registration', async (t) => {
  const { phone, udp, bindings } = await openHome(t);
  for (const algorithm of ['MD5', 'SHA-256']) {
    const ok = await register(phone, udp, '102', { login: { algorithm } });
    t.match(ok.header('Contact'), new RegExp(`^<sip:102@${phone.at};transport=udp>;expires=3600$`), algorithm);
  }
  t.match(bindings.get('0003*102'), [{ flow: { transport: 'udp', remote: { port: phone.port } } }]);
  await t.test('a wrong password', () => register(phone, udp, '102', { login: { password: 'x' }, wants: 403 }));
  await t.test('the password of another', () =>
    register(phone, udp, '102', { login: { user: '101', password: 'secret101' }, wants: 403 }),
  );
  await t.test('an unknown number is challenged like a known one', () => register(phone, udp, '999', { wants: 403 }));
  await t.test('only a SHA-256 hash is known: no other algorithm is offered', async (t) => {
    const { phone, udp } = await openHome(t, { algorithms: ['MD5'] });
    await register(phone, udp, '104', { login: { algorithm: 'SHA-256' } });
    t.equal(phone.received[0]!.headers('WWW-Authenticate').length, 1);
  });
  await t.test('HA1 in place of a password', () => register(phone, udp, '103', { wants: 403 }));
  await t.test('too short', async (t) => {
    const refused = await register(phone, udp, '102', { headers: ['Expires: 5'], wants: 423 });
    t.equal(refused.header('Min-Expires'), '60');
  });
  await t.test('several contacts, with their own times', async (t) => {
    const contact = '<sip:102@192.0.2.7:5060>;expires=100;q=0.5, <sip:102@192.0.2.8:5060>;expires=90000';
    const ok = await register(phone, udp, '102', { contact, headers: ['Expires: 200'] });
    t.match(ok.headers('Contact'), [
      /expires=3600$/,
      '<sip:102@192.0.2.7:5060>;expires=100',
      '<sip:102@192.0.2.8:5060>;expires=7200',
    ]);
  });
  await t.test('which contacts are there?', async (t) => {
    t.equal((await register(phone, udp, '102', { contact: '' })).headers('Contact').length, 3);
  });
  await t.test('a contact goes, then all', async (t) => {
    const ok = await register(phone, udp, '102', { contact: '<sip:102@192.0.2.7:5060>;expires=0' });
    t.equal(ok.headers('Contact').length, 2);
    await register(phone, udp, '102', { contact: '*', headers: ['Expires: 60'], wants: 400 });
    t.strictSame((await register(phone, udp, '102', { contact: '*', headers: ['Expires: 0'] })).headers('Contact'), []);
    t.strictSame(bindings.get('0003*102'), []);
  });
  await t.test('an old one that comes late changes nothing', async () => {
    await register(phone, udp, '102', { callId: 'same', cseq: 10 });
    await register(phone, udp, '102', { callId: 'same', cseq: 5, wants: 500 });
  });
  await t.test('a device that connects anew replaces itself', async (t) => {
    const instance = ';+sip.instance="<urn:uuid:7>";reg-id=1';
    await register(phone, udp, '101', {
      contact: `<sip:101@192.0.2.7:1>${instance}`,
      headers: ['Supported: outbound'],
    });
    const ok = await register(phone, udp, '101', {
      contact: `<sip:101@192.0.2.7:2>${instance}`,
      headers: ['Supported: outbound'],
    });
    t.strictSame(ok.headers('Contact'), [`<sip:101@192.0.2.7:2>;expires=3600${instance}`]);
    t.equal(ok.header('Require'), 'outbound');
  });
  await t.test('what names a device is not written back as it is no name', async (t) => {
    const contact = '<sip:101@192.0.2.7:3>;+sip.instance="a\\"b";reg-id="1\\"2"';
    const ok = await register(phone, udp, '101', { contact });
    t.equal(ok.headers('Contact').at(-1), '<sip:101@192.0.2.7:3>;expires=3600');
  });
});

t.test('nonces: none twice, none too old', async (t) => {
  const { phone, udp } = await openHome(t, { nonceMs: 60_000 });
  await phone.send(makeRequest(phone, { method: 'REGISTER', to: DOMAIN, from: aor('102') }), udp);
  const challenged = await phone.next(401);
  const login = { user: '102', password: 'secret102' };
  const send = (headers: string[]): Promise<void> =>
    phone.send(makeRequest(phone, { method: 'REGISTER', to: DOMAIN, from: aor('102'), headers }), udp);
  await send([answer(challenged, 'REGISTER', DOMAIN, login)]);
  await phone.next(200);
  await send([answer(challenged, 'REGISTER', DOMAIN, login)]);
  t.match((await phone.next(401)).header('WWW-Authenticate'), 'stale=true', 'a copy of what was heard on the wire');
  await send([answer(challenged, 'REGISTER', DOMAIN, { ...login, count: '00000002' })]);
  await phone.next(200);
  const old = challenged.text.replace(
    /nonce="(.{9})/g,
    `nonce="${(Date.now() - 100_000).toString(36).padStart(9, '0')}`,
  );
  await send([
    answer(
      {
        ...challenged,
        code: 401,
        headers: () => /WWW-Authenticate: (.*MD5,.*)/.exec(old)!.slice(1),
      } as unknown as Received,
      'REGISTER',
      DOMAIN,
      login,
    ),
  ]);
  t.match((await phone.next(401)).header('WWW-Authenticate'), 'stale=true');
});

t.test('credentials from before a restart are asked for once more', async (t) => {
  const { phone, udp, stop } = await openHome(t);
  const request = { method: 'REGISTER', to: DOMAIN, from: aor('102') };
  await phone.send(makeRequest(phone, request), udp);
  const heard = answer(await phone.next(401), 'REGISTER', DOMAIN, { user: '102', password: 'secret102' });
  await phone.send(makeRequest(phone, { ...request, headers: [heard] }), udp);
  await phone.next(200);
  await stop();
  const again = await openEngine(t);
  await phone.send(makeRequest(phone, { ...request, headers: [heard] }), again.udp);
  t.match((await phone.next(401)).header('WWW-Authenticate'), 'stale=true');
});

t.test('credentials without a count are good for one request', async (t) => {
  const { phone, udp } = await openHome(t);
  const request = { method: 'REGISTER', to: DOMAIN, from: aor('102') };
  await phone.send(makeRequest(phone, request), udp);
  const login = { user: '102', password: 'secret102', isOld: true };
  const heard = answer(await phone.next(401), 'REGISTER', DOMAIN, login);
  await phone.send(makeRequest(phone, { ...request, headers: [heard] }), udp);
  await phone.next(200);
  for (const copy of [heard, `${heard}, cnonce="new"`]) {
    await phone.send(makeRequest(phone, { ...request, headers: [copy] }), udp);
    t.match((await phone.next(401)).header('WWW-Authenticate'), 'stale=true');
  }
});

t.test('credentials that were made for another number', async (t) => {
  const { caller, udp } = await openHome(t);
  const rows: [uri: string, code: number][] = [
    [aor('110'), 403],
    ['sip:102@192.0.2.7:5070;transport=tcp', 480],
    [DOMAIN, 480],
    ['nonsense', 400],
  ];
  for (const [uri, code] of rows) {
    await caller.send(makeRequest(caller, { to: aor('102') }), udp);
    const credentials = answer(await caller.next(407), 'INVITE', uri, { user: '101', password: 'secret101' });
    await caller.send(makeRequest(caller, { to: aor('102'), headers: [credentials], cseq: 2 }), udp);
    t.equal((await caller.next((message) => message.code > 100)).code, code, uri);
  }
});

t.test('phones call each other', async (t) => {
  const { caller, phone, udp } = await openHome(t);
  await register(phone, udp, '102');
  const { callId } = await call(caller, udp, aor('102'));
  const invite = await phone.next('INVITE');
  t.equal(invite.uri, `sip:102@${phone.at};transport=udp`);
  t.equal(invite.header('Proxy-Authorization'), undefined, 'credentials go no further than to us');
  t.equal(invite.header('Call-ID'), callId);
  await phone.send(makeResponse(invite, 200, { contact: `<sip:102@${phone.at}>` }), udp);
  const dialog = callerDialog(await caller.next(200));
  await caller.send(makeInDialog(caller, dialog, 'ACK', 2), udp);
  await phone.next('ACK');
  await caller.send(makeInDialog(caller, dialog, 'BYE', 3), udp);
  await phone.send(makeResponse(await phone.next('BYE'), 200), udp);
  await caller.next(200);
});

t.test('whom nobody can reach', async (t) => {
  const { caller, udp } = await openHome(t);
  for (const [to, code] of [
    [aor('102'), 480],
    [aor('0003*110'), 480],
    [aor('999'), 404],
    ['sip:x@elsewhere.example.com', 404],
  ] as const) {
    await call(caller, udp, to);
    await caller.next(code);
  }
  await call(caller, udp, aor('102'), { password: 'wrong' });
  await caller.next(403);
  await call(caller, udp, aor('102'), { user: '102', password: 'secret102' });
  await caller.next(403);
  await caller.send(makeRequest(caller, { to: aor('102'), method: 'BYE', toTag: 'x' }), udp);
  await caller.next(481);
});

t.test('a phone with two devices', async (t) => {
  const { caller, phone, udp } = await openHome(t);
  const other = await keep(t, openUdpPhone());
  await register(phone, udp, '102');
  await register(other, udp, '102');
  const both = async (): Promise<[Received, Received]> => [await phone.next('INVITE'), await other.next('INVITE')];

  await t.test('one answers, the other stops ringing', async (t) => {
    await call(caller, udp, aor('102'));
    const [first, second] = await both();
    for (const [device, invite] of [
      [phone, first],
      [other, second],
    ] as const)
      await device.send(makeResponse(invite, 180, { toTag: device.at }), udp);
    await caller.next(180);
    await caller.next(180);
    await other.send(makeResponse(second, 200, { toTag: 'two', contact: `<sip:102@${other.at}>` }), udp);
    await caller.next(200);
    const cancel = await phone.next('CANCEL');
    t.match(cancel.header('Reason'), 'SIP;cause=200');
    await phone.send(makeResponse(cancel, 200), udp);
    await phone.send(makeResponse(first, 487), udp);
    await phone.next('ACK');
    t.equal(caller.count(487), 0);
  });
  await t.test('both answer: both answers go to the caller', async (t) => {
    await call(caller, udp, aor('102'));
    const [first, second] = await both();
    await phone.send(makeResponse(first, 200, { toTag: 'one', contact: `<sip:102@${phone.at}>` }), udp);
    await other.send(makeResponse(second, 200, { toTag: 'two', contact: `<sip:102@${other.at}>` }), udp);
    const tags = [await caller.next(200), await caller.next(200)].map((heard) => heard.header('To')!);
    t.strictSame(tags.map((to) => to.split('tag=')[1]).toSorted(), ['one', 'two']);
  });
  const rows: [codes: [number, number], best: number][] = [
    [[486, 603], 603],
    [[503, 404], 404],
    [[486, 407], 407],
    [[480, 302], 302],
    [[500, 488], 488],
  ];
  for (const [codes, best] of rows) {
    await t.test(`${codes.join(' and ')}: the caller gets ${best}`, async () => {
      await call(caller, udp, aor('102'));
      const [first, second] = await both();
      await phone.send(
        makeResponse(first, codes[0], {
          headers: ['Proxy-Authenticate: Digest realm="a"'].slice(codes[0] === 407 ? 0 : 1),
        }),
        udp,
      );
      await other.send(makeResponse(second, codes[1]), udp);
      await caller.next(best);
    });
  }
  await t.test('603 ends all at once', async () => {
    await call(caller, udp, aor('102'));
    const [first, second] = await both();
    await phone.send(makeResponse(first, 180), udp);
    await caller.next(180);
    await other.send(makeResponse(second, 603), udp);
    const cancel = await phone.next('CANCEL');
    await phone.send(makeResponse(cancel, 200), udp);
    await phone.send(makeResponse(first, 487), udp);
    await caller.next(603);
  });
  await t.test('the caller gives up: both stop ringing', async () => {
    const ids = await call(caller, udp, aor('102'));
    const [first, second] = await both();
    for (const [device, invite] of [
      [phone, first],
      [other, second],
    ] as const)
      await device.send(makeResponse(invite, 180), udp);
    await caller.next(180);
    await caller.next(180);
    await caller.send(makeRequest(caller, { to: aor('102'), method: 'CANCEL', ...ids, cseq: 2, contact: '' }), udp);
    for (const [device, invite] of [
      [phone, first],
      [other, second],
    ] as const) {
      await device.send(makeResponse(await device.next('CANCEL'), 200), udp);
      await device.send(makeResponse(invite, 487), udp);
    }
    await caller.next(487);
  });
});

t.test('one after the other by preference; a silent one holds up nothing', async (t) => {
  const { caller, phone, udp, skip } = await openHome(t, { ringMs: 20_000 });
  const second = await keep(t, openUdpPhone());
  const third = await keep(t, openUdpPhone());
  for (const [device, q] of [
    [phone, 1],
    [second, 0.7],
    [third, 0.3],
  ] as const) {
    await register(device, udp, '102', { contact: `<sip:102@${device.at}>;q=${q}` });
  }
  await call(caller, udp, aor('102'));
  const first = await phone.next('INVITE');
  await phone.send(makeResponse(first, 180), udp);
  await caller.next(180);
  skip(10_000);
  await phone.send(makeResponse(first, 180), udp);
  await caller.next(180);
  t.equal(phone.count('CANCEL'), 0);
  skip(10_100);
  const cancel = await phone.next('CANCEL');
  t.match(cancel.header('Reason'), 'SIP;cause=408');
  await phone.send(makeResponse(cancel, 200), udp);
  await phone.send(makeResponse(first, 487), udp);
  await second.next('INVITE');
  for (let i = 0; i < 7; i++) skip(5000);
  await third.next('INVITE').then((invite) => third.send(makeResponse(invite, 486), udp));
  await caller.next(486);
});

t.test('an abandoned phone that answers after all is the one that is connected', async (t) => {
  const { caller, phone, udp, skip } = await openHome(t, { ringMs: 20_000 });
  await register(phone, udp, '102');
  await call(caller, udp, aor('102'));
  const invite = await phone.next('INVITE');
  await phone.send(makeResponse(invite, 180), udp);
  await caller.next(180);
  skip(20_100);
  await phone.next('CANCEL');
  await phone.send(makeResponse(invite, 200, { contact: `<sip:102@${phone.at}>` }), udp);
  await caller.next(200);
  t.equal(caller.count(408), 0);
});

t.test('Timer C: nothing rings for ever', async (t) => {
  const { caller, phone, udp, skip } = await openHome(t);
  await register(phone, udp, '102');
  await call(caller, udp, aor('102'));
  const invite = await phone.next('INVITE');
  await phone.send(makeResponse(invite, 180), udp);
  await caller.next(180);
  skip(184_000);
  await phone.send(makeResponse(invite, 180), udp);
  await caller.next(180);
  t.equal(phone.count('CANCEL'), 0, 'a further 180 begins it anew');
  skip(185_100);
  await phone.send(makeResponse(await phone.next('CANCEL'), 200), udp);
  skip(32_100);
  await caller.next(408);
});

t.test('registrations outlast a restart', async (t) => {
  const { caller, phone, udp, bindings, stop } = await openHome(t);
  await register(phone, udp, '102');
  await stop();
  const again = await openEngine(t, { bindings: bindings.get('0003*102')! });
  await call(caller, again.udp, aor('102'));
  await phone.next('INVITE');
});

t.test('phones over TCP and WebSocket are called over their connections', async (t) => {
  const listen = (['udp', 'tcp', 'ws'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { caller, places, udp } = await openHome(t, { listen });
  const openings: [string, () => Promise<WirePhone>][] = [
    ['tcp', () => openTcpPhone(places['tcp']!)],
    ['ws', () => openWebPhone(places['ws']!)],
  ];
  for (const [name, opening] of openings) {
    const phone = await opening();
    await register(phone, places[name]!, '102', { contact: '<sip:u1@made-up.invalid;transport=ws>' });
    await call(caller, udp, aor('102'));
    const invite = await phone.next('INVITE');
    await phone.send(makeResponse(invite, 200, { contact: '<sip:u1@made-up.invalid;transport=ws>' }), places[name]);
    const dialog = callerDialog(await caller.next(200));
    await caller.send(makeInDialog(caller, dialog, 'BYE', 3), udp);
    await phone.send(makeResponse(await phone.next('BYE'), 200), places[name]);
    await caller.next(200);
    await phone.close();
    await call(caller, udp, aor('102'));
    t.match((await caller.next(503)).header('Reason'), 'cause=27', `${name}: gone`);
  }
});

t.test('a call between browsers goes on when both have connected anew', async (t) => {
  const listen = (['udp', 'ws'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));
  const { places } = await openHome(t, { listen });
  const ws = places['ws']!;
  const names = { '101': 'sip:u1@made-up.invalid', '102': 'sip:u2@made-up.invalid' };
  const open = async (user: '101' | '102'): Promise<WirePhone> => {
    const phone = await keep(t, openWebPhone(ws));
    await register(phone, ws, user, { contact: `<${names[user]};transport=ws>` });
    return phone;
  };
  const [caller, called] = [await open('101'), await open('102')];
  await call(caller, ws, aor('102'), {}, { contact: `<${names[101]};transport=ws;ob>` });
  const invite = await called.next('INVITE');
  await called.send(makeResponse(invite, 200, { contact: `<${names[102]};transport=ws;ob>` }), ws);
  const answered = await caller.next(200);
  await Promise.all([caller.close(), called.close()]);
  const [callerAgain, calledAgain] = [await open('101'), await open('102')];
  await callerAgain.send(makeInDialog(callerAgain, callerDialog(answered), 'INFO', 3), ws);
  await calledAgain.send(makeResponse(await calledAgain.next('INFO'), 200), ws);
  await callerAgain.next(200);
  await calledAgain.send(makeInDialog(calledAgain, calledDialog(invite), 'BYE', 4), ws);
  t.equal((await callerAgain.next('BYE')).uri, `${names[101]};transport=ws;ob`);
});

t.test('a phone behind proxies of its own is called along its Path', async (t) => {
  const { caller, phone, udp } = await openHome(t);
  const edge = await keep(t, openUdpPhone());
  const path = [`<sip:token@${edge.at};lr>`, '<sip:192.0.2.30;lr>'];
  const headers = [`Path: ${path.join(', ')}`, 'Supported: path'];
  const ok = await register(phone, udp, '102', { contact: '<sip:102@192.0.2.77>', headers });
  t.strictSame(ok.headers('Path').join(', '), path.join(', '));
  await call(caller, udp, aor('102'));
  const invite = await edge.next('INVITE');
  t.equal(invite.uri, 'sip:102@192.0.2.77');
  t.strictSame(invite.headers('Route').join(', '), path.join(', '));
  await register(phone, udp, '102');
  const routes = [`Route: <sip:${udp.ip}:${udp.port};lr>`, 'Route: <sip:192.0.2.40;lr>'];
  await call(caller, udp, aor('102'), {}, { headers: routes });
  const route = (await edge.next('INVITE')).headers('Route').join(', ');
  t.equal(route, [...path, '<sip:192.0.2.40;lr>'].join(', '));
  t.strictSame((await phone.next('INVITE')).headers('Route'), ['<sip:192.0.2.40;lr>'], 'another phone, without Path');
});
