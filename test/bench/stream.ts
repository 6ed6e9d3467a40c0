import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { READ, startApi, type TestApi } from '../api/harness.ts';
import type { Step } from '../calls/harness.ts';

// What the server spends on 1,000 live calls of which some begin and some end, 100 events a second, with and without somebody who
// looks on.

const LIVE = 1000;
const EVENTS_A_SECOND = 100;
const EVENTS_A_CALL = 6;
const SECONDS = 15;
const TICK_MS = 100;
const PLAN = `
tenants: [{ prefix: "0003", domains: [acme.example.com], extensions: ["1000-9999"] }]
callEvents: [{ extension: "none", event: hangup, url: "http://127.0.0.1:9/" }]`;

async function serve(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-stream-'));
  const t = { testdir: () => folder, teardown: () => {} } as unknown as Test;
  const api = await startApi(t, '', PLAN);
  let begun = 0;
  let ended = 0;
  for (; begun < LIVE; begun++) begin(api, begun);
  const perTick = (EVENTS_A_SECOND / EVENTS_A_CALL) * (TICK_MS / 1000);
  let due = 0;
  setInterval(() => {
    for (due += perTick; due >= 1; due--) {
      end(api, ended++);
      begin(api, begun++);
    }
  }, TICK_MS);
  process.on('message', () => process.send!(process.cpuUsage()));
  process.on('disconnect', () => {
    rmSync(folder, { recursive: true });
    process.exit();
  });
  process.send!(api.origin);
}

/** A call of one extension to another, answered. */
function begin(api: TestApi, number: number): void {
  const leg = legOf(number);
  api.play([
    { ...leg, say: 'INVITE' },
    { ...leg, say: '180 Ringing', toTag: 'b' },
    { ...leg, say: '200 OK', toTag: 'b' },
    { ...leg, say: 'ACK', toTag: 'b', branch: `z9hG4bKa${number}` },
  ]);
}

function end(api: TestApi, number: number): void {
  const leg = { ...legOf(number), toTag: 'b', branch: `z9hG4bKb${number}` };
  api.play([
    { ...leg, say: 'BYE' },
    { ...leg, say: '200 OK', cseq: '2 BYE' },
  ]);
}

const legOf = (number: number): Step => ({
  at: (Date.now() - Date.UTC(2026, 0, 1)) / 1000,
  say: '',
  callId: `call-${number}@192.0.2.1`,
  fromTag: `tag${number}`,
  branch: `z9hG4bK${number}`,
  fromUser: String(1000 + (number % 4000)),
  uri: `sip:${5000 + (number % 4000)}@192.0.2.102`,
});

async function measure(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), ['server']);
  const [origin] = (await once(child, 'message')) as [string];
  const alone = await spend(child);
  let bytes = 0;
  let messages = 0;
  const headers = { authorization: `Bearer ${READ}` };
  get(`${origin}/api/v1/stream`, { headers }, (response) => {
    response.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      messages += chunk.toString('latin1').split('\nevent: ').length - 1;
    });
    response.on('error', () => {});
  }).on('error', () => {});
  await new Promise((done) => setTimeout(done, 1000));
  [bytes, messages] = [0, 0];
  const watched = await spend(child);
  const rate = `${Math.round(messages / SECONDS)} messages and ${Math.round(bytes / SECONDS / 1024)} KB a second`;
  console.log(`${LIVE} live calls, ${EVENTS_A_SECOND} events a second, for ${SECONDS} s each:`);
  console.log(`nobody looks on: ${alone.toFixed(1)} % of a core, all included`);
  console.log(`one client of the stream: ${watched.toFixed(1)} % of a core; it got ${rate}`);
  child.disconnect();
  process.exit();
}

/** Share of a core that the server used, in %. */
async function spend(child: ReturnType<typeof fork>): Promise<number> {
  const before = await usage(child);
  await new Promise((done) => setTimeout(done, SECONDS * 1000));
  return ((await usage(child)) - before) / SECONDS / 10_000;
}

async function usage(child: ReturnType<typeof fork>): Promise<number> {
  child.send('usage');
  const [{ user, system }] = (await once(child, 'message')) as [NodeJS.CpuUsage];
  return user + system;
}

if (process.argv[2] === 'server') await serve();
else await measure();
