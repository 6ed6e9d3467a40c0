import type { SipMessage } from '../../sip/message.ts';
import type { Inbound, Relay, Target } from '../decision.ts';
import { formatDestination } from './destination.ts';
import type { ProxyOptions, SrfHeaders } from './srf.ts';

/** How the server is to pass a request on. */
export interface ProxyPlan {
  readonly destinations: readonly string[];
  readonly options: ProxyOptions;
}

/** Requests that begin a dialog, in which the server stays. */
const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE']);

/**
 * The server knows one list of targets, which it tries in order or all at once: where any are meant to ring at once, all do.
 * Of one target's addresses the first alone is tried: it would take any refusal for a reason to try the next.
 */
export function planProxy({ groups }: Relay, { message, target }: Inbound, headers: SrfHeaders): ProxyPlan {
  const destinations = groups
    .flat()
    .map((one: Target) => formatDestination(one, target))
    .filter((uri) => uri !== '');
  return {
    destinations: [...new Set(destinations)],
    options: {
      recordRoute: DIALOG_METHODS.has(message.method),
      forking: groups.some((group) => group.length > 1) ? 'simultaneous' : 'sequential',
      headers,
    },
  };
}

/** The header that tells the PBX which call an INVITE belongs to. The server can't take one away: there would be two. */
export function markInvite(message: SipMessage, isTrusted: boolean, name: string, id: () => string): SrfHeaders {
  if (!isTrusted || name === '' || message.method !== 'INVITE' || message.toTag !== '') return {};
  return message.findCustom(name).length > 0 ? {} : { [name]: id() };
}
