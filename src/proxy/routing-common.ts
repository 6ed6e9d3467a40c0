import type { Bindings } from './bindings.ts';
import { type Decision, type Inbound, relayTo, reply } from './decision.ts';

const ALLOW =
  'INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, SUBSCRIBE, NOTIFY, REFER, INFO, MESSAGE, PRACK, UPDATE, PUBLISH';

/** The answer to a request that asks how we are: monitoring, or a keep-alive. RFC 3261 §11.2. */
export function answerOptions({ message, uri, isOurs }: Inbound): Decision | undefined {
  if (message.method !== 'OPTIONS' || !isOurs || uri.user !== '') return undefined;
  return reply(200, 'OK', [`Allow: ${ALLOW}`, 'Accept: application/sdp', 'Supported: path, outbound']);
}

/** A request along a route of ours goes on where that leads: to a flow, the next route, or the Request-URI. RFC 3261 §16.6. */
export function followRoute(inbound: Inbound, bindings: Bindings, isTrusted: boolean): Decision {
  const { routeFlow, nextRoute, target, uri, now } = inbound;
  if (nextRoute !== '') return relayTo({ to: nextRoute }, isTrusted);
  if (!routeFlow) return relayTo({ to: target, parsed: uri }, isTrusted);
  return relayTo({ uri: target, to: bindings.currentFlow(routeFlow, target, now) }, isTrusted);
}
