import { globSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import t, { type Test } from 'tap';
import { Directory } from '../../src/calls/directory.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import type { CallChanges, CallSnapshot } from '../../src/calls/snapshot.ts';
import type { Tenant } from '../../src/calls/tenant.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { OPEN_CONFIGURATION } from '../../src/commands/setup.ts';
import { loadConfiguration } from '../../src/rules/config-file.ts';
import type { Observation } from '../../src/sip/observation.ts';
import { readCapture } from '../../src/sources/capture-file.ts';
import { SourceCounts } from '../../src/sources/source-counts.ts';
import { observationOf, openTenant } from './harness.ts';
import { CASES, plain } from './product-stories.ts';

const root = new URL('../..', import.meta.url).pathname;

async function readAll(file: string): Promise<Observation[]> {
  const observations: Observation[] = [];
  const sink = (observation: Observation): void =>
    void observations.push({ ...observation, bytes: Buffer.from(observation.bytes) });
  await readCapture(file, sink, { counts: new SourceCounts() });
  return observations;
}

function feed(tracker: CallTracker, observations: readonly Observation[]): CallEvent[] {
  return observations.flatMap((observation) => [
    ...tracker.expire(observation.observedAt),
    ...tracker.observe(observation),
  ]);
}

/** As a store would. */
function keep(kept: Map<string, string>, { up, over }: CallChanges): void {
  for (const id of over) kept.delete(id);
  for (const call of up) kept.set(call.id, JSON.stringify(call));
}

/** Stops after each message, and lets another tracker go on from what was kept. */
function checkStops(t: Test, title: string, observations: readonly Observation[], tenants: readonly Tenant[]): void {
  const open = (): CallTracker => new CallTracker(new Directory(tenants), { maxContacts: 100 });
  const whole = open();
  const expected = [...feed(whole, observations), ...whole.expire(Infinity)];
  const first = open();
  const before: CallEvent[] = [];
  const kept = new Map<string, string>();
  const different: number[] = [];
  for (let stop = 0; stop <= observations.length; stop++) {
    before.push(...feed(first, observations.slice(Math.max(0, stop - 1), stop)));
    keep(kept, first.takeChanges());
    const second = open();
    second.restore([...kept.values()].map((json) => JSON.parse(json) as CallSnapshot));
    const after = [...feed(second, observations.slice(stop)), ...second.expire(Infinity)];
    if (!isDeepStrictEqual([...before, ...after], expected) || second.legCount > 0) different.push(stop);
  }
  first.expire(Infinity);
  keep(kept, first.takeChanges());
  t.equal(kept.size, 0, `${title}: of calls that are over nothing is kept`);
  t.strictSame(different, [], `${title}, stopped after each of ${observations.length} messages`);
}

t.test('calls that are up go on in a tracker that begins anew, wherever the other was stopped', async (t) => {
  const files = globSync('captures/{*,pbx/*}.pcap', { cwd: root });
  t.ok(files.length > 60, `${files.length} recordings`);
  for (const file of files) {
    const { tenants } = file.includes('pbx/')
      ? loadConfiguration(join(root, 'captures/pbx.yaml'), {})
      : OPEN_CONFIGURATION;
    checkStops(t, file, await readAll(join(root, file)), tenants);
  }
});

t.test('so do transfers, pickups and what else there is, wherever they are stopped', (t) => {
  for (const { title, steps, isOpen } of CASES) {
    checkStops(t, title, steps.map(observationOf), [isOpen ? openTenant : plain]);
  }
  t.end();
});
