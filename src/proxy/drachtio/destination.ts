import { formatHostPort, parseUri } from '../../sip/uri.ts';
import type { Target } from '../decision.ts';
import type { Hop } from '../peers.ts';
import type { Flow } from '../token.ts';

/**
 * The URI by which the server reaches a target. It becomes the Request-URI, too, where the request named the server itself: so
 * the user and the parameters are those of the contact, and host, port and transport are where the phone really is, whatever
 * its contact says (`.invalid`, a private address).
 */
export function formatDestination({ uri, to }: Target, requestUri: string): string {
  if (typeof to === 'string') return withoutBar(withoutSips(to));
  const place: (Flow['remote'] & Pick<Hop, 'transport'>) | undefined =
    'transport' in to ? { transport: to.transport, ...to.remote } : to[0];
  if (!place) return '';
  const { start, tail } = cutPlace(uri ?? requestUri);
  return withoutBar(`${start}${formatHostPort(place)}${withTransport(tail, place.transport)}`);
}

/** Always named: the server takes any of its transports for a URI that names none. */
function withTransport(tail: string, transport: string): string {
  const named = `;transport=${transport}`;
  return TRANSPORT.exec(tail)?.[0].toLowerCase() === named ? tail : `${tail.replace(TRANSPORT, '')}${named}`;
}

/** drachtio-srf knows `sip:` and `tel:` alone. */
function withoutSips(uri: string): string {
  if (!/^sips:/i.test(uri)) return uri;
  const { transport } = Object.fromEntries(parseUri(uri).parameters);
  const bare = uri.replace(/^sips:/i, 'sip:').replace(TRANSPORT, '');
  return `${bare}${transport?.startsWith('ws') ? ';transport=wss' : ';transport=tls'}`;
}

/** A bar ends a destination on the way to the server. */
const withoutBar = (uri: string): string => uri.replaceAll('|', '%7C');

const TRANSPORT = /;transport=[^;?]*/i;

/** `sip:user@` and the parameters; of a number (`tel:`) as a user. */
function cutPlace(uri: string): { readonly start: string; readonly tail: string } {
  const [, user = '', tail = ''] = /^sips?:(?:(.*)@)?[^;?]*([^?]*)/i.exec(uri) ?? [];
  const tel = /^tel:([^;]*)/i.exec(uri)?.[1];
  const name = tel ?? user;
  return { start: name === '' ? 'sip:' : `sip:${name}@`, tail };
}
