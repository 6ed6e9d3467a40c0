import type { HeaderName } from '../../sip/header-name.ts';
import type { SipMessage } from '../../sip/message.ts';
import type { Address } from '../../sip/observation.ts';
import { hashText } from './branches.ts';
import { stampVia } from './via-fix.ts';

/** The Via lines of a response. RFC 3261 §8.2.6.2. */
export const makeVias = (request: SipMessage, source: Address): string =>
  request
    .all('Via')
    .map((via, i) => `Via: ${i === 0 ? stampVia(via, source) : via}\r\n`)
    .join('');

/** All fields of a name as they stand, each a line with its end. */
export const copyLines = (message: SipMessage, name: HeaderName): string =>
  message
    .indexes(name)
    .map((index) => `${name}: ${message.latin1.slice(message.fields.startOf(index), message.fields.endOf(index))}\r\n`)
    .join('');

const TAGGED = /;\s*tag\s*=/i;

/** A response of our own: what ties it to the request is copied. `lines` are header lines, each with its line end. RFC 3261 §8.2.6. */
export function makeReply(request: SipMessage, source: Address, code: number, phrase: string, lines = ''): Buffer {
  const to = request.raw('To');
  const tag = code > 100 && !TAGGED.test(to) ? `;tag=rs${hashText(`${request.callId}${request.branch}`)}` : '';
  const routes =
    code > 100 && code < 300 ? request.all('Record-Route').map((route) => `Record-Route: ${route}\r\n`) : [];
  const text =
    `SIP/2.0 ${code} ${phrase}\r\n${makeVias(request, source)}${routes.join('')}From: ${request.raw('From')}\r\nTo: ${to}${tag}\r\n` +
    `Call-ID: ${request.callId}\r\nCSeq: ${request.raw('CSeq')}\r\n${lines}Content-Length: 0\r\n\r\n`;
  return Buffer.from(text, 'latin1');
}

/** The ACK of a failure, or the CANCEL, of an INVITE as it was sent. RFC 3261 §17.1.1.3, §9.1. */
export function makeFollowUp(invite: SipMessage, method: 'ACK' | 'CANCEL', to: string, lines: string): Buffer {
  const via = invite.all('Via')[0] ?? '';
  const text =
    `${method} ${invite.target} SIP/2.0\r\nVia: ${via}\r\n${copyLines(invite, 'Route')}Max-Forwards: 70\r\n` +
    `From: ${invite.raw('From')}\r\nTo: ${to}\r\nCall-ID: ${invite.callId}\r\nCSeq: ${invite.cseq} ${method}\r\n` +
    `${lines}Content-Length: 0\r\n\r\n`;
  return Buffer.from(text, 'latin1');
}

const PHRASES: { readonly [code: number]: string } = {
  100: 'Trying',
  200: 'OK',
  400: 'Bad Request',
  408: 'Request Timeout',
  416: 'Unsupported URI Scheme',
  420: 'Bad Extension',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  482: 'Loop Detected',
  483: 'Too Many Hops',
  487: 'Request Terminated',
  503: 'Service Unavailable',
};

export const phraseOf = (code: number): string => PHRASES[code] ?? 'Failure';
