import { Agent, request as sendWithUndici } from 'undici';
import type { Sender } from './dispatcher.ts';
import type { ScriptRequest } from './request.ts';
import { type AttemptOutcome, parseRetryAfter } from './retry.ts';

const MAX_RESPONSE_BYTES = 4096;

export interface SenderOptions {
  readonly connectTimeoutMs: number;
  /** For the whole request, from its start to the end of the answer. */
  readonly timeoutMs: number;
  readonly connectionsPerOrigin: number;
  readonly userAgent: string;
}

/** Sends requests with undici over connections that are kept and shared. */
export class HttpSender implements Sender {
  readonly #options: SenderOptions;
  readonly #agent: Agent;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#agent = new Agent({
      connections: options.connectionsPerOrigin,
      pipelining: 1,
      connect: { timeout: options.connectTimeoutMs },
      headersTimeout: options.timeoutMs,
      bodyTimeout: options.timeoutMs,
      keepAliveTimeout: 10_000,
    });
  }

  /** Redirects are not followed; of the answer 4 KB are read. */
  async send(request: ScriptRequest, headers: Readonly<Record<string, string>>): Promise<AttemptOutcome> {
    const { method, url, contentType, body } = request;
    const { userAgent, timeoutMs } = this.#options;
    try {
      const response = await sendWithUndici(url, {
        dispatcher: this.#agent,
        method,
        body: body ?? null,
        headers: { 'user-agent': userAgent, ...(contentType && { 'content-type': contentType }), ...headers },
        signal: AbortSignal.timeout(timeoutMs),
      });
      await discard(response.body);
      const retryAfter = response.headers['retry-after'];
      const retryAfterMs = typeof retryAfter === 'string' ? parseRetryAfter(retryAfter, Date.now()) : undefined;
      return { status: response.statusCode, ...(retryAfterMs !== undefined && { retryAfterMs }) };
    } catch (error) {
      return { error: explain(error) };
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** Reads a short answer to its end, so that the connection can be used again; breaks off a long one. */
async function discard(body: AsyncIterable<Buffer>): Promise<void> {
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_RESPONSE_BYTES) return;
  }
}

function explain(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError' || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT')
    return 'no answer in time';
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time';
  return code && !message.includes(code) ? `${code}: ${message}` : message || String(code);
}
