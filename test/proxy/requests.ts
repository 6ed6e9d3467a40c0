import { unique } from './phones.ts';
import type { Received, WirePhone } from './support/wire-phone.ts';

/** What a request says; all else is as usual. */
export interface RequestOptions {
  readonly method?: string;
  readonly to: string;
  readonly from?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly branch?: string;
  /** Header lines, without line ends. */
  readonly headers?: readonly string[];
  readonly contact?: string;
  readonly maxForwards?: number | string;
  readonly body?: string;
}

export const SDP =
  'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n';

const contactOf = (phone: WirePhone, from: string): string =>
  `<sip:${/^sips?:([^@]*)@/.exec(from)?.[1] ?? 'x'}@${phone.at};transport=${phone.transport}>`;

/** Text of a request of a phone. */
export function makeRequest(phone: WirePhone, options: RequestOptions): string {
  const { method = 'INVITE', to, from = 'sip:101@acme.example.com', headers = [], maxForwards = 70 } = options;
  const { callId = unique(), cseq = 1, fromTag = 'f1', toTag = '', branch = `z9hG4bK${unique()}` } = options;
  const body = options.body ?? (method === 'INVITE' ? SDP : '');
  const contact = options.contact ?? contactOf(phone, from);
  const line = (name: string, value: string): string[] => (value === '' ? [] : [`${name}: ${value}`]);
  const lines = [
    `${method} ${to} SIP/2.0`,
    `Via: SIP/2.0/${phone.transport.toUpperCase()} ${phone.at};branch=${branch};rport`,
    ...line('Max-Forwards', `${maxForwards}`),
    `From: <${from}>;tag=${fromTag}`,
    `To: <${method === 'REGISTER' ? from : to}>${toTag === '' ? '' : `;tag=${toTag}`}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq} ${method}`,
    ...line('Contact', contact),
    ...headers,
    ...line('Content-Type', body === '' ? '' : 'application/sdp'),
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

export interface ResponseOptions {
  readonly toTag?: string;
  readonly phrase?: string;
  readonly headers?: readonly string[];
  readonly contact?: string;
  readonly body?: string;
}

/** Text of the response to a request. */
export function makeResponse(request: Received, code: number, options: ResponseOptions = {}): string {
  const { toTag = 't1', phrase = 'Whatever', headers = [], contact = '', body = '' } = options;
  const to = request.header('To')!;
  const lines = [
    `SIP/2.0 ${code} ${phrase}`,
    ...request.headers('Via').map((via) => `Via: ${via}`),
    ...(code > 100 && code < 300 ? request.headers('Record-Route').map((route) => `Record-Route: ${route}`) : []),
    `From: ${request.header('From')!}`,
    `To: ${code === 100 || to.includes(';tag=') ? to : `${to};tag=${toTag}`}`,
    `Call-ID: ${request.header('Call-ID')!}`,
    `CSeq: ${request.header('CSeq')!}`,
    ...(contact === '' ? [] : [`Contact: ${contact}`]),
    ...headers,
    `Content-Length: ${body.length}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** A dialog as one side sees it. RFC 3261 §12. */
export interface Dialog {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly target: string;
  readonly routes: readonly string[];
}

const uriOf = (value: string): string => /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0]!;

/** The dialog of the caller, from the 2xx; route set in reverse. */
export const callerDialog = (response: Received): Dialog => ({
  callId: response.header('Call-ID')!,
  local: response.header('From')!,
  remote: response.header('To')!,
  target: uriOf(response.header('Contact')!),
  routes: response.headers('Record-Route').toReversed(),
});

/** The dialog of the called side, from the INVITE. */
export const calledDialog = (invite: Received, toTag = 't1'): Dialog => ({
  callId: invite.header('Call-ID')!,
  local: `${invite.header('To')!};tag=${toTag}`,
  remote: invite.header('From')!,
  target: uriOf(invite.header('Contact')!),
  routes: invite.headers('Record-Route'),
});

/** Text of a request within a dialog. */
export function makeInDialog(
  phone: WirePhone,
  dialog: Dialog,
  method: string,
  cseq: number,
  headers: readonly string[] = [],
): string {
  const lines = [
    `${method} ${dialog.target} SIP/2.0`,
    `Via: SIP/2.0/${phone.transport.toUpperCase()} ${phone.at};branch=z9hG4bK${unique()};rport`,
    ...dialog.routes.map((route) => `Route: ${route}`),
    'Max-Forwards: 70',
    `From: ${dialog.local}`,
    `To: ${dialog.remote}`,
    `Call-ID: ${dialog.callId}`,
    `CSeq: ${cseq} ${method}`,
    `Contact: <sip:x@${phone.at};transport=${phone.transport}>`,
    ...headers,
    'Content-Length: 0',
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
