import { NO_CAUSE, readCause } from '../calls/cause.ts';
import { parseDialogName } from '../calls/dialog-name.ts';
import { readIdentity } from '../calls/invitation.ts';
import { readReferTo } from '../calls/refer-to.ts';
import type { SipMessage } from '../sip/message.ts';
import { readAddressUri } from '../sip/name-addr.ts';
import { attempt } from '../sip/parse-error.ts';
import { detach } from '../sip/text.ts';
import { parseUri, userNumber } from '../sip/uri.ts';

const MAX_TEXT = 60;

/** What a SIP message says, as far as a ladder shows it. */
export interface MessageText {
  /** Of the response's request, too. */
  readonly method: string;
  /** 0 for a request. */
  readonly statusCode: number;
  /** `INVITE 102`, `180 Ringing`, `200 OK (BYE)`. */
  readonly text: string;
  /** Within a dialog. */
  readonly isInDialog: boolean;
  /** Whom a REFER, or the contact of a 3xx, asks to call; empty if nobody. */
  readonly target: string;
  /** Call-ID of the dialog that a Replaces names; empty without. */
  readonly replaces: string;
  /** Whom an UPDATE or a re-INVITE says its receiver is connected to; empty where it does not tell. */
  readonly connected: string;
  /** Causes of its Reason, 0 where it has none. */
  readonly q850: number;
  readonly sipCause: number;
}

/** Reads what the ladder shows, without what can't be read; none of it keeps the message's bytes. @throws SipParseError */
export function readMessageText(message: SipMessage): MessageText {
  const { statusCode } = message;
  const method = detach(message.method.slice(0, MAX_TEXT));
  const isInDialog = message.toTag !== '';
  const cause = attempt(() => readCause(message)) ?? NO_CAUSE;
  const isUpdate = isInDialog && message.isRequest && (method === 'UPDATE' || method === 'INVITE');
  return {
    method,
    statusCode,
    isInDialog,
    text: message.isRequest ? writeRequest(message, method) : writeResponse(message, method),
    target: attempt(() => readTarget(message, method)) ?? '',
    replaces: attempt(() => readReplaces(message, method)) ?? '',
    connected: (isUpdate && attempt(() => readUser(readIdentity(message)))) || '',
    q850: cause.q850,
    sipCause: cause.sip,
  };
}

function writeRequest(message: SipMessage, method: string): string {
  if (method !== 'INVITE') return method;
  if (message.toTag !== '') return 're-INVITE';
  const uri = attempt(() => parseUri(message.requestUri));
  return `INVITE ${uri ? userNumber(uri) : ''}`.slice(0, MAX_TEXT).trim();
}

function writeResponse({ statusCode, reasonPhrase }: SipMessage, method: string): string {
  const text = `${statusCode} ${reasonPhrase}`.trim().slice(0, MAX_TEXT);
  return method === 'INVITE' ? text : `${text} (${method})`;
}

function readTarget(message: SipMessage, method: string): string {
  if (message.isRequest && method === 'REFER') {
    const target = readReferTo(message);
    return target ? userNumber(target.uri).slice(0, MAX_TEXT) || target.uri.host : '';
  }
  if (message.statusCode < 300 || message.statusCode >= 400) return '';
  return readUser(message.values('Contact')[0]);
}

function readReplaces(message: SipMessage, method: string): string {
  if (!message.isRequest) return '';
  if (method === 'REFER') return readReferTo(message)?.replaces?.callId ?? '';
  return message.has('Replaces') ? (parseDialogName(message.text('Replaces')!)?.callId ?? '') : '';
}

function readUser(value: string | undefined): string {
  const uri = readAddressUri(value);
  return uri ? userNumber(uri).slice(0, MAX_TEXT) : '';
}
