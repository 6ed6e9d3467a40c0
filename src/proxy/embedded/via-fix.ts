import { headerNumber } from '../../sip/header-name.ts';
import type { SipMessage } from '../../sip/message.ts';
import { findComma } from '../../sip/message-edit.ts';
import type { Address } from '../../sip/observation.ts';
import type { Via } from '../../sip/via.ts';
import type { Flow } from '../token.ts';
import { defaultPort } from './link.ts';

const VIA = headerNumber('Via');

/** The topmost Via of a message: where its value stands, and what it says. */
export interface TopVia {
  readonly index: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Locates the topmost Via; undefined if there is none. */
export function findTopVia(message: SipMessage): TopVia | undefined {
  const index = message.fields.first(VIA);
  if (index < 0) return undefined;
  const start = message.fields.startOf(index);
  const fieldEnd = message.fields.endOf(index);
  const comma = findComma(message.latin1, start, fieldEnd);
  const end = comma < 0 ? fieldEnd : comma;
  return { index, start, end, text: message.latin1.slice(start, end).trimEnd() };
}

/** Whether ours is the only Via of a response: a device left out the others, and who asked is to be told all the same. */
export function isLastVia(response: SipMessage): boolean {
  const { fields } = response;
  const index = fields.first(VIA);
  if (fields.next(VIA, index) >= 0) return false;
  return findComma(response.latin1, fields.startOf(index), fields.endOf(index)) < 0;
}

const RPORT = /;\s*rport\s*(?=;|$)/i;
const RECEIVED = /;\s*received\s*=[^;]*/gi;
const HOST = /^\s*SIP\s*\/\s*2\.0\s*\/\s*\S+\s+(\[[^\]]*\]|[^\s;:]+)/i;

/** A request's topmost Via with where it came from: `received`, and `rport` where asked for. RFC 3261 §18.2.1, RFC 3581 §4. */
export function stampVia(text: string, source: Address): string {
  const asks = RPORT.test(text);
  if (!asks && sentBy(text).endsWith(` ${source.ip}:${source.port}`)) return text;
  const own = text.replace(RECEIVED, ''); // whatever the sender says of itself
  if (asks) return `${own.replace(RPORT, `;rport=${source.port}`)};received=${source.ip}`;
  const host = HOST.exec(text)?.[1]?.replace(/^\[|\]$/g, '') ?? '';
  return host === source.ip ? own : `${own};received=${source.ip}`;
}

/** What stands before the parameters: protocol, host and port. */
export function sentBy(text: string): string {
  const semicolon = text.indexOf(';');
  return semicolon < 0 ? text : text.slice(0, semicolon);
}

/** Where responses go by a Via that was stamped. RFC 3261 §18.2.2. */
export function responseFlow({ transport, host, port, parameters }: Via): Flow {
  const kind = transport === 'UDP' ? 'udp' : 'tcp';
  const wanted = Number(parameters.get('rport') ?? '') || port || defaultPort(transport);
  return { transport: kind, remote: { ip: parameters.get('received') ?? host, port: wanted } };
}
