import type { Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { Invitation } from './invitation.ts';
import { type Leg, Party, type Transaction } from './call.ts';

/** Gives the caller of a leg its party, where it is an extension. */
export function seatCaller(leg: Leg, invitation: Invitation): void {
  const { extension } = invitation.caller;
  if (leg.caller || !extension) return;
  leg.caller =
    leg.call.party(extension, 'caller') ??
    new Party(leg.call, extension, 'caller', writeParameters(leg, invitation, 'OUT'));
}

/** Gives the extension that a transaction leads to its party; one behind a PBX has to wait for a leg of its own. */
export function seatCalled(leg: Leg, transaction: Transaction, invitation: Invitation): void {
  const { called } = invitation;
  if (!called) return;
  if (transaction.aim === 'addressed' && isReachedElsewhere(called)) {
    leg.addressee ??= { extension: called, params: writeParameters(leg, invitation, 'IN') };
    return;
  }
  transaction.party =
    leg.call.party(called, 'called') ?? new Party(leg.call, called, 'called', writeParameters(leg, invitation, 'IN'));
}

/** A phone behind a PBX is judged by the legs that the PBX sends to it; what the PBX answers itself, is not. */
const isReachedElsewhere = ({ kind, tenant }: Extension): boolean => kind === 'phone' && tenant.sensor === 'phones';

function writeParameters(leg: Leg, { caller, called }: Invitation, flow: CallParameters['CallFlow']): CallParameters {
  return {
    CallID: leg.callId,
    CallerIDNum: caller.number,
    CallerIDName: caller.name,
    CalledDID: leg.call.did,
    CalledExtension: called?.number ?? '',
    CallStatus: 'CALLING',
    CallFlow: flow,
    CallerExtension: caller.extension?.number ?? '',
    CalledNumber: leg.call.dialled,
    CallAPIID: leg.call.id,
  };
}
