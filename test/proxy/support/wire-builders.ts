import { createHash } from 'node:crypto';
import { readWire, uriOf, type Received } from './wire-message.ts';

/** Where messages say that they come from. */
export interface Sender {
  readonly transport: string;
  readonly ip: string;
  readonly port: number;
}

export interface ContentOptions {
  /** Whole lines: `Supported: path`. */
  readonly headers?: readonly string[];
  readonly body?: string;
  readonly contentType?: string;
}

export interface RequestOptions extends ContentOptions {
  readonly phone: Sender;
  /** Request-URI. */
  readonly uri: string;
  /** URIs, or whole values with a display name; the To is the Request-URI unless given. */
  readonly from?: string;
  readonly to?: string;
  readonly fromTag?: string;
  readonly toTag?: string;
  readonly callId?: string;
  readonly cseq?: number;
  readonly branch?: string;
  /** Value of the field; none for false. */
  readonly contact?: string | false;
  /** Route values in order. */
  readonly route?: readonly string[];
  readonly maxForwards?: number;
  /** The whole Via value, if it is to be another. */
  readonly via?: string;
}

export interface ResponseOptions extends ContentOptions {
  readonly reason?: string;
  readonly toTag?: string;
  readonly contact?: string;
}

/** What both ends of a call know, as one of them sees it. */
export interface WireDialog {
  readonly phone: Sender;
  readonly callId: string;
  /** From and To of requests this end sends. */
  readonly local: string;
  readonly remote: string;
  /** CSeq of the last request this end sent. */
  readonly cseq: number;
  readonly target: string;
  readonly route: readonly string[];
}

const REASONS: Readonly<Record<number, string>> = {
  100: 'Trying',
  180: 'Ringing',
  183: 'Session Progress',
  200: 'OK',
  202: 'Accepted',
  302: 'Moved Temporarily',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  407: 'Proxy Authentication Required',
  408: 'Request Timeout',
  480: 'Temporarily Unavailable',
  481: 'Call/Transaction Does Not Exist',
  486: 'Busy Here',
  487: 'Request Terminated',
  488: 'Not Acceptable Here',
  491: 'Request Pending',
  500: 'Server Internal Error',
  503: 'Service Unavailable',
  600: 'Busy Everywhere',
  603: 'Decline',
};

let count = 0;

/** A token that no other has, in this process or one beside it. */
export const unique = (prefix: string): string => `${prefix}${process.pid.toString(36)}x${(++count).toString(36)}`;

export const hash = (algorithm: string, text: string): string => createHash(algorithm).update(text).digest('hex');

const address = (value: string): string => (value.includes('<') ? value : `<${value}>`);

const withTag = (value: string, tag: string | undefined): string => {
  if (tag === undefined || /;\s*tag=/i.test(value)) return address(value);
  return `${address(value)};tag=${tag}`;
};

const uriParameter = ({ transport }: Sender): string => {
  if (transport === 'udp') return '';
  return `;transport=${transport === 'wss' ? 'ws' : transport}`;
};

/** The URI at which a phone is reached. */
export const contactUri = (phone: Sender, user = 'phone'): string =>
  `sip:${user}@${phone.ip}:${phone.port}${uriParameter(phone)}`;

export const makeSdp = (ip: string, port = 40_000): string =>
  `v=0\r\no=- 1 1 IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 0 8\r\n`;

function assemble(
  lines: readonly (string | false)[],
  { headers = [], body = '', contentType }: ContentOptions,
): string {
  const type = body !== '' && `Content-Type: ${contentType ?? 'application/sdp'}`;
  const all = [...lines, ...headers, type, `Content-Length: ${Buffer.byteLength(body)}`];
  return `${all.filter((line) => line !== false).join('\r\n')}\r\n\r\n${body}`;
}

const viaOf = ({ transport, ip, port }: Sender, branch = unique('z9hG4bK')): string =>
  `SIP/2.0/${transport.toUpperCase()} ${ip}:${port};rport;branch=${branch}`;

/** A request out of nothing; the unique parts that are not given are new ones. */
export function makeRequest(method: string, options: RequestOptions): string {
  const { phone, uri, cseq = 1, route = [] } = options;
  const from = options.from ?? `sip:phone@${phone.ip}:${phone.port}`;
  const user = /sips?:([^@;>]+)@/.exec(from)?.[1] ?? 'phone';
  const contact = options.contact ?? `<${contactUri(phone, user)}>`;
  const lines = [
    `${method} ${uri} SIP/2.0`,
    `Via: ${options.via ?? viaOf(phone, options.branch)}`,
    `Max-Forwards: ${options.maxForwards ?? 70}`,
    ...route.map((value) => `Route: ${value}`),
    `From: ${withTag(from, options.fromTag ?? unique('f'))}`,
    `To: ${withTag(options.to ?? uri, options.toTag)}`,
    `Call-ID: ${options.callId ?? unique('call-')}`,
    `CSeq: ${cseq} ${method}`,
    contact !== false && `Contact: ${contact}`,
  ];
  return assemble(lines, options);
}

/** An INVITE, with an offer unless it has another body. */
export function makeInvite(options: RequestOptions): string {
  return makeRequest('INVITE', { body: makeSdp(options.phone.ip), ...options });
}

/** A REGISTER of a user at a domain, both told by the address of record. */
export function makeRegister(aor: string, options: Omit<RequestOptions, 'uri'>): string {
  return makeRequest('REGISTER', { uri: aor.replace(/:[^@:]*@/, ':'), from: aor, to: aor, ...options });
}

/** All responses to one request carry one tag; the branches of a fork have one each. */
function tagFor(request: Received): string {
  return `t${hash('md5', [request.callId, request.fromTag, request.branch].join()).slice(0, 10)}`;
}

/** A response to a request, with what a response copies from it. */
export function makeResponse(message: string | Received, code: number, options: ResponseOptions = {}): string {
  const request = readWire(message);
  const tag = options.toTag ?? (code > 100 ? tagFor(request) : undefined);
  const lines = [
    `SIP/2.0 ${code} ${options.reason ?? REASONS[code] ?? 'Whatever'}`,
    ...request.headers('Via').map((value) => `Via: ${value}`),
    ...request.headers('Record-Route').map((value) => `Record-Route: ${value}`),
    `From: ${request.header('From')}`,
    `To: ${request.toTag === undefined ? withTag(request.header('To') ?? '', tag) : request.header('To')}`,
    `Call-ID: ${request.callId}`,
    `CSeq: ${request.header('CSeq')}`,
    options.contact !== undefined && `Contact: ${address(options.contact)}`,
  ];
  return assemble(lines, options);
}

/** The dialog as the caller sees it, from its INVITE and a response to it. */
export function callerDialog(phone: Sender, invite: string | Received, answer: string | Received): WireDialog {
  const [request, response] = [readWire(invite), readWire(answer)];
  return {
    phone,
    callId: request.callId,
    local: response.header('From') ?? '',
    remote: response.header('To') ?? '',
    cseq: request.cseq,
    target: response.contactUri ?? request.uri,
    route: response.headers('Record-Route').reverse(),
  };
}

/** The dialog as the called one sees it, from the INVITE that came and the response that it sent. */
export function calleeDialog(phone: Sender, invite: string | Received, answer: string | Received): WireDialog {
  const [request, response] = [readWire(invite), readWire(answer)];
  return {
    phone,
    callId: request.callId,
    local: response.header('To') ?? '',
    remote: response.header('From') ?? '',
    cseq: 0,
    target: request.contactUri ?? uriOf(request.header('From') ?? ''),
    route: request.headers('Record-Route'),
  };
}

/** A request within a dialog, with the next CSeq unless one is given. */
export function makeWithin(method: string, dialog: WireDialog, options: Partial<RequestOptions> = {}): string {
  const { phone, callId, local, remote, target, route } = dialog;
  const place = { phone, uri: target, from: local, to: remote, callId, cseq: dialog.cseq + 1, route };
  return makeRequest(method, { contact: false, ...place, ...options });
}

export const makeBye = (dialog: WireDialog, options: Partial<RequestOptions> = {}): string =>
  makeWithin('BYE', dialog, options);

/** The ACK for a final response: of the dialog for an answered INVITE, else of the INVITE's own transaction. */
export function makeAck(
  phone: Sender,
  message: string | Received,
  answer: string | Received,
  options: Partial<RequestOptions> = {},
): string {
  const [invite, response] = [readWire(message), readWire(answer)];
  if (response.code < 300) {
    const { cseq, ...dialog } = callerDialog(phone, invite, response);
    return makeWithin('ACK', { ...dialog, cseq: cseq - 1 }, options);
  }
  return sameTransaction('ACK', phone, invite, response.header('To'), options);
}

/** The CANCEL of an INVITE. */
export function makeCancel(phone: Sender, invite: string | Received, options: Partial<RequestOptions> = {}): string {
  return sameTransaction('CANCEL', phone, readWire(invite), undefined, options);
}

function sameTransaction(
  method: string,
  phone: Sender,
  invite: Received,
  to: string | undefined,
  options: Partial<RequestOptions>,
): string {
  const [via = ''] = invite.headers('Via');
  const { uri, callId, cseq } = invite;
  const parties = { from: invite.header('From') ?? '', to: to ?? invite.header('To') ?? '' };
  const route = invite.headers('Route');
  return makeRequest(method, { phone, uri, via, callId, cseq, route, ...parties, contact: false, ...options });
}
