// The same with BullMQ on Redis: `with-bullmq.ts URL REDIS_PORT COUNT`. Tells seconds and CPU seconds (without Redis').
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Queue, Worker } from 'bullmq';
import { Agent, request } from 'undici';
import { formatRequest, type ScriptRequest } from '../../../src/deliveries/request.ts';
import { makeRule } from '../../deliveries/harness.ts';
import { BATCH, CONCURRENCY, makeEvents, WAITING } from './events.ts';

const [url = '', port, count] = process.argv.slice(2);
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };
const queue = new Queue<ScriptRequest>('deliveries', {
  connection,
  defaultJobOptions: { attempts: 15, backoff: { type: 'exponential', delay: 1000 }, removeOnComplete: true },
});
const dispatcher = new Agent({ connections: CONCURRENCY, pipelining: 1 });
let [added, done] = [0, 0];
const worker = new Worker<ScriptRequest>(
  'deliveries',
  async ({ data: { url: target, method, body, contentType } }) => {
    const response = await request(target, {
      ...{ dispatcher, method, body: body ?? null },
      headers: { 'content-type': contentType! },
    });
    await response.body.dump();
    if (response.statusCode >= 300) throw new Error(String(response.statusCode));
    done++;
  },
  { connection, concurrency: CONCURRENCY },
);
await worker.waitUntilReady();
const rule = makeRule({ method: 'POST', url });
const [began, cpu] = [performance.now(), process.cpuUsage()];
for (const events of makeEvents(Number(count), BATCH)) {
  await queue.addBulk(events.map((event) => ({ name: event.event, data: formatRequest(event, rule) })));
  added += events.length;
  while (added - done > WAITING) await nextTurn();
}
while (done < added) await nextTurn();
const { user, system } = process.cpuUsage(cpu);
console.log(JSON.stringify({ seconds: (performance.now() - began) / 1000, cpuSeconds: (user + system) / 1e6 }));
await worker.close();
await queue.close();
process.exit();
