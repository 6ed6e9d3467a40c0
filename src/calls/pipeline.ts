import type { CallEvent } from './event.ts';
import type { CallTracker } from './tracker.ts';
import type { Observation } from '../sip/observation.ts';

const CLOCK_LEAP_MS = 24 * 3600_000;

/**
 * The way of every observation: time passes up to it, then it is taken in; what that brings about is published, with the
 * observation that did, or none where it was the time.
 *
 * When the time leaps by more than a day, a clock was set and no time passed: the calls that are up go along.
 */
export function connectPipeline(
  tracker: CallTracker,
  publish: (events: readonly CallEvent[], cause?: Observation) => void,
): (observation: Observation) => void {
  let last = NaN;
  const take = (events: readonly CallEvent[], cause?: Observation): void => {
    if (events.length > 0) publish(events, cause);
  };
  return (observation) => {
    const { observedAt } = observation;
    if (Math.abs(observedAt - last) > CLOCK_LEAP_MS) tracker.leap(observedAt - last);
    last = observedAt;
    take(tracker.expire(observedAt));
    take(tracker.observe(observation), observation);
  };
}
