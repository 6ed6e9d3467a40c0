import type { LookupFunction } from 'node:net';
import { LRUCache } from 'lru-cache';
import { Agent, buildConnector, request as sendWithUndici } from 'undici';
import type { Rule, RuleTls } from '../rules/rule.ts';
import type { Sender } from './dispatcher-parts.ts';
import { NetworkGuard } from './network-guard.ts';
import type { ScriptRequest } from './request.ts';
import { type AttemptOutcome, parseRetryAfter } from './retry.ts';
import { scriptOf } from './script.ts';
import { signRequest } from './signature.ts';

const MAX_RESPONSE_BYTES = 4096;
/** Of an answer, to be shown. */
const ANSWER_BYTES = 256;
const MAX_AGENTS = 1000;

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
  readonly #guard: NetworkGuard;
  /** By script, TLS and source of the rule: with one pool per host, a slow script would use up the connections of the others there. */
  readonly #agents: LRUCache<string, Agent>;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#guard = new NetworkGuard(options.allowedNetworks, options.lookUp);
    this.#agents = new LRUCache<string, Agent>({ max: MAX_AGENTS, dispose: (agent) => void agent.close() });
  }

  /** Redirects are not followed; of the answer 4 KB are read. */
  async send(request: ScriptRequest, rule: Rule, eventId: string): Promise<AttemptOutcome> {
    const { method, url, body } = request;
    try {
      const response = await sendWithUndici(url, {
        dispatcher: this.#agentOf(url, rule),
        method,
        body: body ?? null,
        headers: { ...this.#headersOf(request, rule), ...signRequest(request, eventId, rule.secrets, Date.now()) },
        signal: AbortSignal.timeout(this.#options.timeoutMs),
      });
      const answer = await readStart(response.body);
      const retryAfter = response.headers['retry-after'];
      const retryAfterMs = typeof retryAfter === 'string' ? parseRetryAfter(retryAfter, Date.now()) : undefined;
      return {
        status: response.statusCode,
        ...(answer !== '' && { answer }),
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      };
    } catch (error) {
      return { error: explain(error) };
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()));
  }

  #agentOf(url: string, { tls, source }: Rule): Agent {
    const key = `${scriptOf(url)} ${tls?.id} ${source}`;
    let agent = this.#agents.get(key);
    if (!agent) this.#agents.set(key, (agent = makeAgent(this.#options, this.#connectorOf(tls, source))));
    return agent;
  }

  #connectorOf(tls: RuleTls | undefined, source: Rule['source']): buildConnector.connector {
    const isGuarded = source === 'api';
    const lookup = isGuarded ? this.#guard.lookUp : this.#options.lookUp;
    const connect = buildConnector({
      timeout: this.#options.connectTimeoutMs,
      rejectUnauthorized: true, // whatever NODE_TLS_REJECT_UNAUTHORIZED says
      ...(tls && { secureContext: tls.context }),
      ...(lookup && { lookup }),
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

const makeAgent = ({ connectionsPerOrigin }: SenderOptions, connect: buildConnector.connector): Agent =>
  new Agent({
    connections: connectionsPerOrigin,
    pipelining: 1,
    connect,
    headersTimeout: 0, // each request has one time limit for all of it
    bodyTimeout: 0,
    keepAliveTimeout: 10_000,
  });

/**
 * Reads a short answer to its end, so that the connection can be used again; breaks off a long one. Returns its first bytes.
 *
 * The status is what the script says; that the rest of its answer got lost does not take it back.
 */
async function readStart(body: AsyncIterable<Buffer>): Promise<string> {
  let size = 0;
  let start: Buffer | undefined;
  try {
    for await (const chunk of body) {
      size += chunk.length;
      if (!start || start.length < ANSWER_BYTES) start = join(start, chunk);
      if (size > MAX_RESPONSE_BYTES) break;
    }
  } catch {
    // What came has to do.
  }
  return start?.toString().replaceAll('\0', '') ?? '';
}

const join = (start: Buffer | undefined, chunk: Buffer): Buffer =>
  (start ? Buffer.concat([start, chunk]) : chunk).subarray(0, ANSWER_BYTES);

function explain(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return 'no answer in time';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time';
  if (message === '') return code ?? name; // several addresses were tried
  return code && !message.includes(code) ? `${code}: ${message}` : message;
}
