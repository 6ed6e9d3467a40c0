import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuMicroseconds, isRunning, megabytes, residentBytes, stop, waitUntil, watchMemory } from './processes.ts';
import { servers, type Server } from './servers.ts';
import { callsNow, endOf, startTraffic, stopTraffic, type Load, type Outcome, type Traffic } from './sipp.ts';

// CPU time per call in the path beside Kamailio's, in the same run; with --held, memory per call that is up.
// Needs Linux, and Debian's sipp and kamailio.
// usage: node test/bench/proxy/proxy-bench.ts [--held] [--only Kamailio|Ringside]
// environment: RATE (calls per second), SECONDS, HOLD (ms a call is up), WARMUP (seconds that are not measured),
//   HELD (calls), SETTLE (seconds until memory is read again), PORT (the proxy's; the phones' are 10 and 20 above)

const { values: options } = parseArgs({
  options: { held: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);

const RATE = number('RATE', options.held ? 1000 : 2000);
const SECONDS = number('SECONDS', 30);
const HOLD = number('HOLD', 1000);
const WARMUP = number('WARMUP', 5);
const HELD = number('HELD', 20_000);
const SETTLE = number('SETTLE', 40); // longer than any transaction is remembered
const PORT = number('PORT', 17060);
const ports = { proxy: PORT, called: PORT + 10, caller: PORT + 20 };

const load = (seconds: number): Load => ({
  callsPerSecond: RATE,
  calls: RATE * seconds,
  holdMilliseconds: HOLD,
});

/** Runs the calls and returns CPU microseconds per call; what the server tidies up in the seconds after counts too. */
async function measureCpu({ name, process }: Server, folder: string): Promise<number> {
  await warmUp(folder);
  const [before, peak] = [cpuMicroseconds(process.pid!), watchMemory(process.pid!)];
  const outcome = await whole(await startTraffic(ports, load(SECONDS), folder));
  if (!isRunning(process)) throw new Error(`${name} has ended during the run`);
  const perCall = (cpuMicroseconds(process.pid!) - before) / outcome.made;
  show(name, outcome);
  console.log(`  ${perCall.toFixed(1)} µs of CPU per call, at most ${megabytes(peak())} of resident memory`);
  return perCall;
}

async function measureHeld({ name, process }: Server, folder: string): Promise<void> {
  await warmUp(folder);
  const pid = process.pid!;
  const before = residentBytes(pid);
  const holdMilliseconds = (HELD / RATE) * 1000 + (SETTLE + 15) * 1000;
  const traffic = await startTraffic(ports, { callsPerSecond: RATE, calls: HELD, holdMilliseconds }, folder);
  const { calls, bytes } = await whileHeld(traffic, pid);
  show(name, await whole(traffic));
  await sleep(SETTLE * 1000);
  console.log(`  resident memory: ${megabytes(before)} before, ${megabytes(bytes)} with ${calls} calls held,`);
  console.log(`  ${Math.round((bytes - before) / calls)} bytes per held call, ${megabytes(residentBytes(pid))} after`);
}

/** Memory when all calls have been placed and answered, and the transactions of that are over. */
async function whileHeld(traffic: Traffic, pid: number): Promise<{ calls: number; bytes: number }> {
  const placed = (): boolean => !isRunning(traffic.caller) || callsNow(traffic).placed >= HELD;
  await waitUntil(placed, (HELD / RATE) * 2000);
  await sleep(SETTLE * 1000);
  return { calls: callsNow(traffic).current, bytes: residentBytes(pid) };
}

async function warmUp(folder: string): Promise<void> {
  if (WARMUP > 0) await whole(await startTraffic(ports, load(WARMUP), folder));
}

async function whole(traffic: Traffic): Promise<Outcome> {
  try {
    return await endOf(traffic);
  } finally {
    await stopTraffic(traffic);
  }
}

function show(name: string, { made, failed, perSecond, ...sent }: Outcome): void {
  const again = `${sent.callerRetransmissions} by the callers, ${sent.calledRetransmissions} by the called`;
  console.log(`${name}: ${made} calls at ${perSecond} per second, ${failed} failed, retransmissions: ${again}`);
}

/** Starts a server, measures it, and stops it; undefined if it does not start. */
async function withServer<T>(name: string, measure: (server: Server, folder: string) => Promise<T>) {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-bench-'));
  try {
    const server = await servers[name]!(ports, folder);
    return server && (await measure(server, folder).finally(() => stop(server.process)));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compareCpu(names: readonly string[]): Promise<void> {
  const perCall: Record<string, number | undefined> = {};
  for (const name of names) perCall[name] = await withServer(name, measureCpu);
  const { Kamailio, Ringside } = perCall;
  if (Kamailio && Ringside) console.log(`Ringside / Kamailio: ${(Ringside / Kamailio).toFixed(2)}`);
}

async function main(): Promise<void> {
  const names = options.only ? [options.only] : options.held ? ['Ringside'] : Object.keys(servers);
  if (!names.every((name) => name in servers)) throw new Error(`--only: ${Object.keys(servers).join(' or ')}`);
  if (!options.held) return compareCpu(names);
  for (const name of names) await withServer(name, measureHeld);
}

await main();
