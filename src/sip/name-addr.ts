import { closeQuote, parseParameters } from './parameter.ts';
import { SipParseError } from './parse-error.ts';
import { unquote } from './text.ts';

/** A From, To, Contact or like value: name and URI as text, header parameters by name in lower case. */
export interface NameAddr {
  /** Unquoted; empty if there is none. */
  readonly displayName: string;
  readonly uri: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * Reads one name-addr or addr-spec. Without angle brackets, parameters belong to the header field, not to the URI.
 *
 * @throws SipParseError RFC 3261 §20.10.
 */
export function parseNameAddr(text: string): NameAddr {
  const trimmed = text.trim();
  const nameEnd = trimmed.startsWith('"') ? closeQuote(trimmed, 0) : 0;
  const open = trimmed.indexOf('<', nameEnd);
  if (open < 0) return parseAddrSpec(trimmed, nameEnd);
  const close = trimmed.indexOf('>', open);
  if (close < 0) throw new SipParseError('"<" without ">"', open);
  const displayName = unquote(trimmed.slice(0, open).trim());
  const uri = trimmed.slice(open + 1, close).trim();
  return { displayName, uri, parameters: parseParameters(trimmed.slice(close + 1)) };
}

function parseAddrSpec(text: string, nameEnd: number): NameAddr {
  if (nameEnd > 0) throw new SipParseError('display name without a URI in angle brackets', nameEnd);
  const semicolon = text.indexOf(';');
  const uri = semicolon < 0 ? text : text.slice(0, semicolon).trim();
  return { displayName: '', uri, parameters: parseParameters(semicolon < 0 ? '' : text.slice(semicolon + 1)) };
}
