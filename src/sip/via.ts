import { parseParameters } from './parameter.ts';
import { SipParseError } from './parse-error.ts';
import { parseHostPort } from './uri.ts';

/** One hop of the response's way back. `transport` as written in upper case; `host` lower case, IPv6 without brackets. */
export interface Via {
  readonly transport: string;
  readonly host: string;
  readonly port: number | undefined;
  /** Names in lower case: branch, received, rport, maddr, ttl, … */
  readonly parameters: ReadonlyMap<string, string>;
}

const SENT_PROTOCOL = /^\s*SIP\s*\/\s*2\.0\s*\/\s*([^\s;]+)\s+/i;

/** Reads one Via value. @throws SipParseError RFC 3261 §20.42. */
export function parseVia(text: string): Via {
  const protocol = SENT_PROTOCOL.exec(text);
  if (!protocol) throw new SipParseError('Via without SIP/2.0/transport', 0);
  const rest = text.slice(protocol[0].length);
  const semicolon = rest.indexOf(';');
  const { host, port } = parseHostPort((semicolon < 0 ? rest : rest.slice(0, semicolon)).replace(/\s*:\s*/g, ':'));
  const parameters = parseParameters(semicolon < 0 ? '' : rest.slice(semicolon + 1));
  return { transport: protocol[1]!.toUpperCase(), host, port, parameters };
}
