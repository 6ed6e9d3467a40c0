import type { CallStatus } from '../../../src/calls/event.ts';
import type { PbxLeg } from './pbx-leg.ts';

const REFUSALS: Readonly<Record<number, CallStatus>> = {
  302: 'NOANSWER',
  404: 'CONGESTION',
  408: 'NOANSWER',
  486: 'BUSY',
  603: 'BUSY',
};

const BEST: readonly CallStatus[] = ['ANSWER', 'NOANSWER', 'BUSY', 'CONGESTION', 'CHANUNAVAIL', 'CANCEL'];

/** How a leg that the PBX made truly ended for who was called. Design §4. */
export function judgeCalled({ session, withdrawal }: PbxLeg): CallStatus {
  const code = session.final.value ?? 408;
  if (code < 300) return 'ANSWER';
  if (session.hasCancelled) return withdrawal === 'caller' ? 'CANCEL' : 'NOANSWER';
  if (code === 480) return session.rung.isSet ? 'NOANSWER' : 'CHANUNAVAIL';
  return REFUSALS[code] ?? 'CONGESTION';
}

/** How a leg into the PBX truly ended for who called. Design §4. */
export function judgeCaller({ session, tried, isHandedOver }: PbxLeg): CallStatus {
  const code = session.final.value ?? 408;
  if (code < 300) return 'ANSWER';
  if (session.wasCancelled || isHandedOver) return 'CANCEL';
  const outcomes = (tried.at(-1) ?? []).map(judgeForCaller);
  if (outcomes.length > 0) return BEST.find((status) => outcomes.includes(status))!;
  return code === 404 ? 'CHANUNAVAIL' : (REFUSALS[code] ?? 'CONGESTION');
}

/** Who answers when the caller was told already that nobody does, is too late. */
function judgeForCaller(leg: PbxLeg): CallStatus {
  const status = judgeCalled(leg);
  return status === 'ANSWER' ? 'NOANSWER' : status;
}
