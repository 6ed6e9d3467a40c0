import type { CallStatus } from '../../../src/calls/event.ts';
import { isObscure, isPickupObscure } from './evidence.ts';
import type { PbxLeg, TrueCall } from './pbx-leg.ts';
import { QUEUE } from './plan.ts';
import { judgeCalled, judgeCaller } from './status.ts';

/** One participation of an extension in a call, as it truly was. */
export interface TrueParty {
  readonly callId: string;
  readonly number: string;
  readonly role: 'caller' | 'called';
  readonly status: CallStatus;
  readonly leg: PbxLeg;
}

/** What truly happened in a run. */
export interface Truth {
  readonly legs: readonly PbxLeg[];
  readonly parties: readonly TrueParty[];
  /** Legs that never ended: the simulation stopped half way. */
  readonly unended: number;
  /** Some leg of the call does not tell, or tells wrongly, that it is of it. */
  isUnclear(call: TrueCall): boolean;
}

/** Sums up what the PBXs did. */
export function tellTruth(legs: readonly PbxLeg[]): Truth {
  for (const leg of legs) if (isObscure(leg) || isPickupObscure(leg, legs)) leg.evidence = 'obscure';
  const unclear = new Set(legs.filter(({ evidence }) => evidence !== 'clear').map(({ origin }) => origin.call.whole));
  return {
    legs,
    parties: legs.flatMap(listParties),
    unended: legs.filter(({ endedAt }) => endedAt === Infinity).length,
    isUnclear: (call) => unclear.has(call),
  };
}

function listParties(leg: PbxLeg): TrueParty[] {
  const { way, end, called } = leg.origin;
  const { callId } = leg.session;
  const parties: TrueParty[] = [];
  if (end.isExtension) {
    const role = way === 'in' ? 'caller' : 'called';
    const status = way === 'in' ? judgeCaller(leg) : judgeCalled(leg);
    parties.push({ callId, number: end.number, role, status, leg });
  }
  if (leg.isUnregistered) parties.push({ callId, number: called, role: 'called', status: 'CHANUNAVAIL', leg });
  if (called === QUEUE) parties.push({ callId, number: called, role: 'called', status: judgeCaller(leg), leg });
  return parties;
}
