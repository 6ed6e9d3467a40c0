import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { makeCertificate } from '../../proxy/support/certificate.ts';
import { freePort } from '../../proxy/support/ports.ts';

// How much later a script that works gets its requests while a thousand deliveries wait for one that does not.
// usage: node test/bench/delivery/isolation.ts [DELIVERIES [SECONDS]]
// The script that works closes each connection, so that every request needs a name looked up and a new one.

const [deliveries = 1000, seconds = 4] = process.argv.slice(2).map(Number);
const MAX_DELAY_MS = 50;
const DEAD_NAME_SERVER = '127.0.53.53';
const env = { ...process.env, UV_THREADPOOL_SIZE: '16' }; // as main.ts sets it
const sender = fileURLToPath(new URL('isolation-sender.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ringside-bench-'));

const now = (): number => performance.timeOrigin + performance.now();

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const arrivals = new Map<string, number>();
const healthy = createServer({ noDelay: true }, (socket) => {
  socket.setEncoding('latin1');
  socket.on('error', () => {});
  socket.on('data', (text: string) => {
    for (const [, call] of text.matchAll(/CallAPIID=(\w+)/g)) arrivals.set(call!, now());
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
});
const hanging = createServer((socket) => socket.on('error', () => {}).resume());
const untrusted = createTlsServer(makeCertificate('script.example'));
untrusted.on('tlsClientError', () => {});
const url = `http://localhost:${await listen(healthy)}/healthy`;

interface Fault {
  readonly name: string;
  readonly url: string;
  /** Name servers do not answer. */
  readonly isMute?: boolean;
}

const faults: readonly Fault[] = [
  { name: 'hangs', url: `http://127.0.0.1:${await listen(hanging)}/` },
  { name: 'refuses', url: `http://127.0.0.1:${await freePort()}/` },
  { name: 'has no name', url: 'http://nowhere.invalid/' },
  { name: 'has a name server that is mute', url: 'http://mute.example/', isMute: true },
  { name: 'fails in TLS', url: `https://127.0.0.1:${await listen(untrusted)}/` },
];

/** In a mount namespace of its own the sender asks a name server that never answers; only root may make one. */
function muteNameServer(command: readonly string[]): readonly string[] {
  const file = join(folder, 'resolv.conf');
  writeFileSync(file, `nameserver ${DEAD_NAME_SERVER}\n`);
  return ['unshare', '--mount', 'sh', '-c', `mount --bind ${file} /etc/resolv.conf && exec "$@"`, 'sh', ...command];
}

async function measure({ name, url: faulty, isMute = false }: Fault): Promise<boolean> {
  const own = [process.execPath, sender, url, faulty, folder, String(deliveries), String(seconds)];
  const [program, ...args] = isMute ? muteNameServer(own) : own;
  const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close');
  const { before, beside } = JSON.parse(text) as { [phase in 'before' | 'beside']: Record<string, number> };
  const [quiet, busy] = [delaysOf(before), delaysOf(beside)];
  const added = busy.map((ms, i) => ms - quiet[Math.min(i, quiet.length - 1)]!);
  const most = Math.max(...added);
  const isMet = most <= MAX_DELAY_MS && busy.length === Object.keys(beside).length;
  console.log(
    `${name}: ${describe(quiet)} alone, ${describe(busy)} beside it; at most ${most.toFixed(1)} ms more: ${isMet ? 'met' : 'MISSED'}`,
  );
  return isMet;
}

/** From publishing to the script, the shortest first. */
const delaysOf = (published: Record<string, number>): number[] =>
  Object.entries(published)
    .flatMap(([call, at]) => (arrivals.has(call) ? [arrivals.get(call)! - at] : []))
    .sort((a, b) => a - b);

function describe(delays: readonly number[]): string {
  const at = (share: number): string =>
    delays[Math.min(delays.length - 1, Math.floor(delays.length * share))]!.toFixed(1);
  return `${delays.length} requests, median ${at(0.5)}, 99th ${at(0.99)}, longest ${at(1)} ms`;
}

const mute = createSocket('udp4');
const isRoot = process.getuid?.() === 0;
if (isRoot) {
  mute.bind(53, DEAD_NAME_SERVER);
  await once(mute, 'listening');
}
const results: boolean[] = [];
for (const fault of faults) {
  if (fault.isMute && !isRoot) console.log(`${fault.name}: left out, only root can play it`);
  else results.push(await measure(fault));
}
mute.close();
for (const server of [healthy, hanging, untrusted]) server.close();
rmSync(folder, { recursive: true });
process.exit(results.every(Boolean) ? 0 : 1); // what hangs would keep it up
