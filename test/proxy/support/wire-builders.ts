import { createHash } from 'node:crypto';
import { uriOf, type Received } from './wire-message.ts';

// Texts of requests and responses, made with no code of the project.

/** Where messages say that they come from: `udp` and `ip:port`. */
export interface Sender {
  readonly transport: string;
  readonly at: string;
}

/** What a request says; all else is as usual. */
export interface RequestOptions {
  readonly method?: string;
  /** Request-URI, and the To of all but REGISTER. */
  readonly to: string;
  readonly from?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly branch?: string;
  /** Header lines, without line ends. */
  readonly headers?: readonly string[];
  /** Value of the field; none if it is empty, as for Max-Forwards. */
  readonly contact?: string;
  readonly maxForwards?: number | string;
  readonly body?: string;
}

export interface ResponseOptions {
  readonly toTag?: string;
  readonly headers?: readonly string[];
  readonly contact?: string;
  readonly body?: string;
}

/** A dialog as one side sees it. RFC 3261 §12. */
export interface Dialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly routes: readonly string[];
}

let count = 0;

/** A token that no other has, in this process or one beside it. */
export const unique = (): string => `${process.pid.toString(36)}x${(count++).toString(36)}`;

export const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

/** A line; none for an empty value. */
const line = (name: string, value: string): string[] => (value === '' ? [] : [`${name}: ${value}`]);

function assemble(lines: readonly string[], body = ''): string {
  const type = body.startsWith('SIP/2.0 ') ? 'message/sipfrag' : 'application/sdp';
  const all = [...lines, ...line('Content-Type', body === '' ? '' : type)];
  return `${[...all, `Content-Length: ${Buffer.byteLength(body)}`].join('\r\n')}\r\n\r\n${body}`;
}

const viaOf = ({ transport, at }: Sender, branch = `z9hG4bK${unique()}`): string =>
  `Via: SIP/2.0/${transport.toUpperCase()} ${at};branch=${branch};rport`;

/** The URI at which a phone is reached. */
export const contactUri = ({ at, transport }: Sender, user: string): string =>
  `sip:${user}@${at};transport=${transport === 'wss' ? 'ws' : transport}`;

/** Text of a request of a phone. */
export function makeRequest(phone: Sender, options: RequestOptions): string {
  const { method = 'INVITE', to, from = 'sip:101@acme.example.com', headers = [], maxForwards = 70 } = options;
  const { callId = unique(), cseq = 1, fromTag = 'f1', toTag = '' } = options;
  const lines = [
    `${method} ${to} SIP/2.0`,
    viaOf(phone, options.branch),
    ...line('Max-Forwards', `${maxForwards}`),
    `From: <${from}>;tag=${fromTag}`,
    `To: <${method === 'REGISTER' ? from : to}>${toTag === '' ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    ...line('Contact', options.contact ?? `<${contactUri(phone, /^sips?:([^@]*)@/.exec(from)?.[1] ?? 'x')}>`),
    ...headers,
  ];
  return assemble(lines, options.body ?? (method === 'INVITE' ? SDP : ''));
}

/** Text of the response to a request. */
export function makeResponse(request: Received, code: number, options: ResponseOptions = {}): string {
  const { toTag = 't1', headers = [], contact = '', body } = options;
  const to = request.header('To')!;
  const lines = [
    `SIP/2.0 ${code} Whatever`,
    ...request.headers('Via').map((via) => `Via: ${via}`),
    ...(code > 100 && code < 300 ? request.headers('Record-Route').map((route) => `Record-Route: ${route}`) : []),
    `From: ${request.header('From')!}`,
    `To: ${code === 100 || to.includes(';tag=') ? to : `${to};tag=${toTag}`}`,
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.header('CSeq')!}`,
    ...line('Contact', contact),
    ...headers,
  ];
  return assemble(lines, body);
}

/** The dialog of the caller, from the 2xx; route set in reverse. */
export const callerDialog = (response: Received): Dialog => ({
  callId: response.callId,
  local: response.header('From')!,
  remote: response.header('To')!,
  target: uriOf(response.header('Contact')!),
  routes: response.headers('Record-Route').toReversed(),
});

/** The dialog of the called side, from the INVITE. */
export const calledDialog = (invite: Received, toTag = 't1'): Dialog => ({
  callId: invite.callId,
  local: `${invite.header('To')!};tag=${toTag}`,
  remote: invite.header('From')!,
  target: uriOf(invite.header('Contact')!),
  routes: invite.headers('Record-Route'),
});

/** Text of a request within a dialog. */
export function makeInDialog(
  phone: Sender,
  dialog: Dialog,
  method: string,
  cseq: number,
  headers: readonly string[] = [],
  body = '',
): string {
  const lines = [
    `${method} ${dialog.target} SIP/2.0`,
    viaOf(phone),
    ...dialog.routes.map((route) => `Route: ${route}`),
    'Max-Forwards: 70',
    `From: ${dialog.local}`,
    `To: ${dialog.remote}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <${contactUri(phone, 'x')}>`,
    ...headers,
  ];
  return assemble(lines, body);
}

/** The ACK of a failure, or the CANCEL: of the INVITE's own transaction. RFC 3261 §17.1.1.3, §9.1. */
export function makeFollowUp(method: 'ACK' | 'CANCEL', invite: Received, to = invite.header('To')!): string {
  return assemble([
    `${method} ${invite.uri} SIP/2.0`,
    `Via: ${invite.headers('Via')[0]!}`,
    ...invite.headers('Route').map((route) => `Route: ${route}`),
    'Max-Forwards: 70',
    `From: ${invite.header('From')!}`,
    `To: ${to}`,
    `Call-ID: ${invite.callId}`,
    `CSeq: ${invite.cseq} ${method}`,
  ]);
}
