import type { FastifyReply, FastifyRequest } from 'fastify';
import { formatTime } from '../../calls/time.ts';
import { checkOrigin, type Gate, readSessionCookie, refuseWhileFailing, setSessionCookie } from '../access/gate.ts';
import type { Principal } from '../access/scope.ts';
import { LINK_USER } from '../access/users.ts';
import { RequestError } from '../problem.ts';
import { session, signIn, signInMethods } from '../resources/session.ts';
import type { Session, SignIn } from '../types.ts';
import type { App } from '../zod-types.ts';

/** Signing in and out. */
export function addSessionRoutes(app: App, gate: () => Gate): void {
  app.get(
    '/sign-in',
    {
      schema: { response: { 200: signInMethods } },
      config: { isOpen: true, tag: 'session', summary: 'How one can sign in' },
    },
    () => ({ password: !gate().users.isEmpty, link: gate().link !== undefined }),
  );
  app.get(
    '/session',
    { schema: { response: { 200: session } }, config: { tag: 'session', summary: 'Who is signed in' } },
    (request) => show(request.principal!),
  );
  app.post(
    '/session',
    {
      schema: { body: signIn, response: { 200: session } },
      config: { isOpen: true, tag: 'session', summary: 'Signs in; sets the cookie of the session' },
    },
    async (request, reply) => show(await open(request, reply, gate())),
  );
  app.delete('/session', { config: { isHarmless: true, tag: 'session', summary: 'Signs out' } }, (request, reply) => {
    gate().sessions.close(readSessionCookie(request) ?? '');
    setSessionCookie(request, reply, '');
    return reply.code(204).send();
  });
}

async function open(request: FastifyRequest, reply: FastifyReply, gate: Gate): Promise<Principal> {
  checkOrigin(request);
  const given = request.body as SignIn;
  const name = 'token' in given ? 'link' : `user ${given.user}`;
  refuseWhileFailing(gate.failures, request.ip, name);
  gate.failures.fail(request.ip, name); // counted before it is looked at, so that many at once are not let through
  const who = await verify(given, gate);
  if (!who) {
    request.log.warn({ address: request.ip }, 'sign-in failed');
    throw new RequestError('unauthorized', 'this is not a user and the password, or the link was used already');
  }
  gate.failures.succeed(request.ip, name);
  gate.sessions.close(readSessionCookie(request) ?? '');
  const { cookie, principal } = gate.sessions.open(who);
  setSessionCookie(request, reply, cookie);
  request.log.info({ user: principal.name, address: request.ip }, 'signed in');
  return principal;
}

async function verify(given: SignIn, { users, link }: Gate): Promise<Omit<Principal, 'session'> | undefined> {
  if ('token' in given) return link?.redeem(given.token) ? LINK_USER : undefined;
  const who = await users.verify(given.user, given.password);
  if (who === 'busy') throw new RequestError('unavailable', 'too many are signing in at once', undefined, 1000);
  return who;
}

const show = ({ name, role, scope, canWrite, session: own }: Principal): Session => ({
  user: name,
  role,
  extension: scope.extension ?? null,
  tenant: scope.tenant ?? null,
  canWrite,
  csrfToken: own?.csrfToken ?? null,
  expiresAt: own ? formatTime(own.expiresAt) : null,
});
