import { parentPort, workerData } from 'node:worker_threads';
import type { Observation } from '../sip/observation.ts';
import { HepListener } from '../sources/hep-listener.ts';
import { Breather } from './breather.ts';
import type { HepStart, ToHepThread } from './hep-messages.ts';
import { LiveClock } from './live-clock.ts';
import type { FromObserver } from './observer-messages.ts';
import { Outlet } from './outlet.ts';

// The thread that reads HEP: packets are taken off the socket whatever the rest of Ringside is busy with.

const BEAT_MS = 200;

const port = parentPort!;
const { listen, maxObservedBytes, maxClockSkewMs } = workerData as HepStart;
const tell = (message: FromObserver): void => port.postMessage(message);

const outlet = new Outlet(maxObservedBytes, tell);
const breather = new Breather(performance.now());
const still = new Int32Array(new SharedArrayBuffer(4)); // nobody wakes it
let packets = 0;

/** What one wake-up brought is handed over at once; while there is much, the next one waits until it is worth it. */
function breathe(): void {
  outlet.flush();
  const pauseMs = breather.pause(packets, performance.now());
  packets = 0;
  if (pauseMs > 0) Atomics.wait(still, 0, 0, pauseMs);
}

function take(observation: Observation): void {
  outlet.add(observation);
  if (packets++ === 0) setImmediate(breathe);
}

const clock = new LiveClock(maxClockSkewMs, take, (text, about) => outlet.log('warn', text, about));
const listener = new HepListener(clock.observe, outlet.counts, Date.now);

port.on('message', (message: ToHepThread) => {
  if (message.kind === 'done') outlet.done();
  else void stop();
});

try {
  const addresses = await listener.listen(listen);
  setInterval(() => outlet.beat(), BEAT_MS).unref();
  tell({ kind: 'started', addresses });
} catch (error) {
  tell({ kind: 'refused', text: (error as Error).message });
  port.close();
}

async function stop(): Promise<void> {
  await new Promise(setImmediate); // what came in a pause is read
  await listener.close();
  outlet.close();
  tell({ kind: 'stopped' });
  port.close();
}
