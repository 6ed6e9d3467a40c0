import { createSocket } from 'node:dgram';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { hep3, u32, chunk } from '../sources/packets.ts';
import { Ringside, ringside } from './process.ts';

const captures = fileURLToPath(new URL('../../captures/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ringside-'));
t.teardown(() => rmSync(folder, { recursive: true }));

function put(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** A script: remembers what it is sent, says 200. */
async function openScript(
  t: Test,
): Promise<{ url: string; bodies: string[]; waitFor: (count: number) => Promise<void> }> {
  const bodies: string[] = [];
  let waiting: (() => void)[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (text: Buffer) => (body += text.toString()));
    request.on('end', () => {
      bodies.push(body);
      response.end('OK');
      for (const wake of waiting.splice(0)) wake();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const waitFor = async (count: number): Promise<void> => {
    while (bodies.length < count) await new Promise<void>((done) => (waiting = [...waiting, done]));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, bodies, waitFor };
}

const rules = (url: string, events = 'dial-in, dial-out, answer-in, answer-out, hangup'): string => `
tenants: [{ extensions: ["101-103"] }]
callEvents: [{ extension: "*", event: [${events}], method: POST, url: "${url}", extras: [EventType] }]
sip: { engine: none }
hep: { listen: ["udp:127.0.0.1:0"] }
store: ${join(folder, `${Math.random()}.db`)}
`;

t.test('replay --json prints the events, the summary goes to standard error', async (t) => {
  const { code, out, err } = await ringside(t, 'replay', '--json', join(captures, 'busy.pcap'));
  t.equal(code, 0);
  t.equal(out, readFileSync(join(captures, 'busy.events.jsonl'), 'utf8'));
  t.match(err, /4 SIP messages in 4 packets, 1 calls, 4 events\nevents: dial-in 1, dial-out 1, hangup BUSY 2\n$/);
});

t.test('replay as a table, with requests in a dry run', async (t) => {
  const config = put('dry.yaml', rules('http://127.0.0.1:1/hook?a=1', 'dial-in'));
  const { code, out } = await ringside(t, 'replay', '--dry-run', '-c', config, join(captures, 'busy.pcap'));
  t.equal(code, 0);
  const lines = out.split('\n');
  t.match(lines[0], /^TIME +EVENT +EXTENSION +STATUS/);
  t.match(lines[2], /^2026-\d\d-\d\d .* dial-in +102 +CALLING +101 +102 /);
  t.equal(lines[3], '    POST http://127.0.0.1:1/hook?a=1');
  t.match(lines[4], /^ +CallID=.*&CallAPIID=[a-z0-9]{20}&EventType=dial-in$/);
});

t.test('replay delivers to a real script', async (t) => {
  const script = await openScript(t);
  const { code, err } = await ringside(
    t,
    'replay',
    '-c',
    put('live.yaml', rules(script.url)),
    join(captures, 'answered.pcap'),
  );
  t.equal(code, 0, err);
  t.equal(script.bodies.length, 18);
  t.match(err, /18 requests delivered\n/);
  const byCall = Map.groupBy(
    script.bodies.map((body) => new URLSearchParams(body)),
    (params) => params.get('CallID')!,
  );
  t.equal(byCall.size, 3);
  for (const events of byCall.values()) {
    t.strictSame(
      events.map((params) => params.get('EventType')),
      ['dial-out', 'dial-in', 'answer-in', 'answer-out', 'hangup', 'hangup'],
    );
  }
});

t.test('replay says what was not delivered', async (t) => {
  const config = put('dead.yaml', rules('http://127.0.0.1:1/'));
  const { code, err } = await ringside(t, 'replay', '-c', config, '--wait', '100ms', join(captures, 'busy.pcap'));
  t.equal(code, 1);
  t.match(err, /0 requests delivered, .*not delivered in time/);
});

t.test('replay of a live pipe tells each event when it happens', async (t) => {
  const file = readFileSync(join(captures, 'called-ends.pcap'));
  const process = new Ringside(t, ['replay', '--json', '-']);
  // The records of INVITE and 180, no more.
  let end = 24;
  for (let record = 0; record < 2; record++) end += 16 + file.readUInt32LE(end + 8);
  process.child.stdin!.write(file.subarray(0, end));
  await process.waitFor(/"event":"dial-out".*\n.*"event":"dial-in"/);
  t.notMatch(process.out, /answer/);
  process.child.stdin!.end(file.subarray(end));
  const { code, out } = await process.finished;
  t.equal(code, 0);
  t.equal(out, readFileSync(join(captures, 'called-ends.events.jsonl'), 'utf8'));
});

t.test('replay --pace real keeps the time between messages', async (t) => {
  const began = Date.now();
  const { out } = await ringside(t, 'replay', '--json', '--pace', 'real', join(captures, 'called-ends.pcap'));
  t.ok(Date.now() - began >= 400, 'the capture lasts 0.4 s');
  t.equal(out, readFileSync(join(captures, 'called-ends.events.jsonl'), 'utf8'));
});

t.test('wrong use and wrong input: one line, exit code 2', async (t) => {
  const unreadable = put('unreadable.pcap', 'x');
  chmodSync(unreadable, 0);
  const rows: [args: string[], error: RegExp][] = [
    [['replay', join(folder, 'missing.pcap')], /missing\.pcap: no such file\n$/],
    [['replay', folder], /: a directory, not a capture file\n$/],
    [['replay', put('garbage', 'garbage '.repeat(50))], /garbage: neither pcap nor pcapng, nor gzip of one\n$/],
    [
      ['replay', '-c', put('bad.yaml', 'callEvents:\n  - { extension: "1", event: ring, url: "http://h/" }\n'), 'x'],
      /bad\.yaml:2:\d+: callEvents\[0\]\.event: one of /,
    ],
    [['replay', '--pace', 'slow', 'x'], /ringside: option '--pace <pace>' argument 'slow' is invalid/],
    [['replay', '--wait', 'long', 'x'], /A duration such as 500ms, 10s or 5m is expected/],
    [['replay'], /ringside: missing required argument 'file'/],
    [['check', join(folder, 'missing.yaml')], /missing\.yaml: no such file\n$/],
    [['run', '-c', put('store.yaml', 'store: /dev/null/x.db\n')], /can't open the store \/dev\/null\/x\.db: /],
    [['nonsense'], /ringside: unknown command 'nonsense'/],
  ];
  for (const [args, error] of rows) {
    const { code, err } = await ringside(t, ...args);
    t.equal(code, 2, args.join(' '));
    t.match(err, error);
  }
  if (process.getuid?.() === 0) t.comment('SKIPPED: root can read every file, so an unreadable one is not tried');
  else t.match((await ringside(t, 'replay', unreadable)).err, /permission denied/);
});

/** A SIP message in a HEP packet of now. */
function wrap(lines: readonly string[]): Buffer {
  const now = Date.now();
  const times = [chunk(9, u32(Math.floor(now / 1000))), chunk(10, u32((now % 1000) * 1000))];
  return hep3(Buffer.from([...lines, 'Content-Length: 0', '', ''].join('\r\n')), times);
}

const headers = (callId: string, cseq: string, toTag = ''): string[] => [
  `Via: SIP/2.0/UDP h;branch=z9hG4bK${callId}`,
  'From: <sip:101@h>;tag=a',
  `To: <sip:102@h>${toTag}`,
  `Call-ID: ${callId}`,
  `CSeq: ${cseq}`,
];

t.test('run: from HEP to the script, reload, orderly stop', async (t) => {
  const script = await openScript(t);
  const config = put('run.yaml', rules(script.url));
  const server = new Ringside(t, ['run', '-c', config]);
  const [, port] = await server.waitFor(/Listening for HEP on udp:127\.0\.0\.1:(\d+)\./);
  await server.waitFor(/-> POST http/);
  const socket = createSocket('udp4');
  const send = (...lines: string[]): void => socket.send(wrap(lines), Number(port), '127.0.0.1');
  send('INVITE sip:102@h SIP/2.0', ...headers('one', '1 INVITE'));
  send('SIP/2.0 180 Ringing', ...headers('one', '1 INVITE', ';tag=b'));
  await script.waitFor(2);
  t.strictSame(
    script.bodies.map((body) => new URLSearchParams(body).get('EventType')),
    ['dial-out', 'dial-in'],
  );

  writeFileSync(config, readFileSync(config, 'utf8').replace('event: [', 'event: [ring, '));
  await server.waitFor(/configuration refused, the old one stays:\\n.*run\.yaml:3:\d+: callEvents\[0\]\.event\[0\]/);
  send('SIP/2.0 486 Busy Here', ...headers('one', '1 INVITE', ';tag=b'));
  await script.waitFor(4);
  t.strictSame(
    script.bodies.slice(2).map((body) => new URLSearchParams(body).get('CallStatus')),
    ['BUSY', 'BUSY'],
  );

  writeFileSync(config, rules(script.url, 'dial-in'));
  await server.waitFor(/configuration reloaded/);
  send('INVITE sip:103@h SIP/2.0', ...headers('two', '1 INVITE'));
  send('SIP/2.0 180 Ringing', ...headers('two', '1 INVITE', ';tag=b'));
  await script.waitFor(5);
  t.equal(new URLSearchParams(script.bodies[4]).get('EventType'), 'dial-in', 'the new rule wants nothing else');

  server.child.kill('SIGINT');
  const { code, out } = await server.finished;
  t.equal(code, 0);
  t.match(out, /Stopping\.\nStopped\. What is not delivered yet will be at the next start\.\n$/);
  socket.close();
});

t.test('run: what a stop leaves undelivered, the next start delivers', async (t) => {
  const script = await openScript(t);
  const config = put('rest.yaml', rules(script.url).replace(script.url, 'http://127.0.0.1:1/hook'));
  const first = new Ringside(t, ['run', '-c', config]);
  const [, port] = await first.waitFor(/udp:127\.0\.0\.1:(\d+)\./);
  const socket = createSocket('udp4');
  socket.send(wrap(['INVITE sip:102@h SIP/2.0', ...headers('x', '1 INVITE')]), Number(port), '127.0.0.1');
  socket.send(wrap(['SIP/2.0 486 Busy Here', ...headers('x', '1 INVITE', ';tag=b')]), Number(port), '127.0.0.1');
  await first.waitFor(/delivery failed; next attempt/);
  first.child.kill('SIGTERM');
  t.equal((await first.finished).code, 0);
  socket.close();
  const second = new Ringside(t, ['run', '-c', config]);
  await second.waitFor(/delivery failed; next attempt|next attempt in/);
  second.child.kill('SIGINT');
  t.equal((await second.finished).code, 0, 'it is tried again after a restart');
});
