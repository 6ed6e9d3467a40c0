import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { makeCallApiId } from '../calls/call-api-id.ts';
import { Directory } from '../calls/directory.ts';
import type { Tenant } from '../calls/tenant.ts';
import type { Accounts } from '../proxy/accounts.ts';
import { EmbeddedEngine } from '../proxy/embedded/embedded-engine.ts';
import type { Observation } from '../sip/observation.ts';
import { DirectoryAccounts } from './accounts.ts';
import { BATCH_BYTES, ObservationBatch } from './observation-batch.ts';
import type { FromThread, ThreadStart, ToThread } from './sip-messages.ts';

// The thread of the SIP engine: calls go on here whatever the rest of Ringside is busy with, and before all of that.

const FLUSH_MS = 20;
const BEAT_MS = 200;
const MAX_SPARE = 16;
const MAX_LINES_PER_BEAT = 10;

/** Where we are allowed to, so that a call need not wait for a processor. The priority of a thread is its own on Linux. */
function raisePriority(): void {
  try {
    const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    setPriority(thread, constants.priority.PRIORITY_HIGH);
  } catch {
    // not Linux, or not privileged: then with the priority of everything else
  }
}

raisePriority();
const port = parentPort!;
const { options, tenants, realm, maxObservedBytes } = workerData as ThreadStart;

const tell = (message: FromThread): void => port.postMessage(message);

/** Hands observations over in batches, as long as they are taken. */
class Outlet {
  #batch = new ObservationBatch();
  readonly #waiting: ObservationBatch[] = []; // the oldest first
  readonly #spare: ObservationBatch[] = [];
  readonly #drops = new Map<string, number>();
  #toldDrops = 0;
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #lines = 0;

  add(observation: Observation): void {
    if (this.#waitingBytes > maxObservedBytes) return this.drop('observed too late to be looked at');
    if (!this.#batch.add(observation)) {
      this.flush();
      this.#addLarge(observation);
    }
    this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  #addLarge(observation: Observation): void {
    const size = ObservationBatch.sizeOf(observation);
    if (size > BATCH_BYTES) this.#batch = new ObservationBatch(new SharedArrayBuffer(size));
    this.#batch.add(observation);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { memory, length } = this.#batch;
    this.#waitingBytes += memory.byteLength;
    this.#waiting.push(this.#batch);
    this.#batch = this.#spare.pop() ?? new ObservationBatch();
    tell({ kind: 'batch', memory, length, until: Date.now() });
  }

  done(): void {
    const batch = this.#waiting.shift()!;
    this.#waitingBytes -= batch.memory.byteLength;
    batch.clear();
    if (batch.memory.byteLength === BATCH_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(batch);
  }

  drop(reason: string): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + 1);
  }

  /** A flood of log lines is cut off: the counts tell of it. */
  log(level: 'info' | 'warn', text: string, about: object): void {
    if (this.#lines++ < MAX_LINES_PER_BEAT) tell({ kind: 'log', level, text, about });
    else this.drop('log lines');
  }

  beat(): void {
    this.#lines = 0;
    this.flush();
    let count = 0;
    for (const one of this.#drops.values()) count += one;
    if (count > this.#toldDrops) tell({ kind: 'drops', drops: this.#drops });
    this.#toldDrops = count;
  }
}

const makeAccounts = (list: readonly Tenant[]): Accounts => new DirectoryAccounts(new Directory(list), list, realm);

const outlet = new Outlet();
const engine = new EmbeddedEngine(options, makeAccounts(tenants), makeCallApiId, {
  onObservation: (observation) => outlet.add(observation),
  onBindings: (account, bindings) => tell({ kind: 'bindings', account, bindings }),
  onUpstream: (places) => tell({ kind: 'upstream', places }),
  onDrop: (reason) => outlet.drop(reason),
  onLog: (level, text, about) => outlet.log(level, text, about),
});

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'plan':
      engine.useAccounts(makeAccounts(message.tenants));
      return engine.usePeers(message.peers);
    case 'certificates':
      return engine.useCertificates(message.server);
    case 'done':
      return outlet.done();
    case 'stop':
      return void stop(message.drainMs);
  }
});

try {
  const addresses = await engine.start();
  setInterval(() => outlet.beat(), BEAT_MS).unref();
  tell({ kind: 'started', addresses });
} catch (error) {
  tell({ kind: 'refused', text: (error as Error).message });
  port.close();
}

async function stop(drainMs: number): Promise<void> {
  await engine.stop(drainMs);
  outlet.beat();
  tell({ kind: 'stopped' });
  port.close();
}
