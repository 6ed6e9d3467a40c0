import type { Rule } from '../rules/rule.ts';
import type { Clock } from './clock.ts';
import type { Delivery, FinishedState } from './delivery.ts';
import type { Lanes } from './lanes.ts';
import type { AttemptOutcome } from './retry.ts';
import type { Lane, Script } from './script.ts';
import { Waits } from './waits.ts';

/** Waiting for a script that fails: so many are looked at with each probe. */
const SWEEP = 1000;
/** Most are sent by then, and need not be remembered for as long as they would be of use. */
const SOON_MS = 2000;

/** What ends a delivery without a request. */
export type Ending = readonly [FinishedState, AttemptOutcome];

/** What the ageing of deliveries needs of the dispatcher. */
export interface AgeingParts {
  readonly clock: Clock;
  readonly lanes: Lanes;
  readonly findRule: (id: string) => Rule | undefined;
  readonly find: (id: number) => Delivery | undefined | 'later';
  /** Whether a delivery is of no use any more, and why. */
  readonly endOf: (delivery: Delivery, rule: Rule | undefined) => Ending | undefined;
  readonly ageOf: (delivery: Delivery) => number;
  readonly record: (delivery: Delivery, ...ending: Ending) => void;
  /** Records the first delivery of a lane, and goes on with the next. */
  readonly finish: (lane: Lane, delivery: Delivery, ...ending: Ending) => void;
}

interface Watched {
  readonly lane: Lane;
  readonly id: number;
  /** To be waited after this. */
  readonly restMs: number;
}

/** What waits for a script grows old, and is ended when it is of no use any more, whether or not its turn comes. */
export class Ageing {
  readonly #parts: AgeingParts;
  readonly #waits: Waits<Watched>;

  constructor(parts: AgeingParts) {
    this.#parts = parts;
    this.#waits = new Waits(parts.clock, (due) => due.forEach((watched) => this.#end(watched)));
  }

  /** A Dial or Answer event that has to wait is told stale as soon as it is. */
  watch({ id, event, ruleId }: Delivery, lane: Lane): void {
    const { lanes, findRule } = this.#parts;
    if (event === 'hangup' || !lanes.isWaiting(lane, id)) return;
    const staleAfterMs = findRule(ruleId)?.staleAfterMs ?? 0;
    if (staleAfterMs === Infinity) return;
    const soonMs = Math.min(staleAfterMs + 1, SOON_MS);
    this.#waits.add({ lane, id, restMs: staleAfterMs + 1 - soonMs }, soonMs);
  }

  /** Of a script that fails: ends what waited as long as its schedule is, or has no rule any more. */
  sweep(script: Script): void {
    const { lanes, find, finish } = this.#parts;
    for (let count = Math.min(script.ready.length, SWEEP); count > 0; count--) {
      const lane = lanes.takeReady(script);
      if (!lane) return;
      const delivery = find(lane.first);
      const end = delivery && delivery !== 'later' ? this.#endOfOld(delivery) : undefined;
      if (!end) {
        lanes.offer(lane);
        continue;
      }
      script.active++;
      finish(lane, delivery as Delivery, ...end);
    }
  }

  clear(): void {
    this.#waits.clear();
  }

  #end({ lane, id, restMs }: Watched): void {
    const { lanes, find, findRule, endOf, record } = this.#parts;
    if (!lanes.isWaiting(lane, id)) return;
    if (restMs > 0) return this.#waits.add({ lane, id, restMs: 0 }, restMs);
    const delivery = find(id);
    if (!delivery || delivery === 'later') return;
    const end = endOf(delivery, findRule(delivery.ruleId));
    if (!end) return;
    record(delivery, ...end);
    lanes.drop(lane, id);
  }

  #endOfOld(delivery: Delivery): Ending | undefined {
    const { findRule, endOf, ageOf } = this.#parts;
    const rule = findRule(delivery.ruleId);
    const longestMs = rule?.scheduleMs.reduce((sum, ms) => sum + ms, 0) ?? 0;
    return (
      endOf(delivery, rule) ??
      (ageOf(delivery) > longestMs ? ['dead', { error: 'its script failed for too long' }] : undefined)
    );
  }
}
