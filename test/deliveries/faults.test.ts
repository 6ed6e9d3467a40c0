import { once } from 'node:events';
import { type AddressInfo, createServer, type LookupFunction, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import t, { type Test } from 'tap';
import { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import { formatRequest } from '../../src/deliveries/request.ts';
import { type AttemptOutcome, decideNext } from '../../src/deliveries/retry.ts';
import { HttpSender, type SenderOptions } from '../../src/deliveries/sender.ts';
import { makeCertificate } from '../proxy/support/certificate.ts';
import { eventOf, FakeLog, makeEvent, makeRule, openStore, OPTIONS, ScriptServer, SENDING } from './harness.ts';

const TIMEOUT_MS = 300;
const FAST = { connectTimeoutMs: TIMEOUT_MS, timeoutMs: TIMEOUT_MS };
const OK = 'HTTP/1.1 200 OK\r\n';

async function listen(t: Test, server: Server, host = '127.0.0.1', port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => {})));
  server.listen(port, host);
  await once(server, 'listening');
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

function send(t: Test, url: string, options: Partial<SenderOptions> = {}): Promise<AttemptOutcome> {
  const sender = new HttpSender({ ...SENDING, ...options });
  t.teardown(() => sender.close());
  const rule = makeRule({ url });
  return sender.send(formatRequest(makeEvent(), rule), rule, 'id-1');
}

const isTriedAgain = (outcome: AttemptOutcome): boolean =>
  decideNext(outcome, 3, 'hangup', 0, makeRule(), 0).state === 'pending';

/** Writes a text a byte at a time. */
function trickle(socket: Socket, text: string, everyMs: number): void {
  let sent = 0;
  const timer = setInterval(() => socket.write(text[sent++] ?? '.'), everyMs);
  socket.once('close', () => clearInterval(timer));
}

/** Writes as fast as it is taken. */
function flood(socket: Socket, bytes: number): void {
  const chunk = Buffer.alloc(65_536, 'x');
  const write = (): void => {
    while (bytes > 0 && !socket.destroyed) {
      bytes -= chunk.length;
      if (!socket.write(chunk)) return void socket.once('drain', write);
    }
  };
  write();
}

const UNTOLD = { error: /\w/ };
const LATE = { error: 'no answer in time' };

interface Fault {
  readonly name: string;
  readonly serve: (socket: Socket) => void;
  readonly outcome: object;
  readonly options?: Partial<SenderOptions>;
}

const FAULTS: readonly Fault[] = [
  { name: 'hangs before the answer', serve: () => {}, outcome: LATE },
  { name: 'hangs in the status line', serve: (socket) => void socket.write('HTTP/1.1 2'), outcome: LATE },
  { name: 'hangs in the headers', serve: (socket) => void socket.write(`${OK}Server: `), outcome: LATE },
  {
    name: 'hangs in the body: the status counts',
    serve: (socket) => void socket.write(`${OK}Content-Length: 100\r\n\r\nhalf`),
    outcome: { status: 200 },
  },
  {
    name: 'goes on processing',
    serve: (socket) => void socket.write('HTTP/1.1 102 Processing\r\n\r\n'),
    outcome: LATE,
  },
  { name: 'continues unasked', serve: (socket) => void socket.write('HTTP/1.1 100 Continue\r\n\r\n'), outcome: UNTOLD },
  { name: 'resets before the answer', serve: (socket) => void socket.resetAndDestroy(), outcome: UNTOLD },
  { name: 'closes before the answer', serve: (socket) => void socket.end(), outcome: UNTOLD },
  {
    name: 'resets in the headers',
    serve: (socket) => void socket.write(`${OK}Server: `, () => socket.resetAndDestroy()),
    outcome: UNTOLD,
  },
  {
    name: 'closes in the body of a failure: the status counts',
    serve: (socket) => void socket.end('HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nhalf'),
    outcome: { status: 500 },
  },
  { name: 'answers no HTTP', serve: (socket) => void socket.end('what?\r\n\r\n'), outcome: UNTOLD },
  {
    name: 'answers with headers without end',
    serve: (socket) => (socket.write(`${OK}X-Much: `), flood(socket, Infinity)),
    outcome: { error: /HEADERS_OVERFLOW/ },
  },
  {
    name: 'answers a byte per second',
    serve: (socket) => trickle(socket, `${OK}\r\n`, 1000),
    outcome: LATE,
    options: { timeoutMs: 2500 },
  },
  {
    name: 'answers a byte per second after the headers',
    serve: (socket) => (socket.write(`${OK}\r\n`), trickle(socket, '', 1000)),
    outcome: { status: 200 },
    options: { timeoutMs: 2500 },
  },
];

t.test('a faulty script is told in time, and its connection is closed', (t) => {
  t.jobs = FAULTS.length;
  for (const { name, serve, outcome, options } of FAULTS) {
    t.test(name, async (t) => {
      const closed: Promise<unknown>[] = [];
      const server = createServer((socket) => {
        closed.push(new Promise((done) => socket.once('close', done)));
        socket.once('data', () => serve(socket)).resume();
      });
      const url = `http://127.0.0.1:${await listen(t, server)}/`;
      const began = performance.now();
      const found = await send(t, url, { ...FAST, ...options });
      t.match(found, outcome);
      t.ok(performance.now() - began < (options?.timeoutMs ?? TIMEOUT_MS) + 1000, 'in time');
      t.equal(isTriedAgain(found), !('status' in outcome && outcome.status === 200));
      await Promise.all(closed);
      t.equal(closed.length, 1);
    });
  }
  t.end();
});

t.test('an answer of 100 MB: little of it is taken', async (t) => {
  const size = 100 * 1024 * 1024;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.once('data', () => (socket.write(`${OK}Content-Length: ${size}\r\n\r\n`), flood(socket, size)));
  });
  const port = await listen(t, server);
  const before = process.memoryUsage().arrayBuffers;
  t.match(await send(t, `http://127.0.0.1:${port}/`), { status: 200 });
  if (!sockets[0]!.destroyed) await new Promise((done) => sockets[0]!.once('close', done));
  t.ok(sockets[0]!.bytesWritten < size / 4, `it was broken off: ${sockets[0]!.bytesWritten} bytes were written`);
  t.ok(process.memoryUsage().arrayBuffers - before < 16 * 1024 * 1024);
});

t.test('a script that refuses, and one that listens nowhere', async (t) => {
  const server = createServer();
  const port = await listen(t, server);
  server.close();
  await once(server, 'close');
  for (const url of [`http://127.0.0.1:${port}/`, `https://127.0.0.1:${port}/`]) {
    const outcome = await send(t, url);
    t.match(outcome, { error: /ECONNREFUSED/ });
    t.ok(isTriedAgain(outcome));
  }
  const lookUp = answerWith(['127.0.0.1', '127.0.0.2']);
  t.match(await send(t, `http://two.example:${port}/`, { lookUp }), { error: /^ECONNREFUSED$/ }, 'at two addresses');
});

const answerWith =
  (addresses: readonly string[]): LookupFunction =>
  (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: 4 })),
    );

t.test('bad TLS', async (t) => {
  const certificate = makeCertificate('elsewhere.example');
  const plain = createServer((socket) => socket.once('data', () => socket.end(`${OK}\r\n`)));
  const mute = createServer();
  const rude = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()));
  const table: [name: string, server: Server, error: RegExp][] = [
    ['signed by nobody', createTlsServer(certificate), /self.signed certificate/],
    ['none at all', plain, /SSL|EPROTO|wrong version/i],
    ['no certificate', createTlsServer({}), /handshake|EPROTO|alert/i],
    ['reset in the handshake', rude, /ECONNRESET|closed|disconnected/],
    ['silence in the handshake', mute, /^no connection in time$/],
  ];
  for (const [name, server, error] of table) {
    server.on('tlsClientError', () => {});
    const outcome = await send(t, `https://127.0.0.1:${await listen(t, server)}/`, { connectTimeoutMs: TIMEOUT_MS });
    t.match(outcome, { error }, name);
    t.ok(isTriedAgain(outcome), name);
  }
});

t.test('DNS that fails, or never answers', async (t) => {
  const awake = setInterval(() => {}, 1000); // nothing else here would wait for a name server
  t.teardown(() => clearInterval(awake));
  const failWith =
    (code: string): LookupFunction =>
    (host, _options, done) =>
      done(Object.assign(new Error(`getaddrinfo ${code} ${host}`), { code }), []);
  const table: [lookUp: LookupFunction, error: RegExp][] = [
    [failWith('ENOTFOUND'), /^getaddrinfo ENOTFOUND script\.example$/],
    [failWith('EAI_AGAIN'), /^getaddrinfo EAI_AGAIN script\.example$/],
    [() => {}, /^no connection in time$/],
  ];
  for (const [lookUp, error] of table) {
    for (const scheme of ['http', 'https']) {
      const outcome = await send(t, `${scheme}://script.example/`, { lookUp, connectTimeoutMs: TIMEOUT_MS });
      t.match(outcome, { error });
      t.ok(isTriedAgain(outcome));
    }
  }
});

t.test('DNS that changes: the next connection goes to the new address', async (t) => {
  const reached: (string | undefined)[] = [];
  const serve = () =>
    createServer((socket) => {
      reached.push(socket.localAddress);
      socket.once('data', () => socket.end(`${OK}Content-Length: 0\r\n\r\n`));
    });
  const old = serve();
  const port = await listen(t, old, '127.0.0.1');
  await listen(t, serve(), '127.0.0.2', port);
  let address = '127.0.0.1';
  const sender = new HttpSender({ ...SENDING, lookUp: (...all) => answerWith([address])(...all) });
  t.teardown(() => sender.close());
  const rule = makeRule({ url: `http://script.example:${port}/` });
  const attempt = () => sender.send(formatRequest(makeEvent(), rule), rule, 'id-1');
  t.match(await attempt(), { status: 200 });
  old.close();
  await once(old, 'close');
  t.match(await attempt(), { error: /ECONNREFUSED/ });
  address = '127.0.0.2';
  t.match(await attempt(), { status: 200 });
  t.strictSame(reached, ['127.0.0.1', '127.0.0.2']);
});

t.test('429 with Retry-After: not before', async (t) => {
  const script = new ScriptServer();
  const url = await script.listen();
  t.teardown(() => script.close());
  const table: [retryAfter: () => string, leastMs: number, mostMs: number][] = [
    [() => '120', 120_000, 120_000],
    [() => new Date(Date.now() + 90_000).toUTCString(), 85_000, 90_000],
    [() => '999999999', 24 * 3600_000, 24 * 3600_000],
    [() => 'later', 500, 500],
  ];
  for (const [retryAfter, leastMs, mostMs] of table) {
    script.handle = (response) => response.writeHead(429, { 'retry-after': retryAfter() }).end();
    const outcome = await send(t, url);
    t.match(outcome, { status: 429 });
    const next = decideNext(outcome, 1, 'hangup', 0, makeRule(), 0);
    if (!t.match(next, { state: 'pending' }) || next.state !== 'pending') continue;
    t.ok(next.waitMs >= leastMs && next.waitMs <= mostMs, `${next.waitMs} ms`);
  }
});

t.test('all faults at once do not hold up a script without', async (t) => {
  const rules = await Promise.all(
    FAULTS.map(async ({ name, serve }) => {
      const server = createServer((socket) => socket.once('data', () => serve(socket)).resume());
      return makeRule({ id: name, url: `http://127.0.0.1:${await listen(t, server)}/` });
    }),
  );
  const script = new ScriptServer();
  t.teardown(() => script.close());
  rules.push(makeRule({ id: 'healthy', url: await script.listen() }));
  const find = (id: string) => rules.find((rule) => rule.id === id);
  const sender = new HttpSender(SENDING);
  const parts = { store: openStore().store, sender, findRule: find, log: new FakeLog() };
  const dispatcher = new Dispatcher(OPTIONS, parts);
  t.teardown(() => dispatcher.stop(0));
  dispatcher.start();
  const began = performance.now();
  const events = Array.from({ length: 50 }, (_, i) => eventOf(`call${i}`, 1, 'hangup'));
  dispatcher.publish(events.map((event) => ({ event, rules })));
  await script.until(() => script.received.length === events.length);
  const tookMs = performance.now() - began;
  t.ok(tookMs < SENDING.timeoutMs, `no time-out was waited for: ${events.length} events in ${Math.round(tookMs)} ms`);
});
