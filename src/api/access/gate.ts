import '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from '../problem.ts';
import type { AccessTokens } from './access-tokens.ts';
import type { FailureLimit } from './failure-limit.ts';
import type { Principal } from './scope.ts';
import { isSameSecret } from './secret.ts';
import type { Sessions } from './sessions.ts';
import type { SignInLink, Users } from './users.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who makes the request; null until that was asked for, or where nobody has to say so. */
    principal: Principal | null;
  }
}

/** Who may come in; users and tokens change with the configuration. */
export interface Gate {
  readonly users: Users;
  /** The way in where there are no users and only this machine can come. */
  readonly link: SignInLink | undefined;
  readonly tokens: AccessTokens;
  readonly sessions: Sessions;
  readonly failures: FailureLimit;
  /** Of programs, apart from those of people: a script with an old token keeps nobody from signing in. */
  readonly tokenFailures: FailureLimit;
}

const SESSION_COOKIE = 'ringside-session';
const CSRF_HEADER = 'x-csrf-token';

/** Who makes a request, by bearer token or session. @throws RequestError where nobody does that may. */
export function identify(request: FastifyRequest, gate: Gate): Principal {
  const bearer = readBearer(request);
  if (bearer !== undefined) return identifyByToken(request, gate, bearer);
  const cookie = readSessionCookie(request);
  const principal = cookie === undefined ? undefined : gate.sessions.find(cookie);
  if (!principal) throw new RequestError('unauthorized', 'sign in, or give a bearer token');
  checkForgery(request, principal);
  return principal;
}

/** A valid token is always let in: whoever shares its address may fail as often as he likes. */
export function identifyByToken({ ip }: FastifyRequest, { tokens, tokenFailures }: Gate, bearer: string): Principal {
  const principal = tokens.find(bearer);
  if (principal) return principal;
  refuseWhileFailing(tokenFailures, ip, 'token');
  tokenFailures.fail(ip, 'token');
  throw new RequestError('unauthorized', 'this token is not, or no longer, valid');
}

/** @throws RequestError while the address has to wait for its next try. */
export function refuseWhileFailing(failures: FailureLimit, ip: string, name: string): void {
  const waitMs = failures.waitMs(ip, name);
  if (waitMs > 0) throw new RequestError('too_many_requests', 'too many failures from this address', undefined, waitMs);
}

export const readBearer = ({ headers }: FastifyRequest): string | undefined =>
  /^bearer +(\S{1,500})$/i.exec(headers.authorization ?? '')?.[1];

/** A browser sends the cookie along with requests that other sites make it send. */
function checkForgery(request: FastifyRequest, { session }: Principal): void {
  if (['GET', 'HEAD', 'OPTIONS'].includes(request.method)) return;
  checkOrigin(request);
  const token = request.headers[CSRF_HEADER];
  if (typeof token !== 'string' || !isSameSecret(token, session!.csrfToken)) {
    throw new RequestError('csrf', 'the header X-CSRF-Token of this session is expected');
  }
}

/** @throws RequestError for a request that a browser makes for another site. */
export function checkOrigin({ headers, host }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  const { origin } = headers;
  const isForeign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (origin !== undefined && URL.parse(origin)?.host !== host);
  if (isForeign) throw new RequestError('csrf', 'requests for other sites are not taken');
}

/** With https, browsers take a cookie of this name from this very host only, and from none of its neighbours. RFC 6265bis §4.1.3.2. */
const cookieName = ({ protocol }: FastifyRequest): string =>
  protocol === 'https' ? `__Host-${SESSION_COOKIE}` : SESSION_COOKIE;

export const readSessionCookie = (request: FastifyRequest): string | undefined => request.cookies[cookieName(request)];

/** Sets or clears (with an empty value) the cookie of the session. */
export function setSessionCookie(request: FastifyRequest, reply: FastifyReply, value: string): void {
  const options = {
    path: '/',
    httpOnly: true,
    sameSite: 'strict',
    secure: request.protocol === 'https',
  } as const;
  if (value === '') void reply.clearCookie(cookieName(request), options);
  else void reply.setCookie(cookieName(request), value, options);
}
