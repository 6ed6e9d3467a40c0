import type { CallEvent } from '../calls/event.ts';
import type { CallTracker } from '../calls/tracker.ts';
import type { Observation } from '../sip/observation.ts';
import { connectPipeline } from '../calls/pipeline.ts';

/** Clocks in ms: the system's, which may be set, and one that only goes on. */
export interface Clocks {
  readonly wall: () => number;
  readonly monotonic: () => number;
}

const SYSTEM_CLOCKS: Clocks = { wall: Date.now, monotonic: () => performance.now() };
/** The clock was set by so much at least; less is what time keeping does all the time. */
const LEAST_STEP_MS = 5000;
/** Between two observations; then it is looked whether the clock was set. */
const SUSPICIOUS_MS = 1000;

/** Takes events over, with the observation that brought them about; without, it was the time. */
type Publish = (events: readonly CallEvent[], cause?: Observation) => void;

/** The pipeline in real time. When the system clock is set, no time passed: the calls that are up go along. */
export class LivePipeline {
  readonly #tracker: CallTracker;
  readonly #publish: Publish;
  readonly #onStep: (byMs: number) => void;
  readonly #clocks: Clocks;
  readonly #take: (observation: Observation) => void;
  #offset: number;
  #last = 0;

  /** `onStep` is told by how much the clock was set. */
  constructor(tracker: CallTracker, publish: Publish, onStep: (byMs: number) => void, clocks: Clocks = SYSTEM_CLOCKS) {
    this.#tracker = tracker;
    this.#publish = publish;
    this.#onStep = onStep;
    this.#clocks = clocks;
    this.#take = connectPipeline(tracker, publish);
    this.#offset = clocks.wall() - clocks.monotonic();
  }

  readonly observe = (observation: Observation): void => {
    if (Math.abs(observation.observedAt - this.#last) > SUSPICIOUS_MS) this.#lookAtClock();
    this.#last = observation.observedAt;
    this.#take(observation);
  };

  /** Time passes, up to `until` at most. */
  tick(until: number): void {
    this.#lookAtClock();
    const events = this.#tracker.expire(Math.min(this.#clocks.wall(), until));
    if (events.length > 0) this.#publish(events);
  }

  #lookAtClock(): void {
    const step = this.#clocks.wall() - this.#clocks.monotonic() - this.#offset;
    this.#offset += step;
    if (Math.abs(step) < LEAST_STEP_MS) return;
    this.#tracker.leap(step);
    this.#onStep(step);
  }
}
