/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- answers are looked at as they come */
import t from 'tap';
import { READ, startApi, WRITE } from './harness.ts';

const RULE = { extensions: ['0003*102'], events: ['hangup'], method: 'POST', url: 'http://192.0.2.1/x' };

t.test('rules are made, changed and deleted; what is secret does not come back', async (t) => {
  const api = await startApi(t);
  const secrets = { headers: { 'X-Key': 's3cret' }, auth: { bearer: 't0ken' }, secret: `whsec_${'A'.repeat(32)}` };
  const made = await api.ask('POST', '/api/v1/rules', { token: WRITE, body: { ...RULE, ...secrets, note: 'crm' } });
  t.equal(made.status, 201);
  t.match(made.body, {
    ...RULE,
    source: 'api',
    readOnly: false,
    file: null,
    note: 'crm',
    enabled: true,
    isSigned: true,
    headers: ['X-Key', 'authorization'],
    last: null,
  });
  for (const secret of ['s3cret', 't0ken', 'whsec_']) t.notMatch(made.text, secret);
  const path = `/api/v1/rules/${made.body.id}`;
  const changed = await api.ask('PATCH', path, { token: WRITE, body: { enabled: false, note: '', auth: null } });
  t.match(changed.body, { enabled: false, note: '', isSigned: true, headers: ['X-Key'] }, 'what is left out stays');
  t.strictSame(api.ruleSet.match({ extension: '0003*102', event: 'hangup' }), []);
  t.equal((await api.ask('GET', path, { token: READ })).body.readOnly, true, 'for who may only read');
  t.equal((await api.ask('DELETE', path, { token: WRITE })).status, 204);
  t.equal((await api.ask('GET', path, { token: WRITE })).status, 404);
});

t.test('rules of the file are shown with their place, and not changed', async (t) => {
  const more = `
tenants: [{ prefix: "0003", extensions: ["101"] }]
callEvents:
  - { extension: "0003*101", event: hangup, url: "http://x/1" }`;
  const api = await startApi(t, '', more);
  const [rule] = (await api.ask('GET', '/api/v1/rules', { token: WRITE })).body.rules;
  t.match(rule, { source: 'file', readOnly: true, file: { name: 'ringside.yaml', line: 5 }, modified: null });
  for (const method of ['PATCH', 'DELETE']) {
    const answer = await api.ask(method, `/api/v1/rules/${rule.id}`, { token: WRITE, body: {} });
    t.strictSame([answer.status, answer.body.error.code], [403, 'forbidden'], method);
  }
});

const BAD: readonly [what: string, change: object, path: string][] = [
  ['no extension', { extensions: [] }, 'extensions'],
  ['an extension that is none', { extensions: ['0003*999'] }, 'extensions[0]'],
  ['a range that ends before it begins', { extensions: ['0003*119-110'] }, 'extensions[0]'],
  ['an unknown event', { events: ['dial'] }, 'events[0]'],
  ['no URL', { url: undefined }, 'url'],
  ['a URL of another kind', { url: 'javascript:alert(1)' }, 'url'],
  ['a URL that is too long', { url: `http://x/${'y'.repeat(5000)}` }, 'url'],
  ['a header that HTTP sets', { headers: { Host: 'x' } }, 'headers.Host'],
  ['a header of two lines', { headers: { 'X-A': 'a\r\nB: c' } }, 'headers.X-A'],
  ['a header and auth', { headers: { Authorization: 'x' }, auth: { bearer: 'y' } }, 'Authorization'],
  ['JSON with a GET', { method: 'GET', body: 'json' }, 'body'],
  ['a weak secret', { secret: 'whsec_AAAA' }, 'secret'],
  ['files of the server', { tls: { ca: '/etc/passwd' } }, ''],
];

t.test('one validation for file, API and page: bad input is refused, field by field', async (t) => {
  const api = await startApi(t);
  for (const [what, change, path] of BAD) {
    const answer = await api.ask('POST', '/api/v1/rules', { token: WRITE, body: { ...RULE, ...change } });
    t.strictSame([answer.status, answer.body.error.code], [400, 'bad_request'], what);
    t.equal(answer.body.error.problems[0].path, path, what);
  }
  const refused: readonly [what: string, status: number, body: string | object][] = [
    ['no JSON', 400, '{'],
    ['a prototype', 400, '{"__proto__": {"a": 1}}'],
    ['too much', 413, { ...RULE, note: 'x'.repeat(100_000) }],
  ];
  for (const [what, status, body] of refused) {
    t.equal((await api.ask('POST', '/api/v1/rules', { token: WRITE, body })).status, status, what);
  }
  t.strictSame((await api.ask('GET', '/api/v1/rules', { token: WRITE })).body.rules, []);
  for (const query of ['limit=0', 'limit=x', 'state=old', 'from=yesterday', 'before=x']) {
    t.equal((await api.ask('GET', `/api/v1/deliveries?${query}`, { token: WRITE })).status, 400, query);
  }
});

t.test('only so many rules', async (t) => {
  const api = await startApi(t, '  limits: { rules: 1 }\n');
  t.equal((await api.ask('POST', '/api/v1/rules', { token: WRITE, body: RULE })).status, 201);
  t.equal((await api.ask('POST', '/api/v1/rules', { token: WRITE, body: RULE })).status, 409);
});
