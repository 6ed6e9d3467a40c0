import type { TrueCall } from '../pbx-leg.ts';
import type { Site } from '../site.ts';
import { hunt, queue, ringGroup } from './groups.ts';
import { echoTest, forwarded, plain, twins, unregistered } from './plain.ts';
import { park, pickup } from './takeovers.ts';
import { attended, attendedByCode, blind, blindByCode, semiAttended } from './transfers.ts';

/** What happens in a call, from its beginning to its end. */
type Scenario = (site: Site, call: TrueCall) => Promise<void>;

const SCENARIOS: readonly (readonly [weight: number, scenario: Scenario])[] = [
  [30, plain],
  [6, twins],
  [2, unregistered],
  [2, echoTest],
  [5, forwarded],
  [6, ringGroup],
  [5, hunt],
  [6, queue],
  [8, blind],
  [6, attended],
  [3, semiAttended],
  [4, attendedByCode],
  [3, blindByCode],
  [5, pickup],
  [4, park],
];

/** Begins a call at a site, of any kind. */
export function playAny(site: Site): Promise<void> {
  const scenario = site.world.random.weigh(SCENARIOS);
  return scenario(site, site.begin(scenario.name));
}
