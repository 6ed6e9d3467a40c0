/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return, @typescript-eslint/no-unsafe-argument -- answers are looked at as they come */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import t, { type Test } from 'tap';
import { PBX, type Step } from '../calls/harness.ts';
import { Scope } from '../../src/api/access/scope.ts';
import { EventStream } from '../../src/api/live/event-stream.ts';
import { SseClient } from '../../src/api/live/stream-client.ts';
import { callSteps } from './call-steps.ts';
import { READ, startApi, StreamReader, TENANT, type TestApi, WRITE } from './harness.ts';

const HOSTILE = '"><script>alert(1)</script>';

const ONE = `
tenants:
  - prefix: "0003"
    domains: [acme.example.com]
    extensions: ["101", { number: "102", name: Front desk }, "103-109"]`;

const get = async (api: TestApi, path: string, token = WRITE) =>
  (await api.ask('GET', `/api/v1${path}`, { token })).body;

t.test('a call, live and over, with its parties', async (t) => {
  const api = await startApi(t, '', ONE);
  const { invite, ring, answer, ack, bye } = callSteps('c1');
  api.play([invite, ring]);
  const { calls } = await get(api, '/calls?state=live');
  t.match(calls, [
    {
      state: 'live',
      caller: '0003*101',
      dialled: '102',
      status: null,
      endedAt: null,
      legs: 1,
      messages: 2,
      parties: [
        { extension: '0003*101', role: 'caller', state: 'ringing' },
        { extension: '0003*102', name: 'Front desk', role: 'called', state: 'ringing', answeredAt: null },
      ],
    },
  ]);
  api.play([answer, ack]);
  const live = await get(api, `/calls/${calls[0].id}`);
  t.match(live.parties, [
    { state: 'answered', answeredBy: '0003*102' },
    { state: 'answered', rangAt: /Z$/, answeredAt: /Z$/ },
  ]);
  api.play([bye, { ...bye, say: '200 OK', cseq: '2 BYE' }]);
  t.strictSame((await get(api, '/calls?state=live')).calls, []);
  const [over] = (await get(api, '/calls?state=recent')).calls;
  t.match(over, { state: 'over', status: 'ANSWER', endedAt: /Z$/ });
  t.match(over.parties, [
    { state: 'over', status: 'ANSWER', detail: 'answered' },
    { state: 'over', status: 'ANSWER' },
  ]);
  t.equal((await api.ask('GET', '/api/v1/calls/nobody', { token: WRITE })).status, 404);
});

t.test('the ladder: messages between places, legs, events at their messages, decisions in words', async (t) => {
  const api = await startApi(t, '', ONE);
  const secret = 'Authorization: Digest username="101", response="0123456789abcdef"';
  const { invite, ring, busy, ack } = callSteps('c2', { headers: [secret] });
  api.play([invite, invite, ring, busy, ack]);
  const [{ id }] = (await get(api, '/calls')).calls;
  const ladder = await get(api, `/calls/${id}/ladder`);
  t.strictSame(
    ladder.messages.map(({ text, from, to, leg, repeats }: any) => [text, from, to, leg, repeats]), // eslint-disable-line @typescript-eslint/no-explicit-any
    [
      ['INVITE 102', 0, 1, 1, null],
      ['INVITE 102', 0, 1, 1, 'copy'],
      ['180 Ringing', 1, 0, 1, null],
      ['486 Busy Here', 1, 0, 1, null],
      ['ACK', 0, 1, 1, null],
    ],
  );
  t.match(ladder.lanes, [
    { label: '0003*101', address: '192.0.2.101' },
    { label: '0003*102', address: '192.0.2.102' },
  ]);
  t.match(ladder.legs, [
    { number: 1, callId: 'c2', lanes: [0, 1], join: null, isTransfer: false, words: ['began the call'] },
  ]);
  const hangups = ladder.events.filter(({ event }: { event: string }) => event === 'hangup');
  t.match(hangups, [
    { extension: '0003*102', line: 4, leg: 1, section: '4.5', words: 'final response 486 Busy Here', isTimed: false },
    { extension: '0003*101', line: 4, summary: 'hangup 0003*101 BUSY', params: { CallStatus: 'BUSY' } },
  ]);
  const raw = await api.ask('GET', `/api/v1/calls/${id}/messages/1`, { token: WRITE });
  t.match(raw.headers.get('content-type'), /^text\/plain/);
  t.match(raw.text, /^INVITE sip:102@192.0.2.102 SIP\/2.0\r\n/);
  t.match(raw.text, /Authorization: Digest \[hidden\]\r\n/);
  t.notMatch(raw.text, /0123456789abcdef/);
  t.equal((await api.ask('GET', `/api/v1/calls/${id}/messages/6`, { token: WRITE })).status, 404);
});

t.test('a hostile display name stays text', async (t) => {
  const api = await startApi(t, '', ONE);
  const { invite, ring } = callSteps('c3', {
    headers: [`P-Asserted-Identity: "${HOSTILE.replace('"', '\\"')}" <sip:+15551234567@example.com>`],
  });
  api.play([
    { ...invite, fromUser: '15551234567' },
    { ...ring, fromUser: '15551234567' },
  ]);
  const answer = await api.ask('GET', '/api/v1/calls', { token: WRITE });
  t.equal(answer.body.calls[0].callerName, HOSTILE);
  t.match(answer.headers.get('content-type'), /^application\/json/);
  t.equal(answer.headers.get('x-content-type-options'), 'nosniff');
});

t.test('who sees one tenant only sees nothing of others', async (t) => {
  const api = await startApi(t, '', ONE);
  const { invite, ring } = callSteps('c4');
  api.play([invite, ring]);
  const [{ id }] = (await get(api, '/calls')).calls;
  t.strictSame((await get(api, '/calls', TENANT)).calls, []);
  for (const path of [`/calls/${id}`, `/calls/${id}/ladder`, `/calls/${id}/messages/1`]) {
    t.equal((await api.ask('GET', `/api/v1${path}`, { token: TENANT })).status, 404, path);
  }
  t.equal((await api.ask('GET', '/api/v1/overview', { token: TENANT })).status, 403);
});

t.test('two calls that become one', async (t) => {
  const more = `
tenants: [{ prefix: "0003", domains: [acme.example.com], pbx: ["${PBX}"], extensions: ["101-109"] }]`;
  const api = await startApi(t, '', more);
  const first = callSteps('c5');
  const second = callSteps('c6', { uri: 'sip:103@192.0.2.103', fromUser: '104', fromTag: 'x' });
  const open = (steps: typeof first, from: string, to: string): Step[] => [
    { ...steps.invite, from, to },
    { ...steps.ring, from: to, to: from },
    { ...steps.answer, from: to, to: from },
    { ...steps.ack, from, to },
  ];
  api.play([...open(first, '192.0.2.101', '192.0.2.102'), ...open(second, '192.0.2.104', '192.0.2.103')]);
  t.equal((await get(api, '/calls')).calls.length, 2);
  const replaces = callSteps('c7', {
    uri: 'sip:103@acme.example.com',
    headers: ['Replaces: c6;to-tag=b;from-tag=x', 'Referred-By: <sip:101@acme.example.com>'],
  });
  const stream = await StreamReader.open(t, api, { authorization: `Bearer ${WRITE}` });
  await stream.waitFor(({ event }) => event === 'start');
  const refer: Step = {
    ...first.bye,
    say: 'REFER',
    cseq: '2 REFER',
    from: '192.0.2.101',
    to: '192.0.2.102',
    headers: ['Refer-To: <sip:103@acme.example.com?Replaces=c6%3Bto-tag%3Db%3Bfrom-tag%3Dx>'],
  };
  const accepted: Step = { ...refer, say: '202 Accepted', from: '192.0.2.102', to: '192.0.2.101' };
  api.play([refer, accepted, { ...replaces.invite, from: '192.0.2.102', to: '192.0.2.103', fromUser: '102' }]);
  const { calls } = await get(api, '/calls?state=live');
  t.equal(calls.length, 1, 'one is left');
  const gone = (await stream.waitFor(({ event, data }) => event === 'calls' && data.gone.length > 0)).data.gone;
  t.strictSame(gone, [{ id: calls[0].otherIds[0], into: calls[0].id }]);
  const { legs } = await get(api, `/calls/${calls[0].id}/ladder`);
  t.equal(legs.length, 3);
});

t.test('only so many messages of a call and bytes of all are kept, and nothing of who was no call', async (t) => {
  const api = await startApi(t, 'limits: { messagesPerCall: 10, recentCalls: 2 }\n'.replace(/^/, '  '), ONE);
  const { invite, ring, answer, ack, bye } = callSteps('long');
  const again = Array.from({ length: 50 }, (_, i): Step => ({
    ...ack,
    say: 'INFO',
    cseq: `${i + 3} INFO`,
    branch: `z9hG4bKi${i}`,
  }));
  api.play([invite, ring, answer, ack, ...again]);
  const [{ id }] = (await get(api, '/calls')).calls;
  const ladder = await get(api, `/calls/${id}/ladder`);
  t.equal(ladder.messages.length, 10);
  t.equal(ladder.messagesLeft, 44);
  t.equal(ladder.messages[0].text, 'INVITE 102', 'the first and the last are there');
  t.equal(ladder.messages.at(-1).line, 10);
  api.play([bye, { ...bye, say: '200 OK', cseq: '2 BYE' }]);
  for (const callId of ['r1', 'r2', 'r3']) {
    const steps = callSteps(callId, { fromTag: callId });
    api.play([steps.invite, steps.ring, steps.busy]);
  }
  const recent = (await get(api, '/calls?state=recent')).calls as { id: string }[];
  t.equal(recent.length, 2, 'the oldest give way');
  const page = await get(api, '/calls?limit=1');
  t.equal(page.next, recent[0]!.id);
  t.strictSame(
    (await get(api, `/calls?limit=1&before=${page.next}`)).calls.map((one: { id: string }) => one.id),
    [recent[1]!.id],
  );
});

t.test('the stream: what is live, then what changes', async (t) => {
  const api = await startApi(t, '', ONE);
  const { invite, ring, busy } = callSteps('s1');
  const stream = await StreamReader.open(t, api, { authorization: `Bearer ${READ}` });
  const start = await stream.waitFor(({ event }) => event === 'start');
  t.match(start.data, { calls: [], isGap: false });
  api.play([invite, ring]);
  const changed = await stream.waitFor(({ event }) => event === 'calls');
  t.match(changed.data.changed, [{ state: 'live', parties: [{ extension: '0003*101' }, { extension: '0003*102' }] }]);
  t.match(await stream.waitFor(({ data }) => data.event === 'dial-in'), {
    data: { event: 'dial-in', extension: '0003*102', params: { CallStatus: 'CALLING' } },
  });
  api.play([busy]);
  t.match(await stream.waitFor(({ data }) => data.event === 'hangup'), {
    data: { params: { CallStatus: 'BUSY' }, extras: { Detail: 'response_486' } },
  });
  const over = await stream.waitFor(({ event, data }) => event === 'calls' && data.changed[0].state === 'over');
  t.match(over.data.changed, [{ status: 'BUSY' }]);
  await api.ask('POST', '/api/v1/rules', {
    token: WRITE,
    body: { extensions: ['*'], events: ['hangup'], url: 'http://192.0.2.1/' },
  });
  t.ok(await stream.waitFor(({ event }) => event === 'rules'));
});

t.test('who comes back gets the events that he missed, or is told that some are gone', async (t) => {
  const api = await startApi(t, '  limits: { streamHistory: 4 }\n', ONE);
  const authorization = `Bearer ${READ}`;
  const first = await StreamReader.open(t, api, { authorization });
  await first.waitFor(({ event }) => event === 'start');
  const ring = (callId: string): void => {
    const steps = callSteps(callId, { fromTag: callId });
    api.play([steps.invite, steps.ring]);
  };
  ring('m1');
  const last = await first.waitFor(({ data }) => data.event === 'dial-in');
  first.socket.destroy();
  ring('m2');
  const again = await StreamReader.open(t, api, { authorization, 'last-event-id': last.id });
  await again.waitFor(({ data }) => data.event === 'dial-in');
  const [start, ...missed] = again.messages;
  t.match(start, { event: 'start', data: { isGap: false } });
  t.equal(start!.data.calls.length, 2);
  t.strictSame(
    missed.filter(({ event }) => event === 'event').map(({ data }) => data.event),
    ['dial-out', 'dial-in'],
  );
  for (const callId of ['m3', 'm4', 'm5', 'm6']) ring(callId);
  const late = await StreamReader.open(t, api, { authorization, 'last-event-id': last.id });
  t.match(await late.waitFor(({ event }) => event === 'start'), { data: { isGap: true } });
  const unknown = await StreamReader.open(t, api, { authorization, 'last-event-id': 'another-run-5' });
  t.match(await unknown.waitFor(({ event }) => event === 'start'), { data: { isGap: true } }, 'of another run');
});

t.test('more was missed than may wait: it comes in several turns, and nothing of it is lost', async (t) => {
  const api = await startApi(t, '  limits: { streamBytes: 500000 }\n', ONE);
  const authorization = `Bearer ${READ}`;
  const first = await StreamReader.open(t, api, { authorization });
  await first.waitFor(({ event }) => event === 'start');
  api.front.tell([bigEvent('known')], true);
  let last = (await first.waitFor(({ event }) => event === 'event')).id;
  first.socket.destroy();
  for (let n = 0; n < 600; n++) api.front.tell([bigEvent(`missed-${n}`)], true);
  const seen: string[] = [];
  let turns = 0;
  for (; !seen.includes('missed-599'); turns++) {
    const reader = await StreamReader.open(t, api, { authorization, 'last-event-id': last });
    await Promise.race([reader.closed(), reader.waitFor(({ data }) => data.call === 'missed-599')]);
    reader.socket.destroy();
    for (const { event, data } of reader.messages) if (event === 'event') seen.push(data.call);
    last = reader.messages.at(-1)!.id;
  }
  t.strictSame(
    seen,
    Array.from({ length: 600 }, (_, n) => `missed-${n}`),
  );
  t.ok(turns > 1 && turns < 6, `${turns} turns`);
});

t.test('what is live may be more than may wait: a slow client has its time for that, and is cut off for more', (t) => {
  const response = { writableLength: 0, destroyed: false, texts: [] as string[], end: () => {}, write, destroy };
  function write(text: string): void {
    response.texts.push(text);
    response.writableLength += text.length;
  }
  function destroy(): void {
    response.destroyed = true;
  }
  const stream = new EventStream('run', 10);
  const reader = { scope: new Scope(undefined, undefined), showsUrl: () => true, told: new Set<string>() };
  const client = new SseClient(stream, reader, response as never, 1000);
  const take = (length: number): void => client.take({ id: 1, message: {} as never, text: 'x'.repeat(length) });
  client.begin({ event: 'start', data: { at: 'x'.repeat(50_000), calls: [], isGap: false } }, []);
  take(900);
  t.notOk(response.destroyed, 'nothing of the start is read yet');
  response.writableLength = 0;
  take(20_000);
  t.notOk(response.destroyed, 'all was read: one large message is no sign of slowness');
  take(900);
  t.notOk(response.destroyed);
  take(900);
  t.ok(response.destroyed, 'too much waits');
  t.equal(response.texts.length, 4);
  t.end();
});

t.test('who does not read is cut off; more streams than allowed are refused', async (t) => {
  const api = await startApi(t, '  limits: { streams: 2, streamBytes: 500000 }\n', ONE);
  const authorization = `Bearer ${READ}`;
  const slow = await StreamReader.open(t, api, { authorization });
  const quick = await StreamReader.open(t, api, { authorization });
  await Promise.all([slow, quick].map((reader) => reader.waitFor(({ event }) => event === 'start')));
  const third = await StreamReader.open(t, api, { authorization });
  await once(third.socket, 'data');
  t.equal(third.status, 503);
  slow.socket.pause();
  // What is on its way within the system has room for some megabytes; the place that becomes free tells.
  for (let round = 0; round < 500; round++) {
    for (let n = 0; n < 50; n++) api.front.tell([bigEvent(`e${round}-${n}`)], true);
    await quick.waitFor(({ data }) => data.call === `e${round}-49`);
    quick.messages.length = 0;
    const other = await StreamReader.open(t, api, { authorization });
    await once(other.socket, 'data');
    other.socket.destroy();
    if (other.status === 200) break;
  }
  slow.socket.resume();
  await slow.closed();
  t.ok(slow.isClosed, 'the slow one');
  t.notOk(quick.isClosed, 'and no other');
});

const bigEvent = (call: string) =>
  ({
    event: 'hangup',
    at: Date.now(),
    dialledAt: Date.now(),
    extension: '0003*102',
    params: { CallID: 'x'.repeat(2000), CallAPIID: call, CallStatus: 'BUSY' },
    extras: { EventID: call },
  }) as never;

/** A script that keeps what it is sent; answers by its status. */
async function startScript(t: Test) {
  const requests: { url: string; body: string }[] = [];
  const script = {
    url: '',
    status: 200,
    requests,
    arrived: () => new Promise<void>((done) => server.once('told', () => done())),
  };
  const server = createServer((request: IncomingMessage, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      requests.push({ url: request.url!, body });
      response.writeHead(script.status).end('thanks');
      server.emit('told');
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  script.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return script;
}

const LOCAL = 'delivery: { allowedNetworks: [127.0.0.0/8], schedule: [10s] }';

t.test('deliveries: listed, told, sent again; events replayed to a rule', async (t) => {
  const script = await startScript(t);
  const api = await startApi(t, '', `${ONE}\n${LOCAL}`);
  const stream = await StreamReader.open(t, api, { authorization: `Bearer ${READ}` });
  await stream.waitFor(({ event }) => event === 'start');
  const rule = (
    await api.ask('POST', '/api/v1/rules', {
      token: WRITE,
      body: { extensions: ['0003*102'], events: ['hangup'], method: 'POST', url: `${script.url}/a` },
    })
  ).body;
  script.status = 404;
  const { invite, ring, busy } = callSteps('d1');
  api.play([invite, ring, busy]);
  const failed = await stream.waitFor(({ event, data }) => event === 'delivery' && data.attempts === 1);
  t.match(failed.data, {
    state: 'pending',
    event: 'hangup',
    extension: '0003*102',
    rule: rule.id,
    status: 404,
    url: `${script.url}/a`,
  });
  const list = await get(api, `/deliveries?rule=${rule.id}&extension=0003*102&event=hangup&url=%2Fa`);
  t.strictSame(
    list.deliveries.map(({ id }: { id: number }) => id),
    [failed.data.id],
  );
  for (const query of [
    'event=dial-in',
    'url=%2Fb',
    'extension=0003*101',
    'state=dead',
    'call=x',
    'from=2099-01-01T00:00:00.000Z',
  ]) {
    t.strictSame((await get(api, `/deliveries?${query}`)).deliveries, [], query);
  }
  t.strictSame((await get(api, '/deliveries', TENANT)).deliveries, []);
  const shown = await get(api, `/deliveries/${failed.data.id}`);
  t.match(shown, {
    contentType: 'application/x-www-form-urlencoded',
    body: /CallStatus=BUSY/,
    history: [{ number: 1, status: 404, answer: 'thanks' }],
  });
  t.equal((await api.ask('GET', `/api/v1/deliveries/${failed.data.id}`, { token: TENANT })).status, 404);
  const path = `/api/v1/deliveries/${failed.data.id}/retry`;
  t.equal((await api.ask('POST', path, { token: WRITE })).status, 409, 'it is pending');
  t.equal((await api.ask('POST', path, { token: READ })).status, 403);

  script.status = 200;
  const other = (
    await api.ask('POST', '/api/v1/rules', {
      token: WRITE,
      body: { extensions: ['0003*102'], events: ['dial-out'], url: `${script.url}/b` },
    })
  ).body;
  const replayed = await api.ask('POST', `/api/v1/calls/${failed.data.call}/replay`, {
    token: WRITE,
    body: { rule: other.id },
  });
  t.strictSame(replayed.body, { deliveries: 4 }, 'all events of the call, whether the rule asks for them or not');
  await stream.waitFor(
    ({ event, data }) =>
      event === 'delivery' &&
      data.rule === other.id &&
      data.event === 'hangup' &&
      data.extension === '0003*101' &&
      data.state === 'delivered',
  );
  const before = script.requests.length;
  t.strictSame(
    (await api.ask('POST', `/api/v1/calls/${failed.data.call}/replay`, { token: WRITE, body: { rule: other.id } }))
      .body,
    { deliveries: 4 },
    'and once more',
  );
  while (script.requests.length < before + 4) await script.arrived();
  const retried = await api.ask('POST', '/api/v1/deliveries/retry', {
    token: WRITE,
    body: { filter: { rule: other.id } },
  });
  t.equal(retried.status, 200);
  t.equal((await api.ask('POST', '/api/v1/deliveries/retry', { token: WRITE, body: { ids: [99_999] } })).status, 404);
  t.match((await get(api, '/rules')).rules[0].last, { delivery: failed.data.id, state: 'pending', status: 404 });
  const overview = await get(api, '/overview');
  t.equal(overview.steps, 60);
  t.match(
    overview.scripts.map(({ url }: { url: string }) => url),
    [`${script.url}/a`, `${script.url}/b`],
  );
});

t.test('a rule whose script answers 410 is told as such, until it is turned on again', async (t) => {
  const script = await startScript(t);
  const more = `${ONE}\n${LOCAL}\ncallEvents: [{ extension: "0003*102", event: [dial-in], url: "${script.url}/file" }]`;
  const api = await startApi(t, '', more);
  const body = { extensions: ['0003*102'], events: ['dial-in'], url: `${script.url}/api` };
  t.match((await api.ask('POST', '/api/v1/rules', { token: WRITE, body })).body, { isGone: false, enabled: true });
  const stream = await StreamReader.open(t, api, { authorization: `Bearer ${READ}` });
  await stream.waitFor(({ event }) => event === 'start');
  script.status = 410;
  const ring = (callId: string): void => {
    const steps = callSteps(callId, { fromTag: callId });
    api.play([steps.invite, steps.ring]);
  };
  const isOver = (path: string, state: string) =>
    stream.waitFor(({ event, data }) => event === 'delivery' && data.url.includes(path) && data.state === state);
  ring('g1');
  await Promise.all([isOver('/file', 'dead'), isOver('/api', 'dead')]);
  t.ok(
    stream.messages.some(({ event }) => event === 'rules'),
    'and the page is told',
  );
  const { rules } = await get(api, '/rules');
  t.match(rules, [
    { source: 'file', isGone: true },
    { source: 'api', isGone: true, last: { status: 410, state: 'dead' } },
  ]);
  script.status = 200;
  const again = await api.ask('PATCH', `/api/v1/rules/${rules[1].id}`, { token: WRITE, body: { enabled: true } });
  t.match(again.body, { isGone: false, enabled: true });
  ring('g2');
  await isOver('/api', 'delivered');
  t.equal((await get(api, '/rules')).rules[0].isGone, true, 'the other is left alone');
  api.reload('', more);
  t.equal((await get(api, '/rules')).rules[0].isGone, false, 'until the file is read anew');
});

t.test('a test event is sent at once, and its answer told', async (t) => {
  const script = await startScript(t);
  const api = await startApi(t, '', `${ONE}\n${LOCAL}`);
  const { body: rule } = await api.ask('POST', '/api/v1/rules', {
    token: WRITE,
    body: { extensions: ['0003*102'], events: ['hangup', 'dial-in'], url: `${script.url}/t?a=1` },
  });
  script.status = 500;
  const { body } = await api.ask('POST', `/api/v1/rules/${rule.id}/test`, { token: WRITE });
  t.match(body, {
    status: 500,
    isSuccess: false,
    error: '',
    answer: 'thanks',
    request: { method: 'GET', url: /\?a=1&CallID=test/ },
  });
  script.status = 204;
  const second = await api.ask('POST', `/api/v1/rules/${rule.id}/test`, { token: WRITE, body: { event: 'dial-in' } });
  t.match(second.body, { status: 204, isSuccess: true });
  t.match(script.requests[1]!.url, /CallStatus=CALLING/);
  const guarded = await startApi(t, '', ONE);
  const { body: local } = await guarded.ask('POST', '/api/v1/rules', {
    token: WRITE,
    body: { extensions: ['*'], events: ['hangup'], url: `${script.url}/t` },
  });
  const refused = await guarded.ask('POST', `/api/v1/rules/${local.id}/test`, { token: WRITE, body: {} });
  t.match(
    refused.body,
    { status: 0, isSuccess: false, error: /may not reach/ },
    'an address that rules of the API may not call',
  );
});

t.test('health, metrics, registrations, and the document of it all', async (t) => {
  const api = await startApi(t, '', ONE);
  t.strictSame((await api.ask('GET', '/api/v1/health')).body, { status: 'ok' }, 'for everybody');
  t.match((await get(api, '/health')).checks, [{ name: 'store' }, { name: 'queue' }, { name: 'scripts' }]);
  const metrics = await api.ask('GET', '/api/v1/metrics', { token: READ });
  t.match(metrics.headers.get('content-type'), /^text\/plain/);
  t.match(metrics.text, /^# HELP ringside_/m);
  t.equal((await api.ask('GET', '/api/v1/metrics')).status, 401);
  t.match(await get(api, '/registrations'), { isRegistrar: true, registrations: [], left: 0 });
  const { body: document } = await api.ask('GET', '/api/v1/openapi.json');
  t.equal(document.openapi, '3.1.0');
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
    ([, name]) => name!,
  );
  t.strictSame(
    references.filter((name) => !(name in document.components.schemas)),
    [],
    'what it refers to is there',
  );
  const operations = Object.entries(document.paths as Record<string, object>).flatMap(([path, own]) =>
    Object.keys(own).map((method) => `${method} ${path}`),
  );
  t.ok(operations.includes('post /api/v1/rules') && operations.includes('get /api/v1/calls/{id}/ladder'));
  t.match(document.paths['/api/v1/rules'].post.requestBody, {
    required: true,
    content: { 'application/json': { schema: { $ref: '#/components/schemas/NewRule' } } },
  });
});
