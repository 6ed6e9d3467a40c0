import { formatTime } from '../../calls/time.ts';
import type { RecordedCall, RecordedParty } from '../../explain/recorded-call.ts';
import { statusOf } from '../../explain/story.ts';
import type { Scope } from '../access/scope.ts';
import type { Call, CallStatus, Party } from '../types.ts';

/** A call as the API shows it, with all its parties. */
export function showCall(recorded: RecordedCall): Call {
  const { call, events, legs, parties, endedAt } = recorded;
  const [first] = parties.values();
  return {
    id: call.id,
    otherIds: [...call.aliases],
    state: endedAt > 0 ? 'over' : 'live',
    startedAt: formatTime(call.startedAt),
    endedAt: timeOrNull(endedAt),
    caller: first?.party.params.CallerIDNum ?? '',
    callerName: first?.party.params.CallerIDName ?? '',
    dialled: call.dialled,
    status: (endedAt > 0 && statusOf({ events, legs })) || null,
    legs: legs.length,
    messages: recorded.seen,
    parties: [...parties.values()].map(showParty),
  };
}

function showParty({ id, party, hangup }: RecordedParty): Party {
  const { extension, role, state, params, dialledAt, rangAt, answeredAt, answeredBy, transferredBy } = party;
  return {
    id,
    extension: extension.number,
    name: extension.name,
    role,
    state: hangup ? 'over' : state === 'held' ? 'calling' : state,
    dialledAt: formatTime(dialledAt),
    rangAt: timeOrNull(rangAt),
    answeredAt: timeOrNull(answeredAt),
    endedAt: timeOrNull(hangup?.at ?? 0),
    status: (hangup?.params.CallStatus as CallStatus | undefined) ?? null,
    detail: hangup ? String(hangup.extras.Detail ?? '') : null,
    callerNumber: params.CallerIDNum,
    callerName: params.CallerIDName,
    dialled: params.CalledNumber,
    did: params.CalledDID,
    answeredBy: answeredBy ?? null,
    transferredBy: transferredBy ?? null,
  };
}

const timeOrNull = (at: number): string | null => (at > 0 ? formatTime(at) : null);

/** As much of a call as somebody may see; undefined if nothing. */
export function cutCall(call: Call, scope: Scope): Call | undefined {
  if (scope.isAll) return call;
  const parties = call.parties.filter(({ extension }) => scope.sees(extension));
  const [own] = parties;
  if (!own) return undefined;
  // Who called, and what was dialled, as the first of the parties to be seen was told.
  return { ...call, parties, caller: own.callerNumber, callerName: own.callerName, dialled: own.dialled };
}

/** Whether all of a call may be seen, as its messages tell all. */
export const isAllSeen = ({ parties }: Call, scope: Scope): boolean =>
  scope.isAll || (scope.extension === undefined && parties.every(({ extension }) => scope.sees(extension)));
