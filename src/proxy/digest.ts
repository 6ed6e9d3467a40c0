import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { parseParameters, splitOutsideQuotes } from '../sip/parameter.ts';
import type { Account } from './accounts.ts';

export type Algorithm = 'SHA-256' | 'MD5';

const ALGORITHMS: readonly Algorithm[] = ['MD5', 'SHA-256'];

const NODE_NAMES: { readonly [algorithm in Algorithm]: string } = { 'SHA-256': 'sha256', 'MD5': 'md5' };
const MAX_NONCES = 50_000;
const MAX_CREDENTIALS = 2000;
const TIME_LENGTH = 9;
const START_LENGTH = TIME_LENGTH + 8;

/** What became of credentials: `stale` asks for the same with a fresh nonce. */
export type Verdict = 'good' | 'stale' | 'wrong' | 'none';

interface Credentials {
  readonly username: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Digest authentication: challenges that nothing need be kept of, and credentials. RFC 8760, RFC 7616. */
export class Digest {
  readonly #secret: string;
  readonly #lifetimeMs: number;
  readonly #algorithms: readonly Algorithm[];
  readonly #counts = new LRUCache<string, number>({ max: MAX_NONCES }); // highest nonce count seen

  constructor(secret: string, lifetimeMs: number, algorithms: readonly Algorithm[]) {
    this.#secret = secret;
    this.#lifetimeMs = lifetimeMs;
    this.#algorithms = algorithms;
  }

  /** Values of the challenge header fields, one for each algorithm that is offered; whoever can do no other is offered that. */
  challenge(realm: string, account: Account | undefined, isStale: boolean, now: number): string[] {
    const nonce = this.#makeNonce(now);
    const stale = isStale ? ', stale=true' : '';
    const offered = this.#algorithms.filter((algorithm) => !account || canCheck(account, algorithm));
    const possible = ALGORITHMS.filter((algorithm) => account && canCheck(account, algorithm));
    const list = offered.length > 0 ? offered : possible;
    // One without any secret is asked as an unknown one is: the answer does not tell which numbers exist.
    return (list.length > 0 ? list : this.#algorithms).map(
      (algorithm) => `Digest realm="${realm}", nonce="${nonce}", algorithm=${algorithm}, qop="auth"${stale}`,
    );
  }

  /** The user name that credentials claim; empty if there are none for the realm. */
  claimedUser(values: readonly string[], realm: string): string {
    return findCredentials(values, realm)?.username ?? '';
  }

  /** Checks the credentials of a request, which stand in its Authorization or Proxy-Authorization fields. */
  check(values: readonly string[], realm: string, method: string, account: Account | undefined, now: number): Verdict {
    const credentials = findCredentials(values, realm);
    if (!credentials) return 'none';
    const algorithm = (credentials.parameters.get('algorithm') ?? 'MD5').toUpperCase() as Algorithm;
    if (!account || !ALGORITHMS.includes(algorithm) || !canCheck(account, algorithm)) return 'wrong';
    const expected = respond(algorithm, method, realm, account, credentials);
    if (!isSame(credentials.parameters.get('response') ?? '', expected)) return 'wrong';
    return this.#isFresh(credentials.parameters, now) ? 'good' : 'stale';
  }

  #isFresh(parameters: ReadonlyMap<string, string>, now: number): boolean {
    const nonce = parameters.get('nonce') ?? '';
    const madeAt = parseInt(nonce.slice(0, TIME_LENGTH), 36);
    if (!(Math.abs(now - madeAt - this.#lifetimeMs / 2) <= this.#lifetimeMs / 2 + 1000)) return false;
    if (!isSame(nonce.slice(START_LENGTH), this.#sign(nonce.slice(0, START_LENGTH)))) return false;
    if (!parameters.has('qop')) return true;
    const key = `${nonce} ${parameters.get('cnonce') ?? ''}`;
    const count = parseInt(parameters.get('nc') ?? '', 16);
    if (!(count > (this.#counts.get(key) ?? 0))) return false; // a replay
    this.#counts.set(key, count);
    return true;
  }

  /** When it was made, a number of its own, and what proves that it is ours. */
  #makeNonce(now: number): string {
    const start = Math.floor(now).toString(36).padStart(TIME_LENGTH, '0') + randomBytes(4).toString('hex');
    return start + this.#sign(start);
  }

  #sign(start: string): string {
    return hash('sha256', `${this.#secret}\nnonce\n${start}`, 'hex').slice(0, 24);
  }
}

function canCheck({ password, ha1 }: Account, algorithm: Algorithm): boolean {
  return password !== undefined || ha1?.length === (algorithm === 'MD5' ? 32 : 64);
}

function findCredentials(values: readonly string[], realm: string): Credentials | undefined {
  for (const value of values) {
    if (!/^digest\s/i.test(value) || value.length > MAX_CREDENTIALS) continue;
    const parameters = parseParameters(splitOutsideQuotes(value.slice(7), ',').join(';'));
    if (parameters.get('realm') === realm) return { username: parameters.get('username') ?? '', parameters };
  }
  return undefined;
}

/** RFC 7616 §3.4.1. */
function respond(
  algorithm: Algorithm,
  method: string,
  realm: string,
  { password, ha1 }: Account,
  { username, parameters }: Credentials,
): string {
  const digest = (text: string): string => hash(NODE_NAMES[algorithm], text, 'hex');
  const get = (name: string): string => parameters.get(name) ?? '';
  const isKnown = ha1?.length === (algorithm === 'MD5' ? 32 : 64);
  const secret = isKnown ? ha1.toLowerCase() : digest(`${username}:${realm}:${password}`);
  const request = digest(`${method}:${get('uri')}`);
  if (!parameters.has('qop')) return digest(`${secret}:${get('nonce')}:${request}`);
  return digest(`${secret}:${get('nonce')}:${get('nc')}:${get('cnonce')}:${get('qop')}:${request}`);
}

function isSame(a: string, b: string): boolean {
  const left = Buffer.from(a.toLowerCase());
  const right = Buffer.from(b.toLowerCase());
  return left.length === right.length && timingSafeEqual(left, right);
}
