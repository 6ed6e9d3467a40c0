import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CallFeeder, type Step } from '../../crash/call-feeder.ts';
import { freePort } from '../../proxy/support/ports.ts';

// Time from a SIP message (by HEP) to the HTTP request it brings about, at the script's socket.
// usage: node test/bench/delivery/latency.ts [EVENTS_PER_SECOND [SECONDS]]

const [perSecond = 500, seconds = 20] = process.argv.slice(2).map(Number);
const EVENTS_PER_CALL = 5.4; // of the calls that are played
const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ringside-bench-'));
const config = join(folder, 'ringside.yaml');

/** Which message brings an event about: an INVITE that is seen once may yet be challenged. */
const CAUSES: { readonly [event: string]: Step } = {
  'dial-in': 'ringing',
  'dial-out': 'ringing',
  'answer-in': 'final',
  'answer-out': 'final',
};

const arrivals: { readonly callId: string; readonly event: string; readonly at: number }[] = [];
const script = createServer({ noDelay: true }, (socket) => {
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    const at = performance.timeOrigin + performance.now();
    for (const [, callId, event] of text.matchAll(/CallID=([^&]*)&.*?EventType=([^&\s]*)/g)) {
      arrivals.push({ callId: callId!, event: event!, at });
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
    }
  });
  socket.on('error', () => {});
});
script.listen(0, '127.0.0.1');
await once(script, 'listening');
const hepPort = await freePort();
writeFileSync(
  config,
  `tenants: [{ extensions: ["*"] }]
sip: { engine: none }
hep: { listen: ["udp:127.0.0.1:${hepPort}"] }
delivery: { concurrency: 32 }
log: { level: silent }
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    url: "http://127.0.0.1:${(script.address() as AddressInfo).port}/hook"
    extras: [EventType]
`,
);
const args = ['--max-semi-space-size=24', '--heap-growing-percent=150', main, 'run', '-c', config];
const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
await once(server.stdout, 'data');
const feeder = new CallFeeder(hepPort, perSecond / EVENTS_PER_CALL);
feeder.start();
await sleep(seconds * 1000);
await feeder.stop();
await sleep(2000);
server.kill('SIGTERM');
await once(server, 'exit');
script.close();
rmSync(folder, { recursive: true });

const calls = new Map(feeder.calls.map((call) => [call.callId, call]));
const warm = feeder.calls.slice(perSecond); // the code is compiled by then
const counted = new Set(warm.map(({ callId }) => callId));
const times = arrivals
  .filter(({ callId, event }) => counted.has(callId) && event in CAUSES)
  .map(({ callId, event, at }) => at - calls.get(callId)!.times.get(CAUSES[event]!)!)
  .sort((a, b) => a - b);
const percentile = (share: number): string => `${times[Math.floor(times.length * share)]!.toFixed(1)} ms`;
console.log(`${arrivals.length} events in ${seconds} s, ${times.length} counted`);
console.log(
  `median ${percentile(0.5)}, 95th ${percentile(0.95)}, 99th ${percentile(0.99)}, longest ${percentile(0.999999)}`,
);
