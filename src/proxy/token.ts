import { hash } from 'node:crypto';
import type { Address, Transport } from '../sip/observation.ts';

/** A way back to a peer: over UDP its address, else the connection it opened. */
export interface Flow {
  readonly transport: Transport;
  readonly remote: Address;
  /** Account of the phone that registered over the connection: it may have come by another one since. */
  readonly account?: string;
}

const LETTERS: { readonly [letter: string]: Transport } = { u: 'udp', t: 'tcp', s: 'tls', w: 'ws', x: 'wss' };
const letterOf = new Map(Object.entries(LETTERS).map(([letter, transport]) => [transport, letter]));

const SIGNATURE_LENGTH = 8;
const MAX_TOKEN = 1000;

/** The flow as short text without blanks: `u192.0.2.1:5060`, `w192.0.2.1:41234#102%40acme.example.com`. */
export const formatFlow = ({ transport, remote, account }: Flow): string =>
  `${letterOf.get(transport) ?? 'u'}${remote.ip}:${remote.port}${account === undefined ? '' : `#${encodeURIComponent(account)}`}`;

/** Reads what `formatFlow` wrote; undefined if it is nothing of that kind. */
export function parseFlow(text: string): Flow | undefined {
  const transport = LETTERS[text[0] ?? ''];
  const [place = '', account] = text.split('#');
  const colon = place.lastIndexOf(':');
  const port = Number(place.slice(colon + 1));
  if (!transport || colon < 2 || !(port > 0 && port < 65_536)) return undefined;
  const flow = { transport, remote: { ip: place.slice(1, colon), port } };
  return account === undefined ? flow : { ...flow, account: decodeURIComponent(account) };
}

/**
 * Seals what comes back in routes and contacts, so that a restart loses nothing and nobody else can make it up: an in-dialog
 * request is relayed only along a route that we recorded for its Call-ID. RFC 5626 §5.2.
 */
export class Tokens {
  readonly #secret: string;

  /** `secret` must outlast restarts. */
  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Seals text for a purpose (a Call-ID, or a word); letters, digits, `-` and `_`. */
  seal(purpose: string, text: string): string {
    const encoded = text === '' ? '' : Buffer.from(text, 'latin1').toString('base64url');
    return this.#sign(purpose, encoded) + encoded;
  }

  /** What was sealed for that purpose; undefined if it was not. */
  open(purpose: string, token: string): string | undefined {
    if (token.length < SIGNATURE_LENGTH || token.length > MAX_TOKEN) return undefined;
    const encoded = token.slice(SIGNATURE_LENGTH);
    if (this.#sign(purpose, encoded) !== token.slice(0, SIGNATURE_LENGTH)) return undefined;
    return encoded === '' ? '' : Buffer.from(encoded, 'base64url').toString('latin1');
  }

  #sign(purpose: string, encoded: string): string {
    return hash('sha256', `${this.#secret}\n${purpose.length}\n${purpose}\n${encoded}`, 'base64url').slice(
      0,
      SIGNATURE_LENGTH,
    );
  }
}
