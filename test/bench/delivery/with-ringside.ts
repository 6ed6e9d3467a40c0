// Delivers so many events from a store in a file: `with-ringside.ts URL FOLDER COUNT`. Tells seconds and CPU seconds.
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { makeDispatcher } from '../../../src/commands/delivery-setup.ts';
import { SqliteStore } from '../../../src/deliveries/store.ts';
import { StoreFile } from '../../../src/deliveries/store-file.ts';
import { openLog } from '../../../src/log.ts';
import { parseConfiguration } from '../../../src/rules/config-file.ts';
import { BATCH, CONCURRENCY, makeEvents, WAITING } from './events.ts';

const [url = '', folder = '', count] = process.argv.slice(2);
const { options, rules } = parseConfiguration(
  'bench',
  `delivery: { concurrency: ${CONCURRENCY} }
callEvents: [{ extension: "*", event: [dial-in, hangup], method: POST, url: "${url}" }]`,
  {},
);
const store = new SqliteStore(new StoreFile(join(folder, 'ringside.db')));
const dispatcher = makeDispatcher(options, { store, findRule: () => rules[0], log: openLog('error') });
dispatcher.start();
const [began, cpu] = [performance.now(), process.cpuUsage()];
for (const events of makeEvents(Number(count), BATCH)) {
  dispatcher.publish(events.map((event) => ({ event, rules })));
  do await nextTurn();
  while (dispatcher.pending > WAITING);
}
await dispatcher.settle(600_000);
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }));
await dispatcher.stop(0);
