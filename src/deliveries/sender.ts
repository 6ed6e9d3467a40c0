import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { buildConnector, Pool } from 'undici';
import type { Rule, RuleTls } from '../rules/rule.ts';
import type { Sender } from './dispatcher-parts.ts';
import { Exchange } from './exchange.ts';
import { NameLookup } from './name-lookup.ts';
import { NetworkGuard } from './network-guard.ts';
import type { ScriptRequest } from './request.ts';
import type { AttemptOutcome } from './retry.ts';
import { scriptOf } from './script.ts';
import { signRequest } from './signature.ts';

const MAX_POOLS = 1000;

export interface SenderOptions {
  readonly connectTimeoutMs: number;
  /** For the whole request, from its start to the end of the answer. */
  readonly timeoutMs: number;
  /** Of each script: those of other scripts at the same origin are apart. */
  readonly connectionsPerOrigin: number;
  readonly userAgent: string;
  /** Networks that rules from the API may reach besides the Internet. */
  readonly allowedNetworks: readonly string[];
  /** Finds the addresses of a name; without it, the system does. */
  readonly lookUp?: LookupFunction;
}

/** Sends requests with undici over connections that are kept and used again. */
export class HttpSender implements Sender {
  readonly #options: SenderOptions;
  readonly #names: NameLookup;
  readonly #guard: NetworkGuard;
  /** By script, TLS and source of the rule: with one pool per host, a slow script would use up the connections of the others there. */
  readonly #pools: LRUCache<string, Pool>;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#names = new NameLookup(options.lookUp);
    this.#guard = new NetworkGuard(options.allowedNetworks, this.#names.lookUp);
    this.#pools = new LRUCache<string, Pool>({ max: MAX_POOLS, dispose: (pool) => void pool.close() });
  }

  /** Redirects are not followed; of the answer 4 KB are read. */
  send(request: ScriptRequest, rule: Rule, eventId: string): Promise<AttemptOutcome> {
    const exchange = new Exchange(this.#options.timeoutMs);
    try {
      const { origin, path } = splitUrl(request.url);
      const { method, body } = request;
      const headers = { ...this.#headersOf(request, rule), ...signRequest(request, eventId, rule.secrets, Date.now()) };
      this.#poolOf(origin, request.url, rule).dispatch({ path, method, body: body ?? null, headers }, exchange);
    } catch (error) {
      exchange.fail(error);
    }
    return exchange.outcome;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  #poolOf(origin: string, url: string, { tls, source }: Rule): Pool {
    const key = `${scriptOf(url)} ${tls?.id} ${source}`;
    let pool = this.#pools.get(key);
    if (!pool) this.#pools.set(key, (pool = makePool(origin, this.#options, this.#connectorOf(tls, source))));
    return pool;
  }

  #connectorOf(tls: RuleTls | undefined, source: Rule['source']): buildConnector.connector {
    const isGuarded = source === 'api';
    const lookup = isGuarded ? this.#guard.lookUp : this.#names.lookUp;
    const connect = buildConnector({
      timeout: this.#options.connectTimeoutMs,
      rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      ...(tls && { secureContext: tls.context }),
      lookup,
    });
    return isGuarded ? this.#guard.protect(connect) : connect;
  }

  /** The rule's own headers win, in whatever case they are written. */
  #headersOf({ contentType }: ScriptRequest, { headers: ownHeaders }: Rule): Record<string, string> {
    const headers: Record<string, string> = { 'user-agent': this.#options.userAgent };
    if (contentType !== undefined) headers['content-type'] = contentType;
    for (const [name, value] of Object.entries(ownHeaders)) headers[name.toLowerCase()] = value;
    return headers;
  }
}

const makePool = (origin: string, { connectionsPerOrigin }: SenderOptions, connect: buildConnector.connector): Pool =>
  new Pool(origin, {
    connections: connectionsPerOrigin,
    pipelining: 1,
    connect,
    headersTimeout: 0, // each request has one time limit for all of it
    bodyTimeout: 0,
    keepAliveTimeout: 10_000,
  });

/** The request line says what the rule's URL says, as it is written. @throws TypeError where it is none. */
function splitUrl(url: string): { readonly origin: string; readonly path: string } {
  const { protocol, origin, pathname, search } = new URL(url);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError('an http or https URL is expected');
  return { origin, path: pathname + search };
}
