import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { parseParameters, splitOutsideQuotes } from '../sip/parameter.ts';
import { parseUri, type SipUri, userNumber } from '../sip/uri.ts';
import type { Account } from './accounts.ts';
import { type Inbound, reply, type Reply } from './decision.ts';

export type Algorithm = 'SHA-256' | 'MD5';

const ALGORITHMS: readonly Algorithm[] = ['MD5', 'SHA-256'];

const NODE_NAMES: { readonly [algorithm in Algorithm]: string } = { 'SHA-256': 'sha256', 'MD5': 'md5' };
const MAX_NONCES = 50_000;
const MAX_CREDENTIALS = 2000;
const TIME_LENGTH = 9;
const START_LENGTH = TIME_LENGTH + 8;

/** Who asks a request for credentials, and where they stand. */
export interface Asking {
  readonly as: 'registrar' | 'proxy';
  readonly realm: string;
  /** The account that a user name of the credentials means. */
  readonly find: (user: string) => Account | undefined;
  /** The account that a challenge is for: it is asked for what it can answer. */
  readonly asked: Account | undefined;
}

const FIELDS = {
  registrar: { has: 'Authorization', code: 401, phrase: 'Unauthorized', asks: 'WWW-Authenticate' },
  proxy: {
    has: 'Proxy-Authorization',
    code: 407,
    phrase: 'Proxy Authentication Required',
    asks: 'Proxy-Authenticate',
  },
} as const;

/** What became of credentials: `stale` asks for the same with a fresh nonce. */
type Verdict = 'good' | 'stale' | 'wrong' | 'none';

interface Credentials {
  readonly username: string;
  readonly parameters: ReadonlyMap<string, string>;
}

/** Digest authentication: challenges that nothing need be kept of, and credentials. RFC 8760, RFC 7616. */
export class Digest {
  readonly #secret: string;
  readonly #lifetimeMs: number;
  readonly #algorithms: readonly Algorithm[];
  readonly #startedAt: number;
  readonly #counts = new LRUCache<string, number>({ max: MAX_NONCES }); // highest nonce count seen

  /** `startedAt`: epoch ms; which nonces were used before that is not known any more. */
  constructor(secret: string, lifetimeMs: number, algorithms: readonly Algorithm[], startedAt: number) {
    this.#startedAt = Math.floor(startedAt);
    this.#secret = secret;
    this.#lifetimeMs = lifetimeMs;
    this.#algorithms = algorithms;
  }

  /** The account whose credentials a request has; else the answer that refuses it, or asks for them. @throws SipParseError */
  authenticate({ message, uri, now }: Inbound, { as, realm, find, asked }: Asking): Account | Reply {
    const { has, code, phrase, asks } = FIELDS[as];
    const credentials = findCredentials(message.all(has), realm);
    const account = credentials && find(credentials.username);
    const verdict = credentials ? this.#check(credentials, realm, message.method, uri, account, now) : 'none';
    if (verdict === 'good') return account!;
    if (verdict === 'wrong') return reply(403, 'Forbidden');
    const challenges = this.#challenge(realm, asked, verdict === 'stale', now);
    return reply(
      code,
      phrase,
      challenges.map((value) => `${asks}: ${value}`),
    );
  }

  /** One challenge for each algorithm that is offered; whoever can do no other is offered that. */
  #challenge(realm: string, account: Account | undefined, isStale: boolean, now: number): string[] {
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

  #check(
    credentials: Credentials,
    realm: string,
    method: string,
    target: SipUri,
    account: Account | undefined,
    now: number,
  ): Verdict {
    const { parameters } = credentials;
    const algorithm = (parameters.get('algorithm') ?? 'MD5').toUpperCase() as Algorithm;
    if (!account || !ALGORITHMS.includes(algorithm) || !canCheck(account, algorithm)) return 'wrong';
    const expected = respond(algorithm, method, realm, account, credentials);
    if (!isSame(parameters.get('response') ?? '', expected)) return 'wrong';
    if (!isFor(parseUri(parameters.get('uri') ?? ''), target)) return 'wrong';
    return this.#isFresh(parameters, now) ? 'good' : 'stale';
  }

  #isFresh(parameters: ReadonlyMap<string, string>, now: number): boolean {
    const nonce = parameters.get('nonce') ?? '';
    const madeAt = parseInt(nonce.slice(0, TIME_LENGTH), 36);
    if (!(Math.abs(now - madeAt - this.#lifetimeMs / 2) <= this.#lifetimeMs / 2 + 1000)) return false;
    if (madeAt < this.#startedAt) return false;
    if (!isSame(nonce.slice(START_LENGTH), this.#sign(nonce.slice(0, START_LENGTH)))) return false;
    // Without qop nothing tells one request from the next: the nonce is good for one.
    const isCounted = parameters.has('qop');
    const key = isCounted ? `${nonce} ${parameters.get('cnonce') ?? ''}` : nonce;
    const count = isCounted ? parseInt(parameters.get('nc') ?? '', 16) : 1;
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

const canCheck = (account: Account, algorithm: Algorithm): boolean =>
  account.password !== undefined || knownHash(account, algorithm) !== undefined;

/** The HA1 that was configured, if it is one of that algorithm. */
const knownHash = ({ ha1 }: Account, algorithm: Algorithm): string | undefined =>
  ha1?.length === (algorithm === 'MD5' ? 32 : 64) ? ha1.toLowerCase() : undefined;

/** Proxies on the way rewrite hosts, and some devices leave the user out: another user alone is refused. RFC 7616 §3.4.6. */
const isFor = (uri: SipUri, target: SipUri): boolean => uri.user === '' || userNumber(uri) === userNumber(target);

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
  account: Account,
  { username, parameters }: Credentials,
): string {
  const digest = (text: string): string => hash(NODE_NAMES[algorithm], text, 'hex');
  const get = (name: string): string => parameters.get(name) ?? '';
  const secret = knownHash(account, algorithm) ?? digest(`${username}:${realm}:${account.password}`);
  const request = digest(`${method}:${get('uri')}`);
  if (!parameters.has('qop')) return digest(`${secret}:${get('nonce')}:${request}`);
  return digest(`${secret}:${get('nonce')}:${get('nc')}:${get('cnonce')}:${get('qop')}:${request}`);
}

function isSame(a: string, b: string): boolean {
  const left = Buffer.from(a.toLowerCase());
  const right = Buffer.from(b.toLowerCase());
  return left.length === right.length && timingSafeEqual(left, right);
}
