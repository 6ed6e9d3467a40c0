import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMicroseconds, isRunning, residentBytes, stop } from './processes.ts';
import { startRingside } from './servers.ts';
import { endOf, startTraffic, stopTraffic } from './sipp.ts';

// Calls for a long time, with a script for every event: is memory flat, is an event lost, doubled or out of order?
// usage: node test/bench/proxy/soak.ts   (RATE calls per second, SECONDS, HOLD ms a call is up, PORT)

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const RATE = number('RATE', 100);
const SECONDS = number('SECONDS', 3600);
const HOLD = number('HOLD', 10_000);
const PORT = number('PORT', 17160);
const ports = { proxy: PORT, called: PORT + 10, caller: PORT + 20 };
const REPORT_SECONDS = 60;

const EXPECTED = { OUT: 'dial-out answer-out hangup', IN: 'dial-in answer-in hangup' };

/** Takes every event, and keeps what is not complete yet. */
class Ledger {
  events = 0;
  complete = 0;
  readonly #open = new Map<string, string[]>();
  readonly faults: string[] = [];

  take(event: Record<string, string>): void {
    this.events++;
    const flow = event['CallFlow'] as keyof typeof EXPECTED;
    const party = `${event['CallAPIID']} ${flow}`;
    const told = [...(this.#open.get(party) ?? []), event['EventType']!];
    if (!EXPECTED[flow].startsWith(told.join(' '))) this.faults.push(`${party}: ${told.join(' ')}`);
    if (told.length < 3) this.#open.set(party, told);
    else {
      this.#open.delete(party);
      this.complete++;
    }
  }

  get open(): number {
    return this.#open.size;
  }
}

const ledger = new Ledger();
const receiver = createServer((request, response) => {
  let body = '';
  request.on('data', (chunk) => (body += String(chunk)));
  request.on('end', () => {
    ledger.take(JSON.parse(body) as Record<string, string>);
    response.end();
  });
}).listen(0, '127.0.0.1');
await sleep(100);

const config = (folder: string): string => `
tenants: [{ extensions: ["*"], sensor: trunk }]
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    method: POST
    body: json
    extras: [EventType]
    url: "http://127.0.0.1:${(receiver.address() as AddressInfo).port}/x"
sip: { listen: ["udp:127.0.0.1:${ports.proxy}"], upstream: "sip:127.0.0.1:${ports.called}", rateLimit: 0 }
delivery: { retention: 10m }
log: { level: warn }
store: ${JSON.stringify(join(folder, 'ringside.db'))}
`;

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-soak-'));
  const file = join(folder, 'ringside.yaml');
  writeFileSync(file, config(folder));
  const server = await startRingside(file, ports, folder);
  if (!server) throw new Error('Ringside does not start');
  const pid = server.process.pid!;
  const traffic = await startTraffic(
    ports,
    { callsPerSecond: RATE, calls: RATE * SECONDS, holdMilliseconds: HOLD },
    folder,
  );
  const startedAt = performance.now();
  const report = (): void => {
    const minutes = Math.round((performance.now() - startedAt) / 60_000);
    const memory = `${(residentBytes(pid) / 2 ** 20).toFixed(0)} MB`;
    const cpu = `${(cpuMicroseconds(pid) / 1e6).toFixed(0)} s of CPU`;
    console.log(
      `${minutes} min: ${memory}, ${cpu}, ${ledger.events} events, ${ledger.complete} parties complete, ${ledger.open} open, ${ledger.faults.length} faults`,
    );
  };
  const timer = setInterval(report, REPORT_SECONDS * 1000);
  const outcome = await endOf(traffic);
  await sleep(60_000);
  clearInterval(timer);
  report();
  console.log(outcome, ledger.faults.slice(0, 20));
  await stopTraffic(traffic);
  if (isRunning(server.process)) await stop(server.process, 'SIGINT');
  console.log(readFileSync(join(folder, 'Ringside.log'), 'utf8').split('\n').slice(-12).join('\n'));
  rmSync(folder, { recursive: true, force: true });
  receiver.close();
}

await main();
