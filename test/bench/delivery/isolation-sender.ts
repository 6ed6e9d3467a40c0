// Sends to a script that works, first alone, then beside deliveries to one that does not: `isolation-sender.ts URL FAULTY FOLDER
// DELIVERIES SECONDS`. Tells when each event was published, by call.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeDispatcher } from '../../../src/commands/delivery-setup.ts';
import { SqliteStore } from '../../../src/deliveries/store.ts';
import { StoreFile } from '../../../src/deliveries/store-file.ts';
import { openLog } from '../../../src/log.ts';
import { parseConfiguration } from '../../../src/rules/config-file.ts';
import { makeEvent } from '../../deliveries/harness.ts';

const PAUSE_MS = 10;
const WARM_UP_MS = 1000;

const [url = '', faulty = '', folder = '', deliveries, seconds] = process.argv.slice(2);
const { options, rules } = parseConfiguration(
  'bench',
  `callEvents:
  - { extension: "*", event: [hangup], url: "${url}" }
  - { extension: "*", event: [hangup], url: "${faulty}" }`,
  {},
);
const store = new SqliteStore(new StoreFile(join(folder, `${process.pid}.db`)));
const findRule = (id: string) => rules.find((rule) => rule.id === id);
const dispatcher = makeDispatcher(options, { store, findRule, log: openLog('silent') });
dispatcher.start();

let count = 0;
function publish(rule: number): { call: string; at: number } {
  const call = `c${process.pid}x${++count}`;
  const at = performance.timeOrigin + performance.now();
  const event = makeEvent({ event: 'hangup', params: { CallAPIID: call }, extras: { EventID: call } });
  dispatcher.publish([{ event, rules: [rules[rule]!] }]);
  return { call, at };
}

async function publishFor(ms: number): Promise<Record<string, number>> {
  const published: Record<string, number> = {};
  for (const end = performance.now() + ms; performance.now() < end; await sleep(PAUSE_MS)) {
    const { call, at } = publish(0);
    published[call] = at;
  }
  return published;
}

await publishFor(WARM_UP_MS);
const before = await publishFor(Number(seconds) * 1000);
for (let n = 0; n < Number(deliveries); n++) publish(1);
const beside = await publishFor(Number(seconds) * 1000);
await sleep(WARM_UP_MS);
process.stdout.write(JSON.stringify({ before, beside }), () => process.exit());
