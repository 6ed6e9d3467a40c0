import { closeQuote, parseParameters } from './parameter.ts';
import { attempt, SipParseError } from './parse-error.ts';
import { unquote } from './text.ts';
import { parseUri, type SipUri } from './uri.ts';

/** A From, To, Contact or like value: name and URI as text. */
export class NameAddr {
  /** Unquoted; empty if there is none. */
  readonly displayName: string;
  readonly uri: string;
  readonly #parameterText: string;

  constructor(displayName: string, uri: string, parameterText: string) {
    this.displayName = displayName;
    this.uri = uri;
    this.#parameterText = parameterText;
  }

  /** Header parameters by name in lower case; read anew each time. */
  get parameters(): ReadonlyMap<string, string> {
    return parseParameters(this.#parameterText);
  }
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
  const displayName = open === 0 ? '' : unquote(trimmed.slice(0, open).trim());
  return new NameAddr(displayName, trimmed.slice(open + 1, close).trim(), trimmed.slice(close + 1));
}

function parseAddrSpec(text: string, nameEnd: number): NameAddr {
  if (nameEnd > 0) throw new SipParseError('display name without a URI in angle brackets', nameEnd);
  const semicolon = text.indexOf(';');
  if (semicolon < 0) return new NameAddr('', text, '');
  return new NameAddr('', text.slice(0, semicolon).trim(), text.slice(semicolon + 1));
}

/** The URI of a name-addr or addr-spec; undefined where there is none, or it can't be read. */
export const readAddressUri = (text: string | undefined): SipUri | undefined =>
  text === undefined ? undefined : attempt(() => parseUri(parseNameAddr(text).uri));
