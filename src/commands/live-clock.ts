import type { Observation, ObservationSink } from '../sip/observation.ts';

const WARN_INTERVAL_MS = 60_000;

/**
 * Keeps live observations near this machine's time: a capture agent whose clock is off would make calls expire at once, or
 * never. Its packets get their time of arrival.
 */
export class LiveClock {
  readonly #maxSkewMs: number;
  readonly #sink: ObservationSink;
  readonly #warn: (text: string, about: object) => void;
  readonly #now: () => number;
  #warnedAt = -Infinity;

  constructor(
    maxSkewMs: number,
    sink: ObservationSink,
    warn: (text: string, about: object) => void,
    now: () => number = Date.now,
  ) {
    this.#maxSkewMs = maxSkewMs;
    this.#sink = sink;
    this.#warn = warn;
    this.#now = now;
  }

  readonly observe = (observation: Observation): void => {
    const now = this.#now();
    const skewMs = observation.observedAt - now;
    if (Math.abs(skewMs) <= this.#maxSkewMs) return this.#sink(observation);
    if (now - this.#warnedAt > WARN_INTERVAL_MS) {
      this.#warnedAt = now;
      this.#warn("a capture agent's clock is off: the time of arrival counts", { skewMs: Math.round(skewMs) });
    }
    this.#sink({ ...observation, observedAt: now });
  };
}
