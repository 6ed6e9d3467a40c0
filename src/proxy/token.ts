import { hash } from 'node:crypto';
import type { Address, Transport } from '../sip/observation.ts';

/** A way back to a peer: over UDP its address, else the connection it opened. */
export interface Flow {
  readonly transport: Transport;
  readonly remote: Address;
  /** Our UDP socket, where there are several: NAT lets in what comes from there alone. */
  readonly local?: Address;
  /** Account of the phone that registered over the connection: it may have come by another one since. */
  readonly account?: string;
}

/** Over UDP a phone is where it is: two of one account may even write the same Contact, behind NATs of their own. */
export const withAccount = (flow: Flow, account: string | undefined): Flow =>
  flow.transport === 'udp' || account === undefined ? flow : { ...flow, account };

const LETTERS: { readonly [letter: string]: Transport } = { u: 'udp', t: 'tcp', s: 'tls', w: 'ws', x: 'wss' };
const letterOf = new Map(Object.entries(LETTERS).map(([letter, transport]) => [transport, letter]));

const SIGNATURE_LENGTH = 8;
const MAX_TOKEN = 1000;

const formatPlace = (sign: string, place: Address | undefined): string =>
  place ? `${sign}${place.ip}:${place.port}` : '';

/** The flow as short text without blanks: `u192.0.2.1:5060|10.0.0.1:5060`, `w192.0.2.1:41234#102%40acme.example.com`. */
export const formatFlow = ({ transport, remote, local, account }: Flow): string =>
  formatPlace(letterOf.get(transport) ?? 'u', remote) +
  formatPlace('|', local) +
  (account === undefined ? '' : `#${encodeURIComponent(account)}`);

const FLOW = /^([a-z])([^|#]+):(\d{1,5})(?:\|([^|#]+):(\d{1,5}))?(?:#(.*))?$/;

/** Reads what `formatFlow` wrote; undefined if it is nothing of that kind. */
export function parseFlow(text: string): Flow | undefined {
  const [, letter = '', ip = '', port, localIp, localPort, account] = FLOW.exec(text) ?? [];
  const transport = LETTERS[letter];
  if (!transport || !(Number(port) > 0 && Number(port) < 65_536)) return undefined;
  return {
    transport,
    remote: { ip, port: Number(port) },
    ...(localIp === undefined ? {} : { local: { ip: localIp, port: Number(localPort) } }),
    ...(account === undefined ? {} : { account: decodeURIComponent(account) }),
  };
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
