import type { Address } from './observation.ts';
import { parseParameters } from './parameter.ts';
import { SipParseError } from './parse-error.ts';
import { unescapePercent } from './text.ts';

/**
 * A URI as SIP uses it. `user` is unescaped and, of a tel URI, the number without visual separators; `host` is in lower
 * case, IPv6 without brackets, empty for tel and other schemes; `port` is undefined where none is written.
 */
export interface SipUri {
  readonly scheme: string;
  readonly user: string;
  readonly password: string;
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  /** What stands behind `?`, as written. */
  readonly headers: string;
}

const SCHEME = /^([a-z][a-z0-9+.-]*):/i;

/**
 * Reads a sip, sips or tel URI; of other schemes only the name is told.
 *
 * @throws SipParseError RFC 3261 §19.1.1, RFC 3966 §3.
 */
export function parseUri(text: string): SipUri {
  const scheme = text.startsWith('sip:') ? 'sip' : SCHEME.exec(text)?.[1]?.toLowerCase();
  if (scheme === undefined) throw new SipParseError('URI without a scheme', 0);
  const rest = text.slice(scheme.length + 1);
  if (scheme === 'sip' || scheme === 'sips') return parseSipUri(scheme, rest);
  if (scheme === 'tel') return parseTelUri(rest);
  return { scheme, user: '', password: '', host: '', port: undefined, parameters: new Map(), headers: '' };
}

function parseSipUri(scheme: string, rest: string): SipUri {
  const at = rest.indexOf('@');
  const { user, password } = parseUserinfo(at < 0 ? '' : rest.slice(0, at));
  const behind = rest.slice(at + 1);
  const question = behind.indexOf('?');
  const place = question < 0 ? behind : behind.slice(0, question);
  const semicolon = place.indexOf(';');
  const { host, port } = parseHostPort(semicolon < 0 ? place : place.slice(0, semicolon));
  const parameters = parseParameters(semicolon < 0 ? '' : place.slice(semicolon + 1));
  return { scheme, user, password, host, port, parameters, headers: question < 0 ? '' : behind.slice(question + 1) };
}

function parseUserinfo(text: string): { user: string; password: string } {
  const colon = text.indexOf(':');
  if (colon < 0) return { user: unescapePercent(text), password: '' };
  return { user: unescapePercent(text.slice(0, colon)), password: unescapePercent(text.slice(colon + 1)) };
}

const HOST_PORT = /^(\[[^\]\s]*\]|[^:\s[\]@<>"]+)(?::(\d{1,5})?)?$/;

const BARE_IPV6 = /^[0-9a-f.]*:[0-9a-f.]*:[0-9a-f:.]*$/i;

/** Reads `host`, `host:port`, `[v6]`, `[v6]:port` or, as some devices write it, a bare v6. @throws SipParseError RFC 3261 §25.1. */
export function parseHostPort(text: string): { host: string; port: number | undefined } {
  const trimmed = text.trim();
  const match = HOST_PORT.exec(trimmed);
  if (!match && BARE_IPV6.test(trimmed)) return { host: trimmed.toLowerCase(), port: undefined };
  if (!match) throw new SipParseError(`host and port expected, found "${text.slice(0, 60)}"`, 0);
  const place = match[1]!.toLowerCase();
  const host = place.startsWith('[') ? place.slice(1, -1) : place;
  const port = match[2] === undefined ? undefined : Number(match[2]);
  if (port !== undefined && port > 65535) throw new SipParseError(`port ${port} is above 65535`, 0);
  return { host, port };
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`. RFC 3261 §25.1. */
export const formatHostPort = ({ ip, port }: Address): string =>
  ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;

function parseTelUri(rest: string): SipUri {
  const semicolon = rest.indexOf(';');
  const number = unescapePercent(semicolon < 0 ? rest : rest.slice(0, semicolon)).replace(/[-.()\s]/g, '');
  const parameters = parseParameters(semicolon < 0 ? '' : rest.slice(semicolon + 1));
  return { scheme: 'tel', user: number, password: '', host: '', port: undefined, parameters, headers: '' };
}

/** The user part without parameters of its own (`+1555;phone-context=…`). RFC 3261 §19.1.6. */
export function userNumber(uri: SipUri): string {
  const semicolon = uri.user.indexOf(';');
  return semicolon < 0 ? uri.user : uri.user.slice(0, semicolon);
}

/** The address of record that a URI names: `user@host`. RFC 3261 §6. */
export const formatAor = (uri: SipUri): string => `${userNumber(uri)}@${uri.host}`;

/** What stands before the parameters of a sip URI, as it is written: `sip:user@host:port`. */
export function placeOf(uri: string): string {
  const end = uri.slice(uri.indexOf('@') + 1).search(/[;?]/);
  return end < 0 ? uri : uri.slice(0, uri.indexOf('@') + 1 + end);
}

// eslint-disable-next-line no-control-regex
const NO_URI = /[\x00-\x20\x7f<>]/;

/** Whether text can stand in a start line: what has blanks, line ends or brackets would make another. @throws SipParseError */
export function checkUri(text: string): void {
  if (NO_URI.test(text)) throw new SipParseError('URI with blanks or brackets', 0);
}
