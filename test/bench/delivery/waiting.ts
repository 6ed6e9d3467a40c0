import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { NewDelivery } from '../../../src/deliveries/delivery.ts';
import { formatRequest } from '../../../src/deliveries/request.ts';
import { SqliteStore } from '../../../src/deliveries/store.ts';
import { StoreFile } from '../../../src/deliveries/store-file.ts';
import { loadConfiguration } from '../../../src/rules/config-file.ts';
import { residentBytes } from '../proxy/processes.ts';
import { makeEvents } from './events.ts';

// A start with very many deliveries that wait for a script that is down: time until it listens, and memory.
// usage: node test/bench/delivery/waiting.ts [COUNT]

const COUNT = Number(process.argv[2] ?? 1_000_000);
const BATCH = 10_000;
const main = fileURLToPath(new URL('../../../src/main.ts', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'ringside-bench-'));
const config = join(folder, 'ringside.yaml');
writeFileSync(
  config,
  `tenants: [{ extensions: ["*"] }]
sip: { engine: none }
hep: { listen: ["udp:127.0.0.1:0"] }
delivery: { staleAfter: 365d, maxPending: 2000000, maxPendingPerScript: 2000000 }
log: { level: silent }
callEvents: [{ extension: "*", event: [dial-in, hangup], method: POST, url: "http://127.0.0.1:9/hook" }]
`,
);

/** As an earlier run left them. */
function fill(): void {
  const [rule] = loadConfiguration(config).rules;
  const file = new StoreFile(join(folder, 'ringside.db'));
  const store = new SqliteStore(file);
  let id = 0;
  for (const events of makeEvents(COUNT, BATCH)) {
    const deliveries = events.map((source): NewDelivery => ({
      id: ++id,
      eventId: String(source.extras.EventID),
      ruleId: rule!.id,
      event: source.event,
      call: source.params.CallAPIID,
      follows: undefined,
      createdAt: Date.now(),
      requeuedAt: undefined,
      attempts: 0,
      nextAttemptAt: Date.now(),
      request: formatRequest(source, rule!),
      source,
    }));
    store.commit({ deliveries, attempts: [], calls: undefined });
  }
  file.close();
}

const megabytes = (pid: number): string => `${Math.round(residentBytes(pid) / 1024 / 1024)} MB`;

try {
  fill();
  const began = performance.now();
  const args = ['--max-semi-space-size=24', '--heap-growing-percent=150', main, 'run', '-c', config];
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(server.stdout, 'data');
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`${COUNT.toLocaleString('en')} waiting deliveries: up after ${seconds} s with ${megabytes(server.pid!)}`);
  for (const after of [10, 20]) {
    await sleep(10_000);
    console.log(`after ${after} s ${megabytes(server.pid!)}`);
  }
  server.kill('SIGTERM');
  await once(server, 'exit');
} finally {
  rmSync(folder, { recursive: true });
}
