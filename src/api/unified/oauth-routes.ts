import type { FastifyRequest } from 'fastify';
import type { Gate } from '../access/gate.ts';
import type { App } from '../zod-types.ts';

interface Credentials {
  readonly id: string;
  readonly secret: string;
}

/** The token endpoint, at the address of the original, too: client credentials only. RFC 6749 §4.4. */
export function addOauthRoutes(app: App, gate: () => Gate): void {
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  for (const url of ['/oauth/token', '/oauth/token.php']) {
    app.post(url, (request, reply) => {
      const { status, body, waitMs } = answer(request, gate());
      if (waitMs > 0) void reply.header('retry-after', Math.ceil(waitMs / 1000));
      return reply.code(status).headers({ 'cache-control': 'no-store', 'pragma': 'no-cache' }).send(body);
    });
  }
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
    if (!isTheirs) request.log.error(error);
    return reply.code(isTheirs ? 400 : 500).send({ error: isTheirs ? 'invalid_request' : 'server_error' });
  });
}

interface Answer {
  readonly status: number;
  readonly body: object;
  readonly waitMs: number;
}

const refuse = (status: number, error: string, waitMs = 0): Answer => ({ status, body: { error }, waitMs });

/** Errors as by RFC 6749 §5.2. */
function answer(request: FastifyRequest, { tokens, tokenFailures }: Gate): Answer {
  const body = (request.body ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof body !== 'object' || typeof body['grant_type'] !== 'string') return refuse(400, 'invalid_request');
  if (body['grant_type'] !== 'client_credentials') return refuse(400, 'unsupported_grant_type');
  const { id, secret } = readCredentials(request, body);
  const issued = tokens.issue(id, secret);
  if (!issued) return refuseClient(request.ip, id, tokenFailures);
  tokenFailures.succeed(request.ip, `client ${id}`);
  return {
    status: 200,
    body: { access_token: issued.token, expires_in: issued.expiresInSeconds, token_type: 'Bearer' },
    waitMs: 0,
  };
}

function refuseClient(ip: string, id: string, failures: Gate['tokenFailures']): Answer {
  const waitMs = failures.waitMs(ip, `client ${id}`);
  if (waitMs > 0) return refuse(429, 'temporarily_unavailable', waitMs);
  failures.fail(ip, `client ${id}`);
  return refuse(401, 'invalid_client');
}

/** In the body, or as user and password of Basic authentication. RFC 6749 §2.3.1. */
function readCredentials({ headers }: FastifyRequest, body: Readonly<Record<string, unknown>>): Credentials {
  const basic = /^basic +([A-Za-z0-9+/=]{1,2000})$/i.exec(headers.authorization ?? '')?.[1];
  if (basic === undefined) return { id: textOf(body['client_id']), secret: textOf(body['client_secret']) };
  const [id = '', ...rest] = Buffer.from(basic, 'base64').toString().split(':');
  return { id: decode(id), secret: decode(rest.join(':')) };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return '';
  }
}
