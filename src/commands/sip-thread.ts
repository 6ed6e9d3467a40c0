import { readlinkSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { makeCallApiId } from '../calls/call-api-id.ts';
import { Directory } from '../calls/directory.ts';
import type { Tenant } from '../calls/tenant.ts';
import type { Accounts } from '../proxy/accounts.ts';
import { DrachtioEngine, type DrachtioEvents } from '../proxy/drachtio/drachtio-engine.ts';
import { EmbeddedEngine } from '../proxy/embedded/embedded-engine.ts';
import { DirectoryAccounts } from './accounts.ts';
import { Outlet } from './outlet.ts';
import type { FromObserver } from './observer-messages.ts';
import type { FromEngine, ThreadStart, ToThread } from './sip-messages.ts';

// The thread of the SIP engine: calls go on here whatever the rest of Ringside is busy with, and before all of that.

const BEAT_MS = 200;

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
const { options, tenants, realm, maxObservedBytes, drachtio } = workerData as ThreadStart;

const tell = (message: FromObserver | FromEngine): void => port.postMessage(message);

const makeAccounts = (list: readonly Tenant[]): Accounts => new DirectoryAccounts(new Directory(list), list, realm);

const outlet = new Outlet(maxObservedBytes, tell);
/** Servers of whose calls one was told of since the last beat: that is enough to see whether they mirror them. */
const routed = new Set<string>();

function tellRouted(server: string, callId: string): void {
  if (routed.has(server)) return;
  routed.add(server);
  tell({ kind: 'routed', server, callId });
}

function beat(): void {
  routed.clear();
  outlet.beat();
}

const events: DrachtioEvents = {
  onObservation: (observation) => outlet.add(observation),
  onBindings: (account, bindings) => tell({ kind: 'bindings', account, bindings }),
  onUpstream: (places) => tell({ kind: 'upstream', places }),
  onDrop: (reason) => outlet.drop(reason),
  onLog: (level, text, about) => outlet.log(level, text, about),
  onRouted: tellRouted,
};
const engine = drachtio
  ? new DrachtioEngine({ ...options, places: drachtio.places }, makeAccounts(tenants), makeCallApiId, events)
  : new EmbeddedEngine(options, makeAccounts(tenants), makeCallApiId, events);

port.on('message', (message: ToThread) => {
  switch (message.kind) {
    case 'plan':
      engine.useAccounts(makeAccounts(message.tenants));
      return engine.usePeers(message.peers);
    case 'certificates':
      if (engine instanceof EmbeddedEngine) engine.useCertificates(message.server);
      return;
    case 'done':
      return outlet.done();
    case 'stop':
      return void stop(message.drainMs);
  }
});

try {
  const addresses = await engine.start();
  setInterval(beat, BEAT_MS).unref();
  tell({ kind: 'started', addresses });
} catch (error) {
  tell({ kind: 'refused', text: (error as Error).message });
  port.close();
}

async function stop(drainMs: number): Promise<void> {
  await engine.stop(drainMs);
  outlet.close();
  tell({ kind: 'stopped' });
  port.close();
}
