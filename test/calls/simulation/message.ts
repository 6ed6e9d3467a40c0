import type { Address } from '../../../src/sip/observation.ts';

/** A SIP message as its sender means it. */
export interface Message {
  /** Of a response: that of its request. */
  readonly method: string;
  /** 0 for a request. */
  readonly status: number;
  readonly phrase: string;
  readonly uri: string;
  readonly branch: string;
  readonly sentBy: Address;
  readonly from: string;
  readonly fromTag: string;
  readonly to: string;
  readonly toTag: string;
  readonly callId: string;
  readonly cseq: number;
  readonly headers: readonly string[];
  readonly body: string;
}

const PHRASES: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  181: 'Call Is Being Forwarded',
  200: 'OK',
  202: 'Accepted',
  302: 'Moved Temporarily',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  503: 'Service Unavailable',
  603: 'Decline',
};

/** The answer to a request. RFC 3261 §8.2.6. */
export function respond(
  request: Message,
  status: number,
  toTag: string,
  headers: readonly string[] = [],
  body = '',
): Message {
  return { ...request, status, phrase: PHRASES[status] ?? 'Unknown', toTag: request.toTag || toTag, headers, body };
}

const tagged = (address: string, tag: string): string => (tag === '' ? address : `${address};tag=${tag}`);

/** The message as it is on the wire. */
export function write(message: Message): Buffer {
  const { method, status, phrase, uri, branch, sentBy, headers, body } = message;
  const lines = [
    status > 0 ? `SIP/2.0 ${status} ${phrase}` : `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${sentBy.ip}:${sentBy.port};branch=${branch}`,
    ...(status > 0 ? [] : ['Max-Forwards: 70']),
    `From: ${tagged(message.from, message.fromTag)}`,
    `To: ${tagged(message.to, message.toTag)}`,
    `Call-ID: ${message.callId}`,
    `CSeq: ${message.cseq} ${method}`,
    ...headers,
    ...(body === '' ? [] : [`Content-Type: ${body.startsWith('v=') ? 'application/sdp' : 'message/sipfrag'}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** A short session description. RFC 4566. */
export const describeSession = (ip: string, isHeld = false): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${ip}`,
    's=-',
    `c=IN IP4 ${ip}`,
    't=0 0',
    'm=audio 4000 RTP/AVP 0',
    isHeld ? 'a=sendonly' : 'a=sendrecv',
    '',
  ].join('\r\n');
