import { spawnSync } from 'node:child_process';
import { parse } from 'node:querystring';
import t, { type Test } from 'tap';
import { formatRequest } from '../../src/deliveries/request.ts';
import { HttpSender, type SenderOptions } from '../../src/deliveries/sender.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { makeEvent, makeRule, PARAMS, PARAMS_FORM, ScriptServer, SENDING } from './harness.ts';

async function openServer(t: Test): Promise<{ server: ScriptServer; origin: string }> {
  const server = new ScriptServer();
  const origin = await server.listen();
  t.teardown(() => server.close());
  return { server, origin };
}

function openSender(t: Test, options: Partial<SenderOptions> = {}): HttpSender {
  const sender = new HttpSender({ ...SENDING, ...options });
  t.teardown(() => sender.close());
  return sender;
}

const send = (sender: HttpSender, rule: Rule, event = makeEvent()) =>
  sender.send(formatRequest(event, rule), rule, String(event.extras.EventID));

t.test('GET: what the script gets, byte for byte', async (t) => {
  const { server, origin } = await openServer(t);
  const sender = openSender(t);
  const table: [path: string, line: string][] = [
    ['/hook', `GET /hook?${PARAMS_FORM} HTTP/1.1`],
    ['', `GET /?${PARAMS_FORM} HTTP/1.1`],
    ['/hook.php?src=pbx&x=a+b%20c*%2B', `GET /hook.php?src=pbx&x=a+b%20c*%2B&${PARAMS_FORM} HTTP/1.1`],
    ['/hook?src=pbx#part', `GET /hook?src=pbx&${PARAMS_FORM} HTTP/1.1`],
    ['/h%C3%B6k?&&', `GET /h%C3%B6k?&&${PARAMS_FORM} HTTP/1.1`],
    ['/hök?q=ü', `GET /h%C3%B6k?q=%C3%BC&${PARAMS_FORM} HTTP/1.1`],
  ];
  for (const [path, line] of table) {
    t.match(await send(sender, makeRule({ url: origin + path })), { status: 200 });
    const request = server.received.at(-1)!;
    t.equal(request.line, line);
    t.equal(request.body, '');
    t.strictSame(
      request.headers.filter(([name]) => !/^(host|connection)$/i.test(name)),
      [['user-agent', 'Ringside/1.2.3']],
    );
  }
});

t.test('POST: the query stays in the request line, the parameters are the body', async (t) => {
  const { server, origin } = await openServer(t);
  const sender = openSender(t);
  const params = { CallerIDName: `Zoë "Z" O'Neil & Co +*` };
  await send(sender, makeRule({ method: 'POST', url: `${origin}/hook?src=pbx#x` }), makeEvent({ params }));
  const request = server.received[0]!;
  t.equal(request.line, 'POST /hook?src=pbx HTTP/1.1');
  const body = PARAMS_FORM.replace('Front%20desk', 'Zo%C3%AB%20%22Z%22%20O%27Neil%20%26%20Co%20%2B%2A');
  t.equal(request.body, body);
  t.strictSame(
    request.headers.filter(([name]) => !/^(host|connection)$/i.test(name)),
    [
      ['user-agent', 'Ringside/1.2.3'],
      ['content-type', 'application/x-www-form-urlencoded'],
      ['content-length', String(body.length)],
    ],
  );
});

t.test('POST as JSON, in UTF-8', async (t) => {
  const { server, origin } = await openServer(t);
  const rule = makeRule({ method: 'POST', body: 'json', url: `${origin}/hook` });
  await send(openSender(t), rule, makeEvent({ params: { CallerIDName: 'Zoë 日本' } }));
  const { line, headers, body } = server.received[0]!;
  t.equal(line, 'POST /hook HTTP/1.1');
  t.strictSame(
    headers.find(([name]) => name === 'content-type'),
    ['content-type', 'application/json'],
  );
  const text = JSON.stringify({ ...PARAMS, CallerIDName: 'Zoë 日本' });
  t.equal(Buffer.from(body, 'latin1').toString('utf8'), text);
});

t.test("a rule's headers are added; one that Ringside sets itself is replaced, in whatever case", async (t) => {
  const { server, origin } = await openServer(t);
  const headers = { 'X-Token': 's3cret', 'USER-AGENT': 'mine', 'Content-Type': 'text/x-form' };
  await send(openSender(t), makeRule({ method: 'POST', url: origin, headers }));
  t.strictSame(
    server.received[0]!.headers.filter(([name]) => /^(x-token|user-agent|content-type)$/i.test(name)),
    [
      ['user-agent', 'mine'],
      ['content-type', 'text/x-form'],
      ['x-token', 's3cret'],
    ],
  );
});

t.test('a header that would break the request is not sent', async (t) => {
  const { server, origin } = await openServer(t);
  const rule = makeRule({ url: origin, headers: { 'X-Token': 'a\r\nX-Injected: b' } });
  t.match(await send(openSender(t), rule), { error: /header/ });
  t.equal(server.received.length, 0);
});

const DECODER = `
import json, os, sys
from urllib.parse import parse_qsl
text = os.environ['QUERY_STRING']
if os.environ['REQUEST_METHOD'] == 'POST':
    text = sys.stdin.buffer.read(int(os.environ['CONTENT_LENGTH'])).decode('ascii')
json.dump(parse_qsl(text, keep_blank_values=True, strict_parsing=True, encoding='utf-8', errors='strict'), sys.stdout)
`;

const hasPython = spawnSync('python3', ['--version']).status === 0;
const skip = hasPython ? false : 'SKIPPED: no python3 here to run a CGI script with';
if (skip) console.error(skip);

t.test('a CGI script in Python reads what was sent', { skip }, async (t) => {
  const { server, origin } = await openServer(t);
  const sender = openSender(t);
  const params = { CallerIDName: `Zoë "日本" & Söhne; +*%=#'?`, CallID: 'a=b&c@d\r\n\t ~._-' };
  for (const method of ['GET', 'POST'] as const) {
    await send(sender, makeRule({ method, url: `${origin}/cgi?src=pbx` }), makeEvent({ params }));
    const { line, body } = server.received.at(-1)!;
    const query = line.split(' ')[1]!.split('?')[1]!;
    const env = {
      PATH: process.env['PATH'],
      REQUEST_METHOD: method,
      QUERY_STRING: query,
      CONTENT_LENGTH: String(body.length),
    };
    const { stdout, stderr } = spawnSync('python3', ['-c', DECODER], { env, input: body, encoding: 'utf8' });
    t.equal(stderr, '');
    const expected = Object.entries({ ...PARAMS, ...params });
    t.strictSame(JSON.parse(stdout), method === 'GET' ? [['src', 'pbx'], ...expected] : expected, method);
    if (method === 'POST') t.strictSame(Object.entries(parse(body)), expected, 'and so does node:querystring');
  }
});

t.test('a redirect is not followed', async (t) => {
  const { server, origin } = await openServer(t);
  server.handle = (response) => response.writeHead(302, { location: `${origin}/elsewhere` }).end();
  t.match(await send(openSender(t), makeRule({ url: `${origin}/hook` })), { status: 302 });
  t.strictSame(
    server.received.map(({ path }) => path),
    ['/hook'],
  );
});

t.test('status and Retry-After are told', async (t) => {
  const { server, origin } = await openServer(t);
  const sender = openSender(t);
  server.handle = (response) => response.writeHead(503, { 'retry-after': '7' }).end('busy');
  t.strictSame(await send(sender, makeRule({ url: origin })), { status: 503, retryAfterMs: 7000, answer: 'busy' });
  server.handle = (response) => response.writeHead(404).end();
  t.match(await send(sender, makeRule({ url: origin })), { status: 404 });
});

t.test('after an answer of up to 4 KB the connection is used again, after a longer one it is not', async (t) => {
  const { server, origin } = await openServer(t);
  const sender = openSender(t, { connectionsPerOrigin: 1 });
  const rule = makeRule({ url: origin });
  const connectionsOfThree = async (): Promise<number> => {
    server.received.length = 0;
    for (let i = 0; i < 3; i++) t.match(await send(sender, rule), { status: 200 });
    return new Set(server.received.map(({ port }) => port)).size;
  };
  server.handle = (response) => void response.write('x'.repeat(4095), () => setImmediate(() => response.end('x')));
  t.equal(await connectionsOfThree(), 1);
  server.handle = (response) => void response.writeHead(200, { 'content-length': 5000 }).write('x'.repeat(4097));
  t.equal(await connectionsOfThree(), 3);
});

t.test('a slow script does not take the connections of another on the same host', async (t) => {
  const { server, origin } = await openServer(t);
  const held: (() => void)[] = [];
  server.handle = (response, { path }) => (path === '/slow' ? held.push(() => response.end()) : response.end());
  const sender = openSender(t, { connectionsPerOrigin: 2 });
  const slow = [1, 2, 3].map(() => send(sender, makeRule({ url: `${origin}/slow?event=1` })));
  await server.until(() => server.received.length === 2);
  t.match(await send(sender, makeRule({ url: `${origin}/quick` })), { status: 200 });
  t.equal(held.length, 2, 'the slow one has the connections it may have, and no more');
  server.handle = (response) => response.end();
  for (const release of held) release();
  t.strictSame(await Promise.all(slow), [{ status: 200 }, { status: 200 }, { status: 200 }]);
});

t.test('close breaks off what is under way', async (t) => {
  const { server, origin } = await openServer(t);
  server.handle = () => {};
  const sender = openSender(t);
  const outcome = send(sender, makeRule({ url: origin }));
  await server.until(() => server.received.length === 1);
  await sender.close();
  t.match(await outcome, { error: /\w/ });
});
