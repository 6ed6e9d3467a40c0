/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument -- answers are looked at as they come */
import t, { type Test } from 'tap';
import { callSteps } from './call-steps.ts';
import { type Asked, hashFor, startApi, StreamReader, TENANT, type TestApi, WRITE } from './harness.ts';

// Nothing of one tenant, or of one extension, is seen or changed by who is of another: every route, by token and by session.

const PASSWORD = 'correct horse battery';
/** What no stranger may find in any answer; `key` is secret, and in no answer at all. */
const SECRET = 'k3y-of-the-crm';

const MORE = `
tenants:
  - { prefix: "0003", domains: [acme.example.com], extensions: ["101", { number: "102", name: Front desk }] }
  - { prefix: "0004", domains: [other.example.com], extensions: ["101", "102"] }
callEvents:
  - { extension: "*", event: [hangup], url: "\${CRM:-http://127.0.0.1:9/crm?key=${SECRET}}" }
  - { extension: "*", event: [dial-in], method: POST, url: "http://127.0.0.1:9/wallboard?room=lobby" }
delivery: { schedule: [1h] }`;

const HOME = { uri: 'sip:102@acme.example.com' };

interface World {
  readonly api: TestApi;
  readonly call: string;
  /** A rule of the API, of 0003*102. */
  readonly rule: string;
  /** Deliveries of 0003*102 and of 0003*101, by rules of the file. */
  readonly deliveries: readonly number[];
  readonly as: { readonly [who: string]: Asked };
}

/** One call within tenant 0003 that is over, one that is live; 0003*102 has a rule of its own. */
async function makeWorld(t: Test): Promise<World> {
  const hash = await hashFor(PASSWORD);
  const users = `
  users:
    - { name: other-operator, password: "${hash}", tenant: "0004" }
    - { name: neighbour, password: "${hash}", role: extension, extension: "0003*101" }
    - { name: desk, password: "${hash}", role: extension, extension: "0003*102" }`;
  const api = await startApi(t, users, MORE);
  const rule = await api.ask('POST', '/api/v1/rules', {
    token: WRITE,
    body: { extensions: ['0003*102'], events: ['answer-in'], url: 'http://192.0.2.1/own?a=1' },
  });
  const watch = await StreamReader.open(t, api, { authorization: `Bearer ${WRITE}` });
  await watch.waitFor(({ event }) => event === 'start');
  const over = callSteps('over', HOME);
  const live = callSteps('live', { ...HOME, fromTag: 'l' });
  api.play([over.invite, over.ring, over.busy, live.invite, live.ring]);
  await watch.waitFor(({ event, data }) => event === 'delivery' && data.event === 'dial-in' && data.attempts === 1);
  await watch.waitFor(({ event, data }) => event === 'delivery' && data.event === 'hangup' && data.attempts === 1);
  watch.socket.destroy();
  const { deliveries } = (await api.ask('GET', '/api/v1/deliveries', { token: WRITE })).body;
  const { calls } = (await api.ask('GET', '/api/v1/calls?state=recent', { token: WRITE })).body;
  const as = {
    'a token of another tenant': { token: TENANT },
    'an operator of another tenant': await signIn(api, 'other-operator'),
    'another extension': await signIn(api, 'neighbour'),
    'the extension itself': await signIn(api, 'desk'),
  };
  const ids = (extension: string): number[] =>
    deliveries.filter((one: { extension: string }) => one.extension === extension).map((one: { id: number }) => one.id);
  return { api, call: calls[0].id, rule: rule.body.id, deliveries: [...ids('0003*102'), ...ids('0003*101')], as };
}

async function signIn(api: TestApi, user: string): Promise<Asked> {
  const { headers, body } = await api.ask('POST', '/api/v1/session', { body: { user, password: PASSWORD } });
  return { headers: { 'cookie': headers.get('set-cookie')!.split(';')[0]!, 'x-csrf-token': body.csrfToken } };
}

t.test('strangers', async (t) => {
  const { api, call, rule, deliveries, as } = await makeWorld(t);
  const [ofDesk, ofNeighbour] = [deliveries[0]!, deliveries.at(-1)!];
  const body = { extensions: ['0003*102'], events: ['hangup'], url: 'http://192.0.2.1/' };
  const unified = '/uapi/extensions/@me/0003*102/phoneCallEvents';
  const tries: readonly [method: string, path: string, body?: unknown][] = [
    ['GET', `/api/v1/rules/${rule}`],
    ['PATCH', `/api/v1/rules/${rule}`, { note: 'mine' }],
    ['DELETE', `/api/v1/rules/${rule}`],
    ['POST', `/api/v1/rules/${rule}/test`],
    ['POST', '/api/v1/rules', body],
    ['POST', '/api/v1/rules', { ...body, extensions: ['*'] }],
    ['POST', '/api/v1/rules', { ...body, extensions: ['0003*101-102'] }],
    ['POST', '/api/v1/rules', { ...body, extensions: ['????*10?'] }],
    ['POST', `/api/v1/calls/${call}/replay`, { rule }],
    ['GET', `/api/v1/deliveries/${ofDesk}`],
    ['POST', `/api/v1/deliveries/${ofDesk}/retry`],
    ['POST', '/api/v1/deliveries/retry', { ids: [ofDesk] }],
    ['GET', '/api/v1/overview'],
    ['GET', '/api/v1/metrics'],
  ];
  const ofTenant: typeof tries = [
    ['GET', `/api/v1/calls/${call}`],
    ['GET', `/api/v1/calls/${call}/ladder`],
    ['GET', `/api/v1/calls/${call}/messages/1`],
    ['GET', `/api/v1/deliveries/${ofNeighbour}`],
    ['GET', unified],
    ['POST', unified, { type: '0', method: '0', url: 'http://192.0.2.1/' }],
    ['PUT', `${unified}/3/${rule}`, { note: 'x' }],
    ['DELETE', `${unified}/3/${rule}`],
    ['DELETE', unified],
  ];
  for (const who of ['a token of another tenant', 'an operator of another tenant', 'another extension']) {
    for (const [method, path, given] of who === 'another extension' ? tries : [...tries, ...ofTenant]) {
      const { status, text } = await api.ask(method, path, { ...as[who], ...(given !== undefined && { body: given }) });
      t.ok([401, 403, 404].includes(status), `${who}: ${method} ${path}: ${status}`);
      t.notMatch(text, /192\.0\.2|Front desk|lobby/, `${who}: ${method} ${path} tells nothing`);
    }
    for (const path of ['/calls', '/deliveries', '/rules', '/registrations']) {
      const { text } = await api.ask('GET', `/api/v1${path}`, as[who]);
      t.notMatch(text, who === 'another extension' ? /"extension":"0003\*102"|own\?a=1/ : /0003/, `${who}: ${path}`);
    }
  }
  const { status } = await api.ask('POST', '/api/v1/deliveries/retry', {
    token: TENANT,
    body: { filter: { state: 'pending' } },
  });
  t.equal(status, 200);
  t.equal((await api.ask('GET', `/api/v1/rules/${rule}`, { token: WRITE })).body.note, '', 'nothing was changed');
});

t.test("an extension's own user", async (t) => {
  const { api, call, rule, deliveries, as } = await makeWorld(t);
  const desk = as['the extension itself']!;
  const ask = async (method: string, path: string, body?: object) =>
    (await api.ask(method, `/api/v1${path}`, { ...desk, ...(body && { body }) })).status;
  t.equal(await ask('GET', `/calls/${call}`), 200, 'its part in the call');
  t.equal(await ask('GET', `/calls/${call}/ladder`), 403, 'but not what others said');
  t.equal(await ask('GET', `/calls/${call}/messages/1`), 403);
  t.equal(await ask('GET', `/deliveries/${deliveries[0]!}`), 200);
  t.equal(await ask('POST', `/deliveries/${deliveries[0]!}/retry`), 403, 'sending again is for operators');
  t.equal(await ask('POST', '/deliveries/retry', { filter: {} }), 403);
  const { body } = await api.ask('GET', '/api/v1/deliveries?event=dial-in', desk);
  t.strictSame(
    new Set(body.deliveries.map(({ url }: { url: string }) => url)),
    new Set(['http://127.0.0.1:9/wallboard?…']),
    "of an operator's script the query is not told",
  );
  t.equal(await ask('POST', `/calls/${call}/replay`, { rule }), 200, 'its own events to its own rule');
});

t.test('a URL that may be secret is in no answer, and cannot be guessed by a filter', async (t) => {
  const { api, rule, as } = await makeWorld(t);
  const operator = { token: WRITE };
  const { rules } = (await api.ask('GET', '/api/v1/rules', operator)).body;
  const crm = rules.find(({ events }: { events: string[] }) => events[0] === 'hangup');
  const list = await api.ask('GET', `/api/v1/deliveries?rule=${crm.id}`, operator);
  t.match(list.body.deliveries[0].url, /^http:\/\/127\.0\.0\.1:9\/crm\?…&CallID=over&CallerIDNum=/);
  const answers = [
    list,
    await api.ask('GET', '/api/v1/rules', operator),
    await api.ask('GET', `/api/v1/deliveries/${list.body.deliveries[0].id}`, operator),
    await api.ask('POST', `/api/v1/rules/${crm.id}/test`, operator),
    await api.ask('GET', '/api/v1/overview', operator),
    await api.ask('GET', '/api/v1/metrics', operator),
    await api.ask('GET', '/api/v1/health', operator),
    await api.ask('GET', '/uapi/extensions/@me/0003*102/phoneCallEvents', operator),
    await api.ask('GET', '/api/v1/deliveries', as['the extension itself']),
  ];
  for (const { status, text } of answers) {
    t.equal(status, 200);
    t.notMatch(text, SECRET);
  }
  t.strictSame((await api.ask('GET', `/api/v1/deliveries?url=${SECRET}`, operator)).body.deliveries, []);
  const stream = await StreamReader.open(t, api, { 'authorization': `Bearer ${WRITE}`, 'last-event-id': 'x-1' });
  const told = await stream.waitFor(({ event, data }) => event === 'delivery' && data.rule === crm.id);
  t.match(told.data.url, /\/crm\?…&CallID=/);
  t.equal((await api.ask('DELETE', `/api/v1/rules/${rule}`, operator)).status, 204);
});

t.test('the stream tells strangers nothing', async (t) => {
  const { api, as } = await makeWorld(t);
  const readers = await Promise.all(
    [as['a token of another tenant']!, as['another extension']!].map(({ token, headers }) =>
      StreamReader.open(t, api, {
        ...headers,
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        'last-event-id': 'x-1',
      }),
    ),
  );
  const [tenant, neighbour] = readers as [StreamReader, StreamReader];
  await Promise.all(readers.map((reader) => reader.waitFor(({ event }) => event === 'start')));
  const more = callSteps('more', { ...HOME, fromTag: 'm' });
  api.play([more.invite, more.ring, more.busy]);
  const body = { extensions: ['0004*101'], events: ['hangup'], url: 'http://192.0.2.1/' };
  t.equal((await api.ask('POST', '/api/v1/rules', { token: TENANT, body })).status, 201);
  await Promise.all(readers.map((reader) => reader.waitFor(({ event }) => event === 'rules')));
  await neighbour.waitFor(({ event, data }) => event === 'calls' && data.changed.length > 0);
  t.strictSame(new Set(tenant.messages.map(({ event }) => event)), new Set(['start', 'rules']));
  t.strictSame(tenant.messages[0]!.data.calls, []);
  const extensions = neighbour.messages.flatMap(({ event, data }) =>
    event === 'calls'
      ? data.changed.flatMap(partiesOf)
      : event === 'start'
        ? data.calls.flatMap(partiesOf)
        : [data.extension],
  );
  t.strictSame(new Set(extensions.filter(Boolean)), new Set(['0003*101']));
});

const partiesOf = ({ parties }: { parties: { extension: string }[] }): string[] =>
  parties.map(({ extension }) => extension);

t.test('what is secret goes where it was meant for, and nowhere else', async (t) => {
  const api = await startApi(t);
  const secrets = { headers: { 'X-Key': 's3cret' }, auth: { bearer: 't0ken' }, secret: `whsec_${'A'.repeat(32)}` };
  const body = { extensions: ['0003*102'], events: ['hangup'], url: 'https://crm.example.com/a' };
  const made = await api.ask('POST', '/api/v1/rules', { token: WRITE, body: { ...body, ...secrets } });
  const path = `/api/v1/rules/${made.body.id}`;
  const change = async (given: object) => api.ask('PATCH', path, { token: WRITE, body: given });
  t.equal((await change({ url: 'https://crm.example.com/b?c=1' })).status, 200, 'the same host');
  for (const url of ['https://evil.example/a', 'http://crm.example.com/a', 'https://crm.example.com:8443/a']) {
    const { status, body: answer } = await change({ url });
    t.equal(status, 400, url);
    t.strictSame(
      answer.error.problems.map((problem: { path: string }) => problem.path),
      ['headers', 'auth', 'secret'],
    );
  }
  const unified = `/uapi/extensions/@me/0003*102/phoneCallEvents/2/${made.body.id}`;
  t.equal((await api.ask('PUT', unified, { token: WRITE, body: { url: 'https://evil.example/' } })).status, 400);
  t.match((await change({ url: 'https://other.example/', ...secrets })).body, { url: 'https://other.example/' });
  const without = { url: 'https://third.example/', headers: {}, auth: null, secret: null };
  t.match((await change(without)).body, { url: 'https://third.example/', headers: [], isSigned: false });
});

t.test('nobody takes all the room', async (t) => {
  const limits = '  limits: { rulesPerExtension: 2, streamsPerUser: 1, streams: 3 }\n';
  const api = await startApi(t, limits);
  const body = { extensions: ['0003*102'], events: ['hangup'], url: 'http://192.0.2.1/' };
  const add = async (given: object) => (await api.ask('POST', '/api/v1/rules', { token: WRITE, body: given })).status;
  t.strictSame([await add(body), await add(body), await add(body)], [201, 201, 409]);
  t.equal(await add({ ...body, extensions: ['0003*101'] }), 201, 'others have room');
  const open = async (token: string) => {
    const reader = await StreamReader.open(t, api, { authorization: `Bearer ${token}` });
    await reader.waitFor(({ event }) => event === 'start').catch(() => undefined);
    return reader.status;
  };
  t.equal(await open(WRITE), 200);
  const second = await api.ask('GET', '/api/v1/stream', { token: WRITE });
  t.equal(second.status, 503, 'one is as many as allowed');
  t.equal(await open(TENANT), 200, 'another');
  t.equal((await api.ask('HEAD', '/api/v1/stream', { token: TENANT })).status, 404, 'is not begun without a body');
});
