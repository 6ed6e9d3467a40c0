/* eslint-disable @typescript-eslint/no-unsafe-member-access -- answers are looked at as they come */
import { get } from 'node:http';
import t from 'tap';
import { type Answer, hashFor, READ, startApi, type TestApi, WRITE } from './harness.ts';

const PASSWORD = 'correct horse battery';

const usersOf = async (): Promise<string> => {
  const hash = await hashFor(PASSWORD);
  return `
  users:
    - { name: admin, password: "${hash}" }
    - { name: looker, password: "${hash}", access: read }
    - { name: desk, password: "${hash}", role: extension, extension: "0003*102" }`;
};

interface SignedIn {
  readonly answer: Answer;
  readonly cookie: string;
  /** Cookie and CSRF token. */
  readonly headers: Record<string, string>;
}

async function signIn(api: TestApi, body: object): Promise<SignedIn> {
  const answer = await api.ask('POST', '/api/v1/session', { body });
  const cookie = (answer.headers.get('set-cookie') ?? '').split(';')[0]!;
  return { answer, cookie, headers: { cookie, 'x-csrf-token': String(answer.body.csrfToken) } };
}

const RULE = { extensions: ['0003*102'], events: ['hangup'], url: 'http://192.0.2.1/x' };

t.test('signing in and out with a password', async (t) => {
  const api = await startApi(t, await usersOf());
  t.strictSame((await api.ask('GET', '/api/v1/sign-in')).body, { password: true, link: false });
  t.strictSame(api.printed, [''], 'no link where there are users');
  t.equal((await api.ask('GET', '/api/v1/session')).status, 401);
  const { answer, cookie, headers } = await signIn(api, { user: 'admin', password: PASSWORD });
  t.equal(answer.status, 200);
  t.match(answer.headers.get('set-cookie'), /^ringside-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
  t.match(answer.body, { user: 'admin', role: 'operator', extension: null, tenant: null, canWrite: true });
  t.match(answer.body.csrfToken, /^[\w-]{43}$/);
  t.equal((await api.ask('GET', '/api/v1/session', { headers: { cookie } })).body.csrfToken, answer.body.csrfToken);
  t.equal((await api.ask('DELETE', '/api/v1/session', { headers })).status, 204);
  t.equal((await api.ask('GET', '/api/v1/session', { headers: { cookie } })).status, 401, 'it is over');
});

t.test('wrong names and passwords look the same, and make their address wait for that name', async (t) => {
  const api = await startApi(t, await usersOf());
  const answers: Answer[] = [];
  for (const user of Array.from({ length: 6 }, () => ['admin', 'nobody']).flat()) {
    answers.push((await signIn(api, { user, password: 'wrong' })).answer);
  }
  t.strictSame(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size, 1);
  t.equal(answers[0]!.status, 401);
  const { answer } = await signIn(api, { user: 'admin', password: PASSWORD });
  t.equal(answer.status, 429, 'even the right one has to wait then');
  t.match(answer.headers.get('retry-after'), /^\d+$/);
  t.equal((await signIn(api, { user: 'nobody', password: PASSWORD })).answer.status, 429, 'as for a name that is none');
  t.equal((await signIn(api, { user: 'desk', password: PASSWORD })).answer.status, 200, 'others get in');
  t.equal(
    (await signIn(api, { user: 'admin', password: PASSWORD })).answer.status,
    429,
    'which does not make guessing at the first any faster',
  );
});

t.test('programs with a wrong token wait, and keep nobody else from coming in', async (t) => {
  const api = await startApi(t, await usersOf());
  for (let i = 0; i < 6; i++) await api.ask('GET', '/api/v1/rules', { token: 'a-wrong-token-0123456789' });
  t.equal((await api.ask('GET', '/api/v1/rules', { token: 'a-wrong-token-0123456789' })).status, 429);
  t.equal((await api.ask('GET', '/api/v1/rules', { token: WRITE })).status, 200);
  t.equal((await signIn(api, { user: 'admin', password: PASSWORD })).answer.status, 200);
});

t.test('the waits grow, are per name and network, and are forgotten', async (t) => {
  const { FailureLimit } = await import('../../src/api/access/failure-limit.ts');
  let now = 0;
  const limit = new FailureLimit(() => now);
  const waits = Array.from({ length: 9 }, () => {
    limit.fail('2001:db8::1', 'admin');
    return limit.waitMs('2001:db8:0:0:ffff::2', 'admin');
  });
  t.strictSame(waits, [0, 0, 0, 0, 0, 1000, 2000, 4000, 8000]);
  t.equal(limit.waitMs('2001:db8:0:1::1', 'admin'), 0, 'another network');
  t.equal(limit.waitMs('192.0.2.1', 'admin'), 0);
  t.equal(limit.waitMs('2001:db8::1', 'desk'), 0, 'another name');
  now += 8000;
  t.equal(limit.waitMs('2001:db8::1', 'admin'), 0);
  now += 900_000;
  limit.fail('2001:db8::1', 'admin');
  t.equal(limit.waitMs('2001:db8::1', 'admin'), 0, 'long ago');
  for (let i = 0; i < 50; i++) limit.fail('192.0.2.9', `name ${i}`);
  t.equal(limit.waitMs('192.0.2.9', 'admin'), 10_000, 'a guess at many names, but nobody is kept out for long');
});

t.test('what a browser sends for other sites is refused', async (t) => {
  const api = await startApi(t, await usersOf());
  const { cookie, headers } = await signIn(api, { user: 'admin', password: PASSWORD });
  const csrf = headers['x-csrf-token']!;
  const tries: readonly [what: string, status: number, headers: Record<string, string>][] = [
    ['no token', 403, { cookie }],
    ['a wrong token', 403, { cookie, 'x-csrf-token': 'x'.repeat(43) }],
    ['from another site', 403, { cookie, 'x-csrf-token': csrf, 'sec-fetch-site': 'cross-site' }],
    ['from another site, told by its origin', 403, { cookie, 'x-csrf-token': csrf, 'origin': 'http://evil.example' }],
    ['of no origin', 403, { cookie, 'x-csrf-token': csrf, 'origin': 'null' }],
    ['from the page', 201, { cookie, 'x-csrf-token': csrf, 'origin': api.origin, 'sec-fetch-site': 'same-origin' }],
  ];
  for (const [what, status, own] of tries) {
    const answer = await api.ask('POST', '/api/v1/rules', { headers: own, body: RULE });
    t.equal(answer.status, status, what);
    if (status === 403) t.equal(answer.body.error.code, 'csrf', what);
  }
  const body = { user: 'admin', password: PASSWORD };
  const foreign = await api.ask('POST', '/api/v1/session', { headers: { 'sec-fetch-site': 'cross-site' }, body });
  t.equal(foreign.status, 403, 'nor is anybody signed in for them');
  const form = { 'content-type': 'text/plain' };
  t.equal((await api.ask('POST', '/api/v1/session', { headers: form, body: JSON.stringify(body) })).status, 415);
});

t.test("an extension's own user sees and edits that extension only", async (t) => {
  const api = await startApi(t, await usersOf());
  const others = { extensions: ['0003*101'], events: ['hangup'], url: 'http://192.0.2.1/other' };
  const wide = { extensions: ['*'], events: ['hangup'], url: 'http://192.0.2.1/wide' };
  for (const body of [others, wide])
    t.equal((await api.ask('POST', '/api/v1/rules', { token: WRITE, body })).status, 201);
  const foreign = (await api.ask('GET', '/api/v1/rules', { token: WRITE })).body.rules[0].id as string;
  const { answer, headers } = await signIn(api, { user: 'desk', password: PASSWORD });
  t.match(answer.body, { role: 'extension', extension: '0003*102', canWrite: true });
  const ask = async (method: string, path: string, body?: object): Promise<number> =>
    (await api.ask(method, `/api/v1${path}`, { headers, ...(body && { body }) })).status;
  t.equal(await ask('POST', '/rules', RULE), 201, 'its own');
  t.equal(await ask('POST', '/rules', others), 403, "another's");
  t.equal(await ask('POST', '/rules', wide), 403, "everybody's");
  t.equal(await ask('POST', '/rules', { ...RULE, extensions: ['0003*102', '0003*101'] }), 403, 'both');
  t.equal(await ask('PATCH', `/rules/${foreign}`, { note: 'x' }), 404);
  t.equal(await ask('DELETE', `/rules/${foreign}`), 404);
  t.equal(await ask('POST', `/rules/${foreign}/test`, {}), 404);
  const { rules } = (await api.ask('GET', '/api/v1/rules', { headers })).body as {
    rules: { id: string; url: string }[];
  };
  t.strictSame(
    rules.map(({ url }) => url),
    ['http://192.0.2.1/x'],
  );
  t.equal(
    await ask('PATCH', `/rules/${rules[0]!.id}`, { extensions: ['0003*101'] }),
    403,
    'and it may not be given away',
  );
  for (const path of ['/overview', '/metrics']) t.equal(await ask('GET', path), 403, path);
  for (const path of ['/calls', '/deliveries', '/registrations']) t.equal(await ask('GET', path), 200, path);
  t.strictSame((await api.ask('GET', '/api/v1/health', { headers })).body, { status: 'ok' });
});

t.test('who may only read changes nothing, but signs out', async (t) => {
  const api = await startApi(t, await usersOf());
  const { headers } = await signIn(api, { user: 'looker', password: PASSWORD });
  t.equal((await api.ask('POST', '/api/v1/rules', { headers, body: RULE })).status, 403);
  t.equal((await api.ask('POST', '/api/v1/rules', { token: READ, body: RULE })).status, 403);
  t.equal((await api.ask('GET', '/api/v1/rules', { token: READ })).status, 200);
  t.equal((await api.ask('DELETE', '/api/v1/session', { headers })).status, 204);
});

t.test('without users a link signs in, once; it is told to the operator alone', async (t) => {
  const api = await startApi(t);
  t.strictSame((await api.ask('GET', '/api/v1/sign-in')).body, { password: false, link: true });
  const tokenOf = (line: string): string => new RegExp(`${api.origin}/sign-in#token=([\\w-]{43})$`).exec(line)![1]!;
  const token = tokenOf(api.printed[0]!);
  t.equal((await signIn(api, { token: 'x'.repeat(43) })).answer.status, 401);
  t.equal((await signIn(api, { token: 'ü' })).answer.status, 401);
  const { answer, headers } = await signIn(api, { token });
  t.match(answer.body, { user: 'operator', role: 'operator', canWrite: true });
  t.equal((await signIn(api, { token })).answer.status, 401, 'only once');
  const next = tokenOf(api.printed[1]!);
  t.not(next, token);
  t.equal((await signIn(api, { user: 'admin', password: '' })).answer.status, 401, 'there is no user without password');
  api.reload(await usersOf());
  t.equal(
    (await api.ask('GET', '/api/v1/rules', { headers })).status,
    401,
    'with users the link and who came by it are out',
  );
  t.equal((await signIn(api, { token: next })).answer.status, 401);
});

t.test('users and tokens of a new configuration are in force at once', async (t) => {
  const users = await usersOf();
  const api = await startApi(t, users);
  const { headers } = await signIn(api, { user: 'admin', password: PASSWORD });
  const desk = await signIn(api, { user: 'desk', password: PASSWORD });
  t.equal((await api.ask('GET', '/api/v1/rules', { headers })).status, 200);
  api.reload(`${users.replace(/.*name: admin.*\n/, '').replace('0003*102', '0003*101')}\n  tokens: []`);
  t.equal((await api.ask('GET', '/api/v1/rules', { headers })).status, 401);
  t.equal((await api.ask('GET', '/api/v1/rules', { headers: desk.headers })).status, 401, 'another extension');
  t.equal((await api.ask('GET', '/api/v1/rules', { token: WRITE })).status, 401);
});

t.test('another password ends the sessions of a user, and of no other', async (t) => {
  const users = await usersOf();
  const api = await startApi(t, users);
  const { headers } = await signIn(api, { user: 'admin', password: PASSWORD });
  const desk = await signIn(api, { user: 'desk', password: PASSWORD });
  api.reload(users.replace(/(name: admin, password: ")[^"]+/, `$1${await hashFor('another one')}`));
  t.equal((await api.ask('GET', '/api/v1/rules', { headers })).status, 401);
  t.equal((await api.ask('GET', '/api/v1/rules', { headers: desk.headers })).status, 200);
});

t.test('signing in anew ends the session before, and never takes one over', async (t) => {
  const api = await startApi(t, await usersOf());
  const body = { user: 'admin', password: PASSWORD };
  const first = await signIn(api, body);
  const again = await api.ask('POST', '/api/v1/session', { headers: { cookie: first.cookie }, body });
  t.equal(again.status, 200);
  t.not(again.headers.get('set-cookie')!.split(';')[0], first.cookie);
  t.equal((await api.ask('GET', '/api/v1/session', { headers: first.headers })).status, 401);
  const planted = { cookie: `ringside-session=${'x'.repeat(43)}` };
  const other = await api.ask('POST', '/api/v1/session', { headers: planted, body });
  t.notMatch(other.headers.get('set-cookie'), /xxxx/);
});

t.test('behind a proxy with https that is named, the cookie is for https and this host alone', async (t) => {
  const api = await startApi(t, `${await usersOf()}\n  trustProxy: [127.0.0.1]`);
  const body = { user: 'admin', password: PASSWORD };
  const forwarded = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'pbx.example.com' };
  const origin = 'https://pbx.example.com';
  const answer = await api.ask('POST', '/api/v1/session', { headers: { ...forwarded, origin }, body });
  t.equal(answer.status, 200);
  const given = answer.headers.get('set-cookie')!;
  t.match(given, /^__Host-ringside-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
  t.match(answer.headers.get('strict-transport-security'), /max-age/);
  const cookie = given.split(';')[0]!;
  t.equal((await api.ask('GET', '/api/v1/session', { headers: { ...forwarded, cookie } })).status, 200);
  const plain = cookie.replace('__Host-', '');
  const neighbour = await api.ask('GET', '/api/v1/session', { headers: { ...forwarded, cookie: plain } });
  t.equal(neighbour.status, 401, 'a cookie that a neighbour could have set does not count');

  const direct = await startApi(t, await usersOf());
  const believed = await direct.ask('POST', '/api/v1/session', { headers: { ...forwarded, origin }, body });
  t.equal(believed.status, 403, 'nobody else is believed');
});

t.test('a name that a foreign site made lead to this machine is refused', async (t) => {
  const statusFor = (api: TestApi, host: string, path = '/'): Promise<number> =>
    new Promise((done, fail) => {
      const options = { host: '127.0.0.1', port: api.port, path, headers: { host } };
      get(options, (response) => done(response.resume().statusCode!)).on('error', fail);
    });
  const api = await startApi(t);
  for (const path of ['/', '/api/v1/sign-in', '/uapi/x']) {
    t.equal(await statusFor(api, `evil.example:${api.port}`, path), path === '/uapi/x' ? 401 : 403, path);
  }
  for (const host of ['127.0.0.1', '[::1]:8080', 'localhost:1', 'ringside.localhost']) {
    t.not(await statusFor(api, host), 403, host);
  }
  const proxied = await startApi(t, '  trustProxy: [127.0.0.1]');
  t.not(await statusFor(proxied, 'pbx.example.com'), 403, 'a reverse proxy passes its own on');
});

t.test('every answer has headers that keep the browser safe', async (t) => {
  const api = await startApi(t);
  for (const path of ['/api/v1/health', '/', '/nothing.js', '/uapi/x', '/uapi/%zz', '/%zz']) {
    const { headers } = await api.ask('GET', path);
    t.match(
      headers.get('content-security-policy'),
      /default-src 'none'; script-src 'self';.*frame-ancestors 'none'/,
      path,
    );
    t.equal(headers.get('x-content-type-options'), 'nosniff', path);
    t.equal(headers.get('referrer-policy'), 'no-referrer', path);
    t.equal(headers.get('access-control-allow-origin'), null, path);
  }
});

t.test('sessions: only so many, and only so long', async (t) => {
  const { Sessions } = await import('../../src/api/access/sessions.ts');
  const { LINK_USER } = await import('../../src/api/access/users.ts');
  let now = 0;
  const sessions = new Sessions(2, 1000, () => now);
  const cookies = [1, 2, 3].map(() => sessions.open(LINK_USER).cookie);
  t.strictSame(
    cookies.map((cookie) => sessions.find(cookie) !== undefined),
    [false, true, true],
  );
  now = 999;
  t.ok(sessions.find(cookies[1]!), 'use makes it last');
  now = 1500;
  t.ok(sessions.find(cookies[1]!));
  t.notOk(sessions.find(cookies[2]!));
});
