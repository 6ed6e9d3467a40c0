import type { Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { Invitation } from './invitation.ts';
import { type Leg, Party, type Transaction } from './call.ts';
import type { JoinMethod } from './join.ts';

/** Gives the caller of a leg its party, where it is an extension: who was asked to call somebody else goes on. */
export function seatCaller(leg: Leg, invitation: Invitation): void {
  const { extension } = invitation.caller;
  if (leg.caller || !extension) return;
  leg.caller =
    leg.call.party(extension, 'caller') ??
    findTransferred(leg, extension) ??
    seat(leg, extension, 'caller', invitation);
}

/** Gives the extension that a transaction leads to its party; one behind a PBX has to wait for a leg of its own. */
export function seatCalled(leg: Leg, transaction: Transaction, invitation: Invitation): void {
  const { called } = invitation;
  if (!called) return;
  if (transaction.aim === 'addressed' && isReachedElsewhere(called)) {
    leg.addressee ??= { extension: called, params: writeParameters(leg, invitation, 'IN') };
    return;
  }
  transaction.party = findRung(leg, called) ?? seat(leg, called, 'called', invitation);
}

/** A further device of an extension that rings; or, where a dialog is taken over, whoever is in that. RFC 3891. */
function findRung(leg: Leg, called: Extension): Party | undefined {
  const party = leg.call.party(called, 'called');
  if (party && leg.leadsTo(party)) return party;
  if (leg.join?.method === 'replaces') return findReplaced(leg.join.leg, called) ?? findTransferred(leg, called);
  return party?.state === 'answered' ? undefined : party;
}

/** Who calls still, and is answered by somebody else than was rung. RFC 3891 §3. */
const findReplaced = ({ caller, isUp }: Leg, { number }: Extension): Party | undefined =>
  caller?.extension.number === number && caller.state !== 'over' && !isUp ? caller : undefined;

const HANDED_ON: ReadonlySet<JoinMethod> = new Set(['marker', 'replaces', 'referred-by', 'refer', 'redirect']);

/** The party of an extension that talks already, and now goes on in another dialog of the same call. */
function findTransferred({ call, join }: Leg, extension: Extension): Party | undefined {
  if (join === undefined || !HANDED_ON.has(join.method)) return undefined;
  return call.parties.find(({ state, extension: { number } }) => state === 'answered' && number === extension.number);
}

function seat(leg: Leg, extension: Extension, role: Party['role'], invitation: Invitation): Party {
  const flow = role === 'caller' ? 'OUT' : 'IN';
  return new Party(leg.call, extension, role, writeParameters(leg, invitation, flow), leg.join);
}

/** A phone behind a PBX is judged by the legs that the PBX sends to it; what the PBX answers itself, is not. */
const isReachedElsewhere = ({ kind, tenant }: Extension): boolean => kind === 'phone' && tenant.sensor === 'phones';

function writeParameters(
  leg: Leg,
  { caller, called, dialled }: Invitation,
  flow: CallParameters['CallFlow'],
): CallParameters {
  return {
    CallID: leg.callId,
    CallerIDNum: caller.number,
    CallerIDName: caller.name,
    CalledDID: leg.call.did,
    CalledExtension: called?.number ?? '',
    CallStatus: 'CALLING',
    CallFlow: flow,
    CallerExtension: caller.extension?.number ?? '',
    CalledNumber: findDialled(leg, dialled),
    CallAPIID: leg.call.id,
  };
}

/** Ways to come to a call in which a number of one's own was dialled. */
const DIALLED_APART: ReadonlySet<JoinMethod> = new Set(['pickup', 'replaces', 'feature-code', 'click-to-dial']);

const findDialled = ({ call, join }: Leg, dialled: string): string =>
  join && DIALLED_APART.has(join.method) ? dialled : call.dialled;
