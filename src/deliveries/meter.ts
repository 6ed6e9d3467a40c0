import type { FinishedState } from './delivery.ts';
import type { AttemptOutcome } from './retry.ts';

/** Is told what happens to deliveries, to count it. Times in ms. */
export interface DeliveryMeter {
  /** The first attempt at a delivery, so long after its event. */
  start(ageMs: number): void;
  attempt(durationMs: number, outcome: AttemptOutcome): void;
  finish(state: FinishedState): void;
  /** Deliveries that were one too many. */
  drop(count: number): void;
}

export const NO_METER: DeliveryMeter = { start() {}, attempt() {}, finish() {}, drop() {} };
