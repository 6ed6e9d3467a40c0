import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Fuzzer } from '../../proxy/fuzz/fuzz.ts';
import { heaps } from './heaps.ts';
import { isRunning, megabytes, residentBytes, stop } from './processes.ts';
import { startWatched } from './watched.ts';

// Nearly right messages over UDP, TCP and WebSockets for a long time, with calls beside them that must all go well: does
// Ringside fail, does its memory grow? A line each minute.
// usage: node test/bench/proxy/fuzz.ts [--minutes 10] [--rate 150] [--seed 1] [--port 17260]
//   --rate: messages per second by each transport, --port: the proxy's; WebSockets are at the next

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    rate: { type: 'string', default: '150' },
    seed: { type: 'string', default: '1' },
    port: { type: 'string', default: '17260' },
  },
});
const [minutes, rate, seed, proxy] = [values.minutes, values.rate, values.seed, values.port].map(Number) as [
  number,
  number,
  number,
  number,
];

async function main(): Promise<void> {
  const fuzzer = new Fuzzer(seed);
  const ports = { proxy, called: await fuzzer.open(), caller: 0 };
  const listen = [`udp:127.0.0.1:${proxy}`, `tcp:127.0.0.1:${proxy}`, `ws:127.0.0.1:${proxy + 1}`];
  let events = 0;
  const { server, folder, close } = await startWatched(ports, () => events++, listen);
  const startedAt = performance.now();
  const report = (): void => {
    const minute = Math.round((performance.now() - startedAt) / 60_000);
    const resident = megabytes(residentBytes(server.process.pid!));
    console.log(`${minute} min: resident ${resident}, heaps ${heaps(join(folder, 'heap.log'))}, ${events} events`);
  };
  const timer = setInterval(report, 60_000);
  const udp = { ip: '127.0.0.1', port: proxy };
  const places = { udp, tcp: udp, ws: { ip: '127.0.0.1', port: proxy + 1 } };
  const { sent, calls } = await fuzzer.run(places, { seconds: minutes * 60, rate }).finally(async () => {
    clearInterval(timer);
    report();
    if (!isRunning(server.process)) throw new Error('Ringside has ended');
    await stop(server.process, 'SIGINT');
  });
  const log = readFileSync(join(folder, 'Ringside.log'), 'utf8');
  const errors = log.split('\n').filter((line) => /internal error|engine failed/.test(line));
  console.log(`${sent} messages, ${calls.made} calls, ${calls.failures.length} failed, ${errors.length} errors`);
  console.log([...calls.failures.slice(0, 20), ...errors.slice(0, 20)].join('\n'));
  if (calls.failures.length + errors.length > 0) process.exitCode = 1;
  await fuzzer.close();
  close();
}

await main();
