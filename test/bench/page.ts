import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startSipp } from '../proxy/support/sipp.ts';
import { openBrowser, openPage } from '../web/browser.ts';

// The page in a browser while real calls go through Ringside: how long its tasks are, and what the server spends on it.
// usage: node test/bench/page.ts [LIVE_CALLS [EVENTS_PER_SECOND [SECONDS]]]; needs sipp and Chromium

const [live = 1000, eventsPerSecond = 100, seconds = 15] = process.argv.slice(2).map(Number);
const EVENTS_A_CALL = 6;
const CLOCK_TICK_MS = 10; // of /proc
const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ringside-bench-'));

const callsPerSecond = eventsPerSecond / EVENTS_A_CALL;
const talkMs = Math.round((live / callsPerSecond) * 1000);

let requests = 0;
const script = createServer((request, response) => {
  requests++;
  request.resume().on('end', () => response.end('OK'));
});
script.listen(0, '127.0.0.1');
await once(script, 'listening');
const called = await startSipp(['-sf', 'uas-answer'], { timeoutMs: 600_000 });
writeFileSync(
  join(folder, 'ringside.yaml'),
  `tenants: [{ prefix: "0003", domains: [acme.example.com], extensions: ["*"], sensor: trunk }]
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    method: POST
    url: "http://127.0.0.1:${(script.address() as AddressInfo).port}/hook"
sip: { listen: ["udp:127.0.0.1:0"], upstream: "sip:${called.ip}:${called.port}", rateLimit: 0 }
http: { listen: "127.0.0.1:0" }
log: { level: error }
`,
);
const args = [
  '--max-semi-space-size=24',
  '--heap-growing-percent=150',
  main,
  'run',
  '-c',
  join(folder, 'ringside.yaml'),
];
const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
let told = '';
server.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
while (!told.includes('Ctrl-C')) await once(server.stdout, 'data');
const sip = / on udp:([\d.:]+)\./.exec(told)![1]!;
const link = /http:\S+#token=\S+/.exec(told)![0];
const users = ['-s', '2000', '-key', 'user', '1[call_number]', '-key', 'domain', 'acme.example.com'];
const rate = ['-r', String(Math.round(callsPerSecond * 60)), '-rp', '60000', '-m', '100000', '-l', String(2 * live)];
const calling = await startSipp(['-sf', 'uac-call', ...rate, '-d', String(talkMs), ...users, sip], {
  timeoutMs: 600_000,
});

/** Seconds of the processor that the server has used, all its threads. */
function cpuSeconds(): number {
  const fields = readFileSync(`/proc/${server.pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * CLOCK_TICK_MS) / 1000;
}

/** Share of a core that the server uses while something happens, in %. */
async function spend(happen: () => Promise<unknown>): Promise<number> {
  const [began, before] = [performance.now(), cpuSeconds()];
  await happen();
  return ((cpuSeconds() - before) / (performance.now() - began)) * 100_000;
}

/** Tasks of the page's main thread of 50 ms or more, by the wall clock. */
const watchTasks = (page: Page): Promise<void> =>
  page.evaluate(
    'tasks = []; new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ type: "longtask" })',
  );

const readTasks = (page: Page): Promise<number[]> => page.evaluate('tasks.splice(0)');

async function scroll(page: Page): Promise<void> {
  for (const end = performance.now() + seconds * 1000; performance.now() < end; await sleep(500)) {
    await page.mouse.wheel(0, 900);
  }
}

await sleep(talkMs + 1000);
const counted = requests;
const alone = await spend(() => sleep(seconds * 1000));
console.log(
  `${live} live calls through the SIP engine, ${((requests - counted) / seconds).toFixed(0)} requests a second`,
);
console.log(`nobody looks on: ${alone.toFixed(1)} % of a core, calls and deliveries included`);

const browser = await openBrowser();
const page = await openPage(browser);
await page.goto(link);
await page.getByRole('button', { name: 'Sign in' }).click();
let isSmooth = true;
for (const [name, path] of [
  ['live calls', '/calls'],
  ['overview', '/'],
  ['deliveries', '/deliveries'],
]) {
  await page.getByRole('navigation').locator(`a[href="${path}"]`).click();
  await sleep(1000); // what it takes to come up is another matter
  await watchTasks(page);
  const spent = await spend(() => scroll(page));
  const tasks = (await readTasks(page)).sort((a, b) => b - a);
  const [longest = 0] = tasks;
  isSmooth &&= longest <= 100;
  console.log(
    `${name}: ${tasks.length} tasks over 50 ms, longest ${Math.round(longest)} ms; the server ${spent.toFixed(1)} % of a core, ${(spent - alone).toFixed(1)} % more`,
  );
}
const shown = await page
  .getByRole('navigation')
  .getByRole('link', { name: /^Calls/ })
  .innerText();
console.log(`the page shows: ${shown.replace(/\s+/g, ' ')}`);
await browser.close();
const { stats } = await calling.stop().catch(() => ({ stats: undefined }));
console.log(`calls that failed: ${stats?.failed ?? 'unknown'}`);
server.kill('SIGTERM');
await once(server, 'exit');
await called.stop();
script.close();
rmSync(folder, { recursive: true });
process.exit(isSmooth ? 0 : 1);
