import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMicroseconds, isRunning, residentBytes, stop } from './processes.ts';
import { endOf, startTraffic, stopTraffic } from './sipp.ts';
import { startWatched } from './watched.ts';

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

async function main(): Promise<void> {
  const take = (body: string): void => ledger.take(JSON.parse(body) as Record<string, string>);
  const { server, folder, close } = await startWatched(ports, take);
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
  close();
}

await main();
