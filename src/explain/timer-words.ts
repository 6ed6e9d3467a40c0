import type { Leg } from '../calls/call.ts';
import type { ToldEvent } from './collector.ts';
import type { CallStory } from './story.ts';

const CHALLENGES: readonly number[] = [401, 407, 422];

/** It got no further than a challenge. */
export const isChallenged = ({ root }: Leg): boolean => CHALLENGES.includes(root?.code ?? 0);

/** Times of calls, in ms, by the names of their options. */
export interface CallTimes {
  readonly dialHold: number;
  readonly challengeWait: number;
  readonly redirectWait: number;
  readonly ringLimit: number;
  readonly longestCall: number;
  readonly sessionSlack: number;
  readonly linger: number;
}

/** Which timer an event came by, with the option that sets it. */
export function nameTimer({ event }: ToldEvent, { legs }: CallStory, calls: CallTimes): string {
  if (event.event !== 'hangup') return `${seconds(calls.dialHold)} passed without a challenge (calls.dialHold)`;
  const isOver = (leg: Leg): boolean => leg.phase === 'ended' && Math.abs(leg.deadline - calls.linger - event.at) < 1;
  const leg = (legs.find((story) => isOver(story.leg)) ?? legs.find(({ leg }) => leg.callId === event.params.CallID))
    ?.leg;
  if (leg && leg.answeredAt > 0) return nameTimerOfAnswered(leg, event.extras.Synthesised === 1, calls);
  return nameTimerOfUnanswered(leg, calls);
}

function nameTimerOfAnswered({ sessionMs }: Leg, isSilent: boolean, calls: CallTimes): string {
  if (!isSilent)
    return `who was asked to call elsewhere did not within ${seconds(calls.redirectWait)} (calls.redirectWait)`;
  if (sessionMs === 0) return `answered ${seconds(calls.longestCall)} ago (calls.longestCall)`;
  const limit = `${seconds(sessionMs)} (Session-Expires) and ${seconds(calls.sessionSlack)} (calls.sessionSlack)`;
  return `the session was not refreshed for ${limit}`;
}

function nameTimerOfUnanswered(leg: Leg | undefined, calls: CallTimes): string {
  const root = leg?.root;
  const code = root?.code ?? 0;
  if (code >= 300 && code < 400) return `nobody followed within ${seconds(calls.redirectWait)} (calls.redirectWait)`;
  if (leg && isChallenged(leg)) {
    return `no credentials came within ${seconds(calls.challengeWait)} (calls.challengeWait)`;
  }
  if (leg?.callerLeft || root?.cancelledBy !== undefined || code > 0) {
    return `the last final response did not come within ${seconds(calls.linger)} (calls.linger)`;
  }
  return `${seconds(calls.ringLimit)} of silence (calls.ringLimit)`;
}

/** A time in ms as `195 s`. */
const seconds = (ms: number): string => `${ms / 1000} s`;
