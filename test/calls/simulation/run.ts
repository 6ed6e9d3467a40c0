import type { Tenant } from '../../../src/calls/tenant.ts';
import type { Observation } from '../../../src/sip/observation.ts';
import { Clock } from './clock.ts';
import { Network } from './network.ts';
import type { Profile } from './pbx.ts';
import { describe } from './plan.ts';
import { Random } from './random.ts';
import { playAny } from './scenarios/scenario.ts';
import { Site } from './site.ts';
import { tellTruth, type Truth } from './truth.ts';
import type { World } from './user-agent.ts';

/** What a sensor saw, and what it was. */
export interface Run {
  readonly tenants: readonly Tenant[];
  readonly observations: readonly Observation[];
  readonly truth: Truth;
}

const START = Date.UTC(2026, 0, 1);
const LOSS = 0.1;
const MEAN_GAP_MS = 700;

/** Simulates so many calls, begun within a few minutes, at one PBX or two. */
export async function simulate(seed: number, calls: number): Promise<Run> {
  const random = new Random(seed);
  const clock = new Clock(START);
  const world = { clock, random, network: new Network(clock, random, LOSS) };
  const count = seed % 3 === 0 ? 2 : 1;
  const sites = Array.from(
    { length: count },
    (_, i) => new Site(world, i, random.whole(20, 40), chooseProfile(random)),
  );
  clock.spawn(begin(world, sites, calls));
  await clock.run();
  return {
    tenants: sites.map((site, i) => describe(site, count === 1 ? '' : `000${3 + i}`)),
    observations: world.network.observations,
    truth: tellTruth(sites.flatMap(({ pbx }) => pbx.legs)),
  };
}

async function begin({ clock, random }: World, sites: readonly Site[], calls: number): Promise<void> {
  for (let i = 0; i < calls; i++) {
    clock.spawn(playAny(random.pick(sites)));
    await clock.sleep(random.chance(0.15) ? random.between(0, 50) : random.between(0, 2 * MEAN_GAP_MS));
  }
}

const chooseProfile = (random: Random): Profile => ({
  challenges: random.chance(0.6),
  tellsIdentity: random.chance(0.6),
  copiesReferredBy: random.chance(0.6),
  tellsReason: random.chance(0.6),
  keepsOrder: random.chance(0.5),
});
