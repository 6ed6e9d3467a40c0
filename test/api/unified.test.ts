/* eslint-disable @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment -- answers are looked at as they come */
import t from 'tap';
import { type Answer, CLIENT, READ, startApi, TENANT, type TestApi, WRITE } from './harness.ts';

const BASE = '/uapi/extensions/@me/0003*101/phoneCallEvents';
const GOOD = { type: '3', method: '1', note: 'n', url: 'http://192.0.2.1:9/cb?x=1', status: '1' };

const FILE_RULE = `
callEvents:
  - { extension: "0003*102", event: [dial-in, hangup], method: POST, url: "http://x/file", note: by file }`;

const create = async (api: TestApi, body: object = GOOD, base = BASE): Promise<Answer['body']> =>
  (await api.ask('POST', base, { token: WRITE, body })).body;

const without = (name: keyof typeof GOOD): object =>
  Object.fromEntries(Object.entries(GOOD).filter(([key]) => key !== name));

t.test('create, list, update, delete, as a client of the original writes them', async (t) => {
  const api = await startApi(t);
  // A client of the original says that a body is JSON where there is none, and ends every path with a slash.
  const client = {
    token: WRITE,
    headers: { 'content-type': 'application/json', 'user-agent': 'VoipNow Calls MCP/5.7.0' },
  };
  const made = await api.ask('POST', `${BASE}/`, { ...client, body: GOOD });
  t.equal(made.status, 200);
  t.match(made.headers.get('content-type'), /^application\/json/);
  const { id, modified } = made.body as { id: string; modified: string };
  t.match(id, /^[A-Za-z0-9]{30}$/);
  t.match(modified, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/);
  const resource = { ...GOOD, id, modified, links: { self: `${api.origin}${BASE}/3/${id}` } };
  t.strictSame(made.body, resource);
  const list = await api.ask('GET', `${BASE}/?count=20&startIndex=0`, client);
  t.strictSame(list.body, { entry: [resource], totalResults: 1, itemsPerPage: 20, startIndex: 0 });
  t.equal(api.ruleSet.match({ extension: '0003*101', event: 'answer-in' })[0]?.url, GOOD.url, 'in force at once');

  const changed = await api.ask('PUT', `${BASE}/3/${id}/`, { ...client, body: { note: 'n2', status: 0 } });
  t.equal(changed.status, 200);
  t.strictSame({ ...changed.body, modified }, { ...resource, note: 'n2', status: '0' });
  t.strictSame(api.ruleSet.match({ extension: '0003*101', event: 'answer-in' }), [], 'a disabled one is not');

  const one = await api.ask('GET', `${BASE}/3/${id}/?fields=id%2Curl&sortOder=ascending`, client);
  t.strictSame(one.body.entry, [{ id, url: GOOD.url }]);
  const gone = await api.ask('DELETE', `${BASE}/3/${id}/`, client);
  t.equal(gone.status, 200);
  t.strictSame(gone.body, [{ id }]);
  t.strictSame((await api.ask('GET', BASE, client)).body, {
    entry: [],
    totalResults: 0,
    itemsPerPage: 20,
    startIndex: 0,
  });
  t.strictSame((await api.ask('DELETE', `${BASE}/`, client)).body, [], 'deleting nothing is no error');
});

t.test('forms of Create', async (t) => {
  const api = await startApi(t);
  const forms: readonly [what: string, path: string, body: object, type: string][] = [
    ['type in the body', BASE, GOOD, '3'],
    ['type in the path', `${BASE}/2`, without('type'), '2'],
    ['both, the same', `${BASE}/3`, GOOD, '3'],
    ['numbers as numbers', BASE, { ...GOOD, type: 0, method: 0, status: 0 }, '0'],
    ['without status and note', BASE, { type: '4', method: '0', url: GOOD.url }, '4'],
    ['at the older address', BASE.replace('/uapi', '/unifiedapi'), GOOD, '3'],
    ['with the extension encoded', BASE.replace('*', '%2A'), GOOD, '3'],
    ['for @owner', BASE.replace('@me', '@owner'), GOOD, '3'],
    ['for @viewer', BASE.replace('@me', '@viewer'), GOOD, '3'],
    ['for the token by its name', BASE.replace('@me', 'all'), GOOD, '3'],
    ['for a queue', BASE.replace('101', '150'), GOOD, '3'],
  ];
  for (const [what, path, body, type] of forms) {
    const made = await api.ask('POST', path, { token: WRITE, body });
    t.equal(made.status, 200, what);
    t.equal(made.body.type, type, what);
  }
  const plain = await create(api, { type: '4', method: '0', url: GOOD.url });
  t.match(plain, { status: '1', note: '' }, 'enabled, without a note');
});

const ERRORS: readonly [what: string, status: number, code: string, method: string, path: string, body?: unknown][] = [
  ['no type', 400, 'pcet_type_invalid', 'POST', BASE, without('type')],
  ['an unknown type', 400, 'pcet_type_invalid', 'POST', BASE, { ...GOOD, type: '5' }],
  ['a type that is no number', 400, 'pcet_type_invalid', 'POST', BASE, { ...GOOD, type: 'dial-in' }],
  ['two types', 400, 'pcet_type_invalid', 'POST', `${BASE}/2`, GOOD],
  ['an unknown type in the path', 400, 'pcet_type_invalid', 'POST', `${BASE}/9`, without('type')],
  ['no method', 400, 'pce_method_invalid', 'POST', BASE, without('method')],
  ['an unknown method', 400, 'pce_method_invalid', 'POST', BASE, { ...GOOD, method: '2' }],
  ['a method by name', 400, 'pce_method_invalid', 'POST', BASE, { ...GOOD, method: 'GET' }],
  ['no URL', 400, 'pce_url_invalid', 'POST', BASE, without('url')],
  ['a URL of another kind', 400, 'pce_url_invalid', 'POST', BASE, { ...GOOD, url: 'file:///etc/passwd' }],
  ['a URL with a password', 400, 'pce_url_invalid', 'POST', BASE, { ...GOOD, url: 'http://a:b@x/' }],
  ['a URL that is a list', 400, 'pce_url_invalid', 'POST', BASE, { ...GOOD, url: ['http://x/'] }],
  ['an unknown status', 400, 'pce_status_invalid', 'POST', BASE, { ...GOOD, status: '2' }],
  ['a note that is no text', 400, 'pce_note_invalid', 'POST', BASE, { ...GOOD, note: { a: 1 } }],
  ['a note that is too long', 400, 'pce_note_invalid', 'POST', BASE, { ...GOOD, note: 'x'.repeat(1001) }],
  ['no JSON', 400, 'request_invalid', 'POST', BASE, '{'],
  ['a list', 400, 'request_invalid', 'POST', BASE, [GOOD]],
  ['no body', 400, 'request_invalid', 'POST', BASE],
  ['a body that is too large', 400, 'request_invalid', 'POST', BASE, { ...GOOD, note: 'x'.repeat(100_000) }],
  ['Update: an unknown type', 400, 'pce_type_invalid', 'PUT', `${BASE}/7/ID`, { note: 'x' }],
  ['Update: another type', 400, 'pce_type_invalid', 'PUT', `${BASE}/3/ID`, { type: '2' }],
  ['Update: an unknown id', 400, 'pce_id_invalid', 'PUT', `${BASE}/3/nobody`, { note: 'x' }],
  ['Update: under another type', 400, 'pce_id_invalid', 'PUT', `${BASE}/2/ID`, { note: 'x' }],
  [
    'Update: under another extension',
    400,
    'pce_id_invalid',
    'PUT',
    `${BASE.replace('101', '102')}/3/ID`,
    { note: 'x' },
  ],
  ['Update: an unknown method', 400, 'pce_method_invalid', 'PUT', `${BASE}/3/ID`, { method: '' }],
  ['Update: a URL that is none', 400, 'pce_url_invalid', 'PUT', `${BASE}/3/ID`, { url: 'x' }],
  ['Delete: an unknown type', 400, 'pce_type_invalid', 'DELETE', `${BASE}/7`],
  ['Delete: an unknown id', 400, 'pce_id_invalid', 'DELETE', `${BASE}/3/nobody`],
  ['List: an unknown id', 400, 'pce_id_invalid', 'GET', `${BASE}/3/nobody`],
  ['List: an unknown type', 400, 'pce_type_invalid', 'GET', `${BASE}/x`],
  ['an unknown extension', 400, 'extension_invalid', 'GET', BASE.replace('101', '999')],
  ['@self', 400, 'extension_invalid', 'GET', BASE.replace('0003*101', '@self')],
  ['a pattern', 400, 'extension_invalid', 'POST', BASE.replace('101', '11%3F'), GOOD],
  ['all extensions', 400, 'extension_invalid', 'POST', BASE.replace('0003*101', '*'), GOOD],
  ['a range', 400, 'extension_invalid', 'POST', BASE.replace('101', '110-119'), GOOD],
  ['an unknown user', 400, 'user_invalid', 'GET', BASE.replace('@me', 'somebody')],
  ['count 0', 400, 'count_invalid', 'GET', `${BASE}?count=0`],
  ['count 5001', 400, 'count_invalid', 'GET', `${BASE}?count=5001`],
  ['a count that is no number', 400, 'count_invalid', 'GET', `${BASE}?count=ten`],
  ['two counts', 400, 'count_invalid', 'GET', `${BASE}?count=1&count=2`],
  ['startIndex 5001', 400, 'startindex_invalid', 'GET', `${BASE}?startIndex=5001`],
  ['startIndex -1', 400, 'startindex_invalid', 'GET', `${BASE}?startIndex=-1`],
  ['an unknown field', 400, 'fields_invalid', 'GET', `${BASE}?fields=id,secret`],
  ['a filter by an unknown field', 400, 'filterby_invalid', 'GET', `${BASE}?filterBy=links&filterValue=1`],
  ['a filter without value', 400, 'filtervalue_invalid', 'GET', `${BASE}?filterBy=note`],
  ['a number that is none', 400, 'filtervalue_invalid', 'GET', `${BASE}?filterBy=type&filterValue=x`],
  [
    'a list with no numbers',
    400,
    'filtervalue_invalid',
    'GET',
    `${BASE}?filterBy=type&filterOp=inArray&filterValue=1,x`,
  ],
  [
    'a time that is none',
    400,
    'filtervalue_invalid',
    'GET',
    `${BASE}?filterBy=modified&filterOp=lessThan&filterValue=x`,
  ],
  ['an unknown operator', 400, 'filterop_invalid', 'GET', `${BASE}?filterBy=note&filterValue=1&filterOp=like`],
  ['an unknown order', 400, 'sortorder_invalid', 'GET', `${BASE}?sortOrder=up`],
  ['another method', 501, 'request_not_implemented', 'PATCH', BASE, GOOD],
  ['Update without id', 501, 'request_not_implemented', 'PUT', `${BASE}/3`, GOOD],
  ['Create with id', 501, 'request_not_implemented', 'POST', `${BASE}/3/x`, GOOD],
  ['another resource', 501, 'request_not_implemented', 'GET', '/uapi/phoneCalls/@me/0003*101'],
];

t.test('every error has its status, its code and a sentence', async (t) => {
  const api = await startApi(t);
  const { id } = (await create(api)) as { id: string };
  for (const [what, status, code, method, path, body] of ERRORS) {
    const answer = await api.ask(method, path.replace('ID', id), { token: WRITE, body });
    const { error } = answer.body as { error: { code: string; message: string } };
    t.strictSame([answer.status, error.code, typeof error.message], [status, code, 'string'], what);
  }
  t.equal((await api.ask('GET', BASE, { token: WRITE })).body.totalResults, 1, 'and nothing was changed by them');
});

t.test('lists: pages, filters, order, fields', async (t) => {
  const api = await startApi(t);
  for (const [type, url, note] of [
    ['0', 'http://x/b', 'crm'],
    ['1', 'http://x/a', 'crm two'],
    ['2', 'http://x/d', ''],
    ['2', 'http://x/c', 'board'],
  ] as const) {
    await create(api, { type, url, note, method: type === '0' ? '0' : '1', status: type === '1' ? '0' : '1' });
  }
  const queries: readonly [query: string, ends: string, total: number][] = [
    ['', 'badc', 4],
    ['/2', 'dc', 2],
    ['?sortOrder=ascending', 'abcd', 4],
    ['?sortOrder=asc', 'abcd', 4],
    ['?sortOrder=descending', 'dcba', 4],
    ['?sortOrder=desc&count=2', 'dc', 4],
    ['?count=3&startIndex=3', 'c', 4],
    ['?startIndex=5000', '', 4],
    ['?filterBy=type&filterValue=2', 'dc', 2],
    ['?filterBy=type&filterValue=02', 'dc', 2],
    ['?filterBy=status&filterValue=0', 'a', 1],
    ['?filterBy=method&filterOp=equals&filterValue=0', 'b', 1],
    ['?filterBy=note&filterOp=contains&filterValue=two', 'a', 1],
    ['?filterBy=note&filterOp=startsWith&filterValue=crm', 'ba', 2],
    ['?filterBy=note&filterOp=present', 'bac', 3],
    ['?filterBy=type&filterOp=greaterThan&filterValue=0', 'adc', 3],
    ['?filterBy=type&filterOp=lessThan&filterValue=1', 'b', 1],
    ['?filterBy=type&filterOp=inArray&filterValue=0,1', 'ba', 2],
    ['?filterBy=url&filterValue=http%3A%2F%2Fx%2Fd', 'd', 1],
    ['?filterBy=modified&filterOp=greaterThan&filterValue=2020-01-01T00:00:00Z', 'badc', 4],
    ['?filterBy=modified&filterOp=lessThan&filterValue=2020-01-01T00:00:00Z', '', 0],
    ['?filterValue=ignored&somethingElse=1', 'badc', 4],
  ];
  for (const [query, ends, total] of queries) {
    const { body } = await api.ask('GET', `${BASE}${query}`, { token: WRITE });
    const urls = (body.entry as { url: string }[]).map(({ url }) => url.at(-1));
    t.strictSame([urls.join(''), body.totalResults], [ends, total], query);
  }
  const page = (await api.ask('GET', `${BASE}?count=2&startIndex=2&accessRequestToken=x`, { token: WRITE })).body;
  t.strictSame(page.links, { prev: `${api.origin}${BASE}?count=2&startIndex=0` });
  const first = (await api.ask('GET', `${BASE}?count=2`, { token: WRITE })).body;
  t.strictSame(first.links, { next: `${api.origin}${BASE}?count=2&startIndex=2` });
  const fields = (await api.ask('GET', `${BASE}/0?fields=type,note,url`, { token: WRITE })).body;
  t.strictSame(fields.entry, [{ type: '0', note: 'crm', url: 'http://x/b' }]);
});

t.test('who may do what', async (t) => {
  const api = await startApi(t);
  const denied = async (what: string, asked: Parameters<TestApi['ask']>): Promise<void> => {
    const { status, body } = await api.ask(...asked);
    t.strictSame([status, body.error.code], [401, 'access_denied'], what);
  };
  await denied('no token', ['GET', BASE]);
  await denied('a wrong token', ['GET', BASE, { token: 'wrong-token-0123456789' }]);
  await denied('a token that may only read', ['POST', BASE, { token: READ, body: GOOD }]);
  await denied('a token of another tenant', ['GET', BASE, { token: TENANT }]);
  t.equal((await api.ask('GET', BASE, { token: READ })).status, 200, 'reading is allowed');
  const own = BASE.replace('0003*101', '0004*101');
  t.equal((await api.ask('POST', own, { token: TENANT, body: GOOD })).status, 200, 'its own tenant');
  const short = BASE.replace('0003*101', '101');
  t.match(
    (await api.ask('GET', short, { token: TENANT })).body,
    { totalResults: 1 },
    'a short number is that of its tenant',
  );
  t.match(
    (await api.ask('GET', short, { token: WRITE })).body,
    { error: { code: 'extension_invalid' } },
    'and of none for all',
  );
  const query = `?accessRequestToken=${encodeURIComponent(`Bearer ${WRITE}`)}`;
  t.equal((await api.ask('GET', `${BASE}${query}`)).status, 200, 'the token may come in the query');
});

t.test('rules of the file are listed, but not changed', async (t) => {
  const api = await startApi(t, '', `${FILE_RULE}\ntenants: [{ prefix: "0003", extensions: ["101", "102"] }]`);
  const base = BASE.replace('101', '102');
  const { body } = await api.ask('GET', base, { token: WRITE });
  const [first] = body.entry as { id: string }[];
  t.match(body, {
    totalResults: 2,
    entry: [
      { type: '0', note: 'by file', readOnly: '1' },
      { type: '2', readOnly: '1' },
    ],
  });
  t.notOk('modified' in first!, 'nobody knows when');
  const answer = await api.ask('PUT', `${base}/0/${first!.id}`, { token: WRITE, body: { note: 'x' } });
  t.match(answer.body, { error: { code: 'pce_id_invalid', message: /configuration file/ } });
  t.match((await api.ask('DELETE', `${base}/0/${first!.id}`, { token: WRITE })).body, {
    error: { code: 'pce_id_invalid' },
  });
  const { id } = (await create(api, GOOD, base)) as { id: string };
  t.strictSame((await api.ask('DELETE', base, { token: WRITE })).body, [{ id }], 'deleting all leaves them');
});

t.test('the token endpoint', async (t) => {
  const api = await startApi(t);
  const form = (fields: object): { body: string; headers: Record<string, string> } => ({
    body: new URLSearchParams(fields as Record<string, string>).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
  });
  const credentials = { client_id: CLIENT.id, client_secret: CLIENT.secret };
  const asked = {
    ...credentials,
    grant_type: 'client_credentials',
    type: 'unifiedapi',
    redirect_uri: 'https://127.0.0.1:8443/ouath/token.php',
  };
  for (const path of ['/oauth/token.php', '/oauth/token']) {
    const { status, body, headers } = await api.ask('POST', path, form(asked));
    t.equal(status, 200, path);
    t.equal(headers.get('cache-control'), 'no-store');
    t.match(body, { access_token: /^[A-Za-z0-9_\-.]{10,}$/, expires_in: 3600, token_type: 'Bearer' });
    t.equal((await api.ask('GET', BASE, { token: body.access_token as string })).status, 200, 'the token is good');
  }
  t.equal((await api.ask('POST', '/oauth/token', { body: asked })).status, 200, 'JSON will do');
  const basic = { authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}` };
  const byHeader = await api.ask('POST', '/oauth/token', {
    headers: basic,
    body: { grant_type: 'client_credentials' },
  });
  t.equal(byHeader.status, 200, 'Basic, too');
  const refused: readonly [what: string, status: number, error: string, fields: object][] = [
    ['a wrong secret', 401, 'invalid_client', { ...asked, client_secret: 'wrong' }],
    ['an unknown client', 401, 'invalid_client', { ...asked, client_id: 'nobody' }],
    ['another grant', 400, 'unsupported_grant_type', { ...asked, grant_type: 'password' }],
    ['no grant', 400, 'invalid_request', credentials],
  ];
  for (const [what, status, error, fields] of refused) {
    const answer = await api.ask('POST', '/oauth/token.php', form(fields));
    t.strictSame([answer.status, answer.body], [status, { error }], what);
  }
});

t.test('issued tokens run out, and end with the secret of their client', async (t) => {
  const { AccessTokens } = await import('../../src/api/access/access-tokens.ts');
  let now = 1_000_000;
  const make = (secret: string) => new AccessTokens([], [{ id: 'app', secret, access: 'read' }], 60_000, () => now);
  const { token } = make('a-secret-of-20-letters').issue('app', 'a-secret-of-20-letters')!;
  t.match(make('a-secret-of-20-letters').find(token), { name: 'app', canWrite: false }, 'a restart does not end it');
  t.equal(make('another-secret-0123456').find(token), undefined, 'another secret does');
  t.equal(make('a-secret-of-20-letters').find(`${token.slice(0, -1)}x`), undefined, 'nor may it be changed');
  now += 60_000;
  t.equal(make('a-secret-of-20-letters').find(token), undefined, 'it has run out');
});
