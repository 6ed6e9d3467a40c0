import type { SipMessage } from '../../sip/message.ts';
import { parseNameAddr } from '../../sip/name-addr.ts';
import { formatHostPort, parseUri } from '../../sip/uri.ts';
import type { Target } from '../decision.ts';
import type { PeerKind } from '../peers.ts';
import { type Flow, formatFlow, type Tokens, withAccount } from '../token.ts';
import type { Link } from './link.ts';

const TRANSPORT: { readonly [transport: string]: string } = {
  udp: '',
  tcp: ';transport=tcp',
  tls: ';transport=tls',
  ws: ';transport=ws',
  wss: ';transport=ws',
};

/** Requests that begin a dialog. RFC 3261 §12, RFC 6665 §4, RFC 3515 §2.4.4. */
const DIALOG_METHODS: ReadonlySet<string> = new Set(['INVITE', 'SUBSCRIBE', 'REFER']);

export const beginsDialog = (message: SipMessage): boolean =>
  DIALOG_METHODS.has(message.method) && message.toTag === '';

/** The URI parameter of a transport in a URI of ours. */
export const transportParameter = (transport: string): string => TRANSPORT[transport] ?? '';

/** The account that registered a contact over a connection, if one did. */
export type OwnerOf = (flow: Flow, contact: string) => string | undefined;

/** The flow that leads back to whoever sent the request, where its Contact does not: behind NAT, over its connection, or from one of several sockets. */
export function callerFlow(message: SipMessage, link: Link, peer: PeerKind, ownerOf: OwnerOf): Flow | undefined {
  if (peer !== 'other') return undefined;
  const { flow } = link;
  if (flow.local) return flow;
  const contact = message.raw('Contact');
  if (contact === '') return flow;
  const { uri } = parseNameAddr(contact);
  if (flow.transport !== 'udp') return withAccount(flow, ownerOf(flow, uri));
  return isAt(uri, link) ? undefined : flow;
}

/** The flow that leads to a target that is reached otherwise than its URI says. */
export function targetFlow(uri: string, to: Target['to'], link: Link): Flow | undefined {
  if (typeof to === 'string' || !('transport' in to)) return undefined;
  const isElsewhere = link.transport !== 'udp' || link.flow.local !== undefined || !isAt(uri, link);
  return isElsewhere ? withAccount(link.flow, to.account) : undefined;
}

function isAt(uri: string, { remote }: Link): boolean {
  const { host, port } = parseUri(uri);
  return host === remote.ip && (port ?? 5060) === remote.port;
}

/**
 * Record-Route lines: one, or one for either side where they differ in transport, address or way back. The one of the
 * called side stands on top. RFC 5658 §3.3.
 */
export function makeRecordRoutes(
  tokens: Tokens,
  callId: string,
  caller: { readonly link: Link; readonly flow: Flow | undefined },
  called: { readonly link: Link; readonly flow: Flow | undefined },
): string {
  const line = (link: Link, flow: Flow | undefined): string => {
    const token = tokens.seal(`call ${callId}`, flow ? formatFlow(flow) : '');
    return `Record-Route: <sip:${token}@${formatHostPort(link.local)}${transportParameter(link.transport)};lr>\r\n`;
  };
  const isSame =
    caller.link.transport === called.link.transport &&
    caller.link.local.ip === called.link.local.ip &&
    caller.link.local.port === called.link.local.port;
  if (isSame && !caller.flow && !called.flow) return line(called.link, undefined);
  return line(called.link, called.flow) + line(caller.link, caller.flow);
}
