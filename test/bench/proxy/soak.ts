import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { heaps } from './heaps.ts';
import { Ledger, type Told } from './ledger.ts';
import { cpuMicroseconds, isRunning, megabytes, residentBytes, stop, waitUntil } from './processes.ts';
import { endOf, startTraffic, stopTraffic, type Outcome } from './sipp.ts';
import { startWatched, type Watched } from './watched.ts';

// Calls for a long time, with a script for every event: is memory flat, is an event lost, doubled or out of order?
// Needs Linux and sipp. A line each minute; fails if a call fails or an event is not as it should be.
// usage: node test/bench/proxy/soak.ts [--minutes 60] [--rate 100] [--hold 10] [--port 17160]
//   --rate: calls per second, --hold: seconds a call is up, --port: the proxy's; the phones' are 10 and 20 above

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '100' },
    hold: { type: 'string', default: '10' },
    port: { type: 'string', default: '17160' },
  },
});
const [minutes, rate, hold, port] = [values.minutes, values.rate, values.hold, values.port].map(Number) as [
  number,
  number,
  number,
  number,
];
const ports = { proxy: port, called: port + 10, caller: port + 20 };
const load = { callsPerSecond: rate, calls: Math.round(rate * minutes * 60), holdMilliseconds: hold * 1000 };

const REPORT_MILLISECONDS = 60_000;
const PATIENCE_MILLISECONDS = 60_000; // for what the script is still to be told at the end

const ledger = new Ledger();
const startedAt = performance.now();

function report({ server, folder }: Watched): void {
  const pid = server.process.pid!;
  const figures = [
    `${Math.round((performance.now() - startedAt) / 60_000)} min: resident ${megabytes(residentBytes(pid))}`,
    `heaps ${heaps(join(folder, 'heap.log'))}`,
    `store ${megabytes(statSync(join(folder, 'ringside.db')).size)}`,
    `${(cpuMicroseconds(pid) / 1e6).toFixed(0)} s of CPU`,
    `${ledger.events} events, ${ledger.complete} calls complete, ${ledger.open} open, ${ledger.faults.length} faults`,
  ];
  console.log(figures.join(', '));
}

async function soak(watched: Watched): Promise<Outcome> {
  const traffic = await startTraffic(ports, load, watched.folder);
  const timer = setInterval(() => report(watched), REPORT_MILLISECONDS);
  try {
    const outcome = await endOf(traffic);
    await waitUntil(() => ledger.complete >= outcome.made, PATIENCE_MILLISECONDS);
    await sleep(REPORT_MILLISECONDS); // an event too many would come now
    return outcome;
  } finally {
    clearInterval(timer);
    await stopTraffic(traffic);
  }
}

/** Whether all was as it should be. */
function judge({ made, failed, ...sent }: Outcome): boolean {
  const faults = ledger.faultsOf(made);
  const again = `${sent.callerRetransmissions} and ${sent.calledRetransmissions} retransmissions`;
  console.log(`${made} calls, ${failed} failed, ${again}; ${ledger.events} events, ${faults.length} faults`);
  for (const fault of faults.slice(0, 20)) console.log(`  ${fault}`);
  return failed === 0 && faults.length === 0;
}

async function main(): Promise<void> {
  const watched = await startWatched(ports, (body) => ledger.take(JSON.parse(body) as Told));
  const { server, folder, close } = watched;
  const outcome = await soak(watched);
  report(watched);
  if (!isRunning(server.process)) throw new Error('Ringside has ended');
  if (!judge(outcome)) process.exitCode = 1;
  await stop(server.process, 'SIGINT');
  console.log(readFileSync(join(folder, 'Ringside.log'), 'utf8').trim().split('\n').slice(-12).join('\n'));
  close();
}

await main();
