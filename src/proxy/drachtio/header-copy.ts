import type { SipMessage } from '../../sip/message.ts';
import type { SrfHeaders } from './srf.ts';

/** What the server writes itself, into requests and into responses. */
export const OWN_OF_REQUEST: ReadonlySet<string> = new Set([
  'via',
  'v',
  'route',
  'record-route',
  'content-length',
  'l',
]);
export const OWN_OF_RESPONSE: ReadonlySet<string> = new Set([
  ...OWN_OF_REQUEST,
  ...['from', 'f', 'to', 't', 'call-id', 'i', 'cseq'],
]);

/** The header fields of a message but for those. */
export function copyHeaders(message: SipMessage, without: ReadonlySet<string>): SrfHeaders {
  const { fields, latin1 } = message;
  const headers: SrfHeaders = {};
  for (let i = 0; i < fields.length; i++) {
    const { nameStart, nameEnd, start, end } = fields.place(i);
    const name = latin1.slice(nameStart, nameEnd);
    if (!without.has(name.toLowerCase())) addHeader(headers, name, latin1.slice(start, end));
  }
  return headers;
}

/** Header lines as we make them, `Name: value`. */
export function readHeaderLines(lines: readonly string[]): SrfHeaders {
  const headers: SrfHeaders = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    addHeader(headers, line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return headers;
}

/** One character a byte becomes text. A second field of a name goes behind the first as a line of its own: not all are lists. */
function addHeader(headers: SrfHeaders, name: string, value: string): void {
  const text = Buffer.from(value.replace(/\r?\n[ \t]+/g, ' '), 'latin1').toString('utf8');
  const known = Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase());
  if (known === undefined) headers[name] = text;
  else headers[known] += `\r\n${known}: ${text}`;
}
