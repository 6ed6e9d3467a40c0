import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram, freePort, isBound, until } from '../../proxy/support/ports.ts';
import { cpuMicroseconds } from '../proxy/processes.ts';

// Durable deliveries to a script that answers at once, beside BullMQ on Redis with undici, in the same run.
// Needs Debian's redis-server. usage: node test/bench/delivery/delivery-bench.ts [COUNT]

const COUNT = Number(process.argv[2] ?? 50_000);
const folder = mkdtempSync(join(tmpdir(), 'ringside-bench-'));
const here = (name: string): string => new URL(name, import.meta.url).pathname;

interface Result {
  readonly seconds: number;
  readonly cpuSeconds: number;
}

const run = (script: string, ...args: string[]): Result =>
  JSON.parse(execFileSync(process.execPath, [here(script), ...args], { encoding: 'utf8' })) as Result;

function show(name: string, { seconds, cpuSeconds }: Result): number {
  const perCpuSecond = COUNT / cpuSeconds;
  const rates = [COUNT / seconds, perCpuSecond].map((rate) => Math.round(rate).toLocaleString('en'));
  console.log(
    `${name}: ${seconds.toFixed(2)} s, ${rates[0]} deliveries/s; ${cpuSeconds.toFixed(2)} s of CPU, ${rates[1]} per CPU second`,
  );
  return perCpuSecond;
}

async function startRedis(program: string): Promise<{ redis: ChildProcess; port: number }> {
  const port = await freePort();
  // As durable as Redis is run in practice: the file is flushed each second. Ringside flushes before it sends.
  const options = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--dir', folder];
  const redis = spawn(program, ['--port', String(port), '--bind', '127.0.0.1', ...options], { stdio: 'ignore' });
  await until(() => isBound('tcp', '127.0.0.1', port), 'Redis listens');
  return { redis, port };
}

const receiver = fork(here('receiver.ts'));
const [scriptPort] = (await once(receiver, 'message')) as [number];
const url = `http://127.0.0.1:${scriptPort}/hook`;
try {
  const ours = show('Ringside', run('with-ringside.ts', url, folder, String(COUNT)));
  const program = findProgram('redis-server');
  if (!program) console.log('SKIPPED: redis-server is not installed');
  else {
    const { redis, port } = await startRedis(program);
    const before = cpuMicroseconds(redis.pid!);
    const result = run('with-bullmq.ts', url, String(port), String(COUNT));
    const ofRedis = (cpuMicroseconds(redis.pid!) - before) / 1e6;
    const theirs = show('BullMQ', { ...result, cpuSeconds: result.cpuSeconds + ofRedis });
    console.log(`  of which Redis ${ofRedis.toFixed(2)} s`);
    console.log(`Ringside delivers ${(ours / theirs).toFixed(2)} times as many per CPU second`);
    redis.kill();
    await once(redis, 'exit');
  }
  receiver.send('count');
  console.log(`the script got ${String((await once(receiver, 'message'))[0])} requests`);
} finally {
  receiver.kill();
  rmSync(folder, { recursive: true });
}
