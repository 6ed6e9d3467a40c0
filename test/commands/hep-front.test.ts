import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { PassThrough } from 'node:stream';
import { Worker } from 'node:worker_threads';
import { pino } from 'pino';
import t, { type Test } from 'tap';
import { HepFront } from '../../src/commands/hep-front.ts';
import { ListenError, parseListenAddress } from '../../src/sip/listen-address.ts';
import { until } from '../proxy/support/ports.ts';
import { chunk, hep3, SIP, u32 } from '../sources/packets.ts';

const MAX_SKEW_MS = 30_000;

interface Opened {
  readonly front: HepFront;
  /** What was taken in. */
  readonly seen: { readonly callId: string; readonly observedAt: number; readonly correlationId: string | undefined }[];
  /** What the log was told. */
  readonly lines: string[];
}

function open(t: Test, ...listen: string[]): Opened {
  const seen: Opened['seen'] = [];
  const lines: string[] = [];
  const log = new PassThrough().on('data', (line: Buffer) =>
    lines.push((JSON.parse(line.toString()) as { msg: string }).msg),
  );
  const front = new HepFront(
    {
      listen: listen.map((text) => parseListenAddress(text)!),
      maxObservedBytes: 1_000_000,
      maxClockSkewMs: MAX_SKEW_MS,
    },
    ({ bytes, observedAt, correlationId }) =>
      seen.push({ callId: /Call-ID: (.*)\r/.exec(Buffer.from(bytes).toString())![1]!, observedAt, correlationId }),
    pino(log),
  );
  t.teardown(() => front.stop());
  return { front, seen, lines };
}

const portOf = (address = ''): number => Number(/\d+$/.exec(address)![0]);

/** In a HEP packet of a time in epoch ms. */
function wrap(callId: string, at: number, ...more: Buffer[]): Buffer {
  return hep3(SIP(callId), [chunk(9, u32(Math.floor(at / 1000))), chunk(10, u32((at % 1000) * 1000)), ...more]);
}

async function send(port: number, ...packets: Buffer[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const packet of packets) await new Promise((done) => socket.send(packet, port, '127.0.0.1', done));
  socket.close();
}

/** In a thread of its own: sends each packet to the port, one a millisecond. */
const SENDER = `
const { workerData: { packets, port } } = require('node:worker_threads');
const socket = require('node:dgram').createSocket('udp4');
let sent = 0;
const sending = setInterval(() => {
  if (sent < packets.length) return socket.send(packets[sent++], port, '127.0.0.1');
  clearInterval(sending);
  socket.close();
}, 1);
`;

t.test('who stands still for seconds loses no packet, and takes them in as they came', async (t) => {
  const { front, seen, lines } = open(t, 'udp:127.0.0.1:0');
  const [address] = await front.start();
  const at = Date.now();
  const packets = Array.from({ length: 2000 }, (_, i) => wrap(`${i}`, at + i));
  const sender = new Worker(SENDER, { eval: true, workerData: { packets, port: portOf(address) } });
  const ended = once(sender, 'exit');
  await once(sender, 'online');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 4000);
  t.equal(seen.length, 0);
  t.ok(front.observedUntil < at + 1000, 'no time has passed');
  await until(() => seen.length === 2000, 'all packets', 10_000);
  t.strictSame(
    seen.map(({ callId, observedAt }) => [callId, observedAt]),
    packets.map((_, i) => [`${i}`, at + i]),
  );
  await until(() => front.observedUntil > at + 4000, 'the time has passed', 10_000);
  t.strictSame([lines, [...front.drops]], [[], []]);
  await ended;
});

t.test('over UDP and TCP; what is of no use is counted', async (t) => {
  const { front, seen, lines } = open(t, 'udp:127.0.0.1:0', 'tcp:127.0.0.1:0');
  const [udp, tcp] = await front.start();
  const now = Date.now();
  await send(
    portOf(udp),
    Buffer.from('no HEP'),
    hep3(Buffer.from('{"rtcp":1}')),
    wrap('a', now, chunk(17, Buffer.from('id'))),
  );
  await until(() => seen.length === 1, 'the first', 10_000);
  const connection = connect(portOf(tcp), '127.0.0.1');
  const stream = Buffer.concat([wrap('b', now), wrap('c', now - 60_000)]);
  connection.write(stream.subarray(0, 50));
  connection.end(stream.subarray(50));
  await until(() => seen.length === 3 && front.drops.size === 2, 'all', 10_000);
  t.match(seen, [
    { callId: 'a', observedAt: now, correlationId: 'id' },
    { callId: 'b', observedAt: now, correlationId: undefined },
    { callId: 'c', correlationId: undefined },
  ]);
  t.ok(seen[2]!.observedAt >= now, 'an agent whose clock is off: the time of arrival');
  t.strictSame(Object.fromEntries(front.drops), { 'HEP packet damaged': 1, 'HEP packet without SIP': 1 });
  await until(() => lines.length === 2, 'what was told', 10_000);
  t.strictSame(lines.sort(), ['HEP input was dropped', "a capture agent's clock is off: the time of arrival counts"]);
});

t.test('a thread that dies begins anew on the same address', async (t) => {
  const { front, seen, lines } = open(t, 'udp:127.0.0.1:0');
  const worker = new Promise<Worker>((done) => process.once('worker', done));
  const [address] = await front.start();
  await (await worker).terminate();
  t.equal(front.observedUntil, Infinity, 'time passes all the same');
  await until(() => lines.includes('the HEP listener runs again'), 'the next one', 10_000);
  await send(portOf(address), wrap('a', Date.now()));
  await until(() => seen.length === 1, 'a packet', 10_000);
});

t.test("an address that can't be had", async (t) => {
  for (const transport of ['udp', 'tcp']) {
    const [address] = await open(t, `${transport}:127.0.0.1:0`).front.start();
    await t.rejects(
      open(t, address!).front.start(),
      new ListenError(`can't listen on ${address}: the address is in use by another program`),
    );
  }
});

t.test('a stop takes in what came before, and leaves the address to others', async (t) => {
  const { front, seen } = open(t, 'udp:127.0.0.1:0');
  const [address] = await front.start();
  const names = Array.from({ length: 20 }, (_, i) => `${i}`);
  await send(portOf(address), ...names.map((name) => wrap(name, Date.now())));
  await front.stop();
  t.strictSame(
    seen.map(({ callId }) => callId),
    names,
  );
  t.strictSame(await open(t, address!).front.start(), [address]);
});
