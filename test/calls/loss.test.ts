import { globSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { CallEvent } from '../../src/calls/event.ts';
import { Directory } from '../../src/calls/directory.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { connectPipeline } from '../../src/calls/pipeline.ts';
import type { Observation } from '../../src/sip/observation.ts';
import { readCapture } from '../../src/sources/capture-file.ts';
import { entry, openTenant, tenant } from './harness.ts';

const captures = fileURLToPath(new URL('../../captures/', import.meta.url));
const ROUNDS = 12;

const pbxTenant = tenant({
  prefix: '',
  domains: [],
  pbx: ['127.0.60.10'],
  trunks: ['127.0.60.20'],
  extensions: [entry('101', { dids: ['15551230001'] }), entry('102-104')],
});

async function load(file: string): Promise<Observation[]> {
  const observations: Observation[] = [];
  await readCapture(file, (observation) =>
    observations.push({ ...observation, bytes: Buffer.from(observation.bytes) }),
  );
  return observations;
}

/** Numbers that look random and are the same in every run. */
function makeRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => (state = (state * 48_271) % 2_147_483_647) % limit;
}

/** What a bad sensor makes of the traffic: messages lost, twice, in the wrong order, cut off, with bytes changed. */
function spoil(observations: readonly Observation[], random: (limit: number) => number): Observation[] {
  const spoilt: Observation[] = [];
  for (const observation of observations) {
    const fate = random(12);
    if (fate === 0) continue;
    spoilt.push(fate === 1 ? damage(observation, random) : observation);
    if (fate === 2) spoilt.push(observation);
    if (fate === 3 && spoilt.length > 1) spoilt.push(...spoilt.splice(-2).toReversed());
  }
  return spoilt;
}

function damage(observation: Observation, random: (limit: number) => number): Observation {
  const bytes = Buffer.from(observation.bytes).subarray(
    0,
    random(3) === 0 ? random(observation.bytes.length) + 1 : undefined,
  );
  bytes[random(bytes.length)] = random(256);
  return { ...observation, bytes };
}

/** Events of each party, first letters, in the order told. */
function livesOf(events: readonly CallEvent[]): Map<string, string> {
  const lives = new Map<string, string>();
  for (const { event, extras } of events) {
    const party = String(extras.SubCallID);
    lives.set(party, (lives.get(party) ?? '') + event[0]!);
  }
  return lives;
}

t.test('real traffic, badly seen: every party still tells one Dial, at most one Answer, one Hangup', async (t) => {
  const random = makeRandom(7);
  const files = globSync('{*,pbx/*}.pcap', { cwd: captures });
  let parties = 0;
  for (const file of files) {
    const observations = await load(join(captures, file));
    for (let round = 0; round < ROUNDS; round++) {
      const tracker = new CallTracker(new Directory([round % 2 === 0 ? openTenant : pbxTenant]), { maxContacts: 100 });
      const events: CallEvent[] = [];
      const observe = connectPipeline(tracker, (some) => events.push(...some));
      for (const observation of spoil(observations, random)) observe(observation);
      events.push(...tracker.expire(Infinity));
      const lives = livesOf(events);
      parties += lives.size;
      const wrong = [...lives].filter(([, life]) => !/^da?h$/.test(life));
      if (wrong.length > 0) t.fail(`${file}, round ${round}`, { wrong });
      if (tracker.legCount > 0) t.fail(`${file}, round ${round}: ${tracker.legCount} legs are left at the end of time`);
    }
  }
  t.ok(parties > 1000, `${parties} parties`);
});
