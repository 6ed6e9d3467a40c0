import type { FastifyRequest } from 'fastify';
import { type Gate, identifyByToken, readBearer } from '../access/gate.ts';
import { RequestError } from '../problem.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import type { App } from '../zod-types.ts';
import { PhoneCallEvents } from './phone-call-events.ts';
import { UnifiedError } from './unified-error.ts';

const PATH = '/extensions/:user/:extension/phoneCallEvents';

/** `PhoneCallEvents` of VoipNow's UnifiedAPI, under the prefix of the app. */
export function addUnifiedRoutes(app: App, gate: () => Gate, desk: RuleDesk): void {
  const service = new PhoneCallEvents(desk);
  app.setErrorHandler((error: Error, request, reply) => {
    const told = toUnified(error);
    if (told.code === 'internal_server_error') request.log.error(error);
    if (told.statusCode === 401) void reply.header('www-authenticate', 'Bearer');
    return reply.code(told.statusCode).send(told.body);
  });
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('cache-control', 'no-store');
    const token = readQueryToken(request) ?? readBearer(request);
    if (token === undefined) throw new UnifiedError('access_denied');
    request.principal = identifyByToken(request, gate(), token);
    done();
  });
  app.post(PATH, (request) => service.create(request));
  app.post(`${PATH}/:type`, (request) => service.create(request));
  app.put(`${PATH}/:type/:id`, (request) => service.update(request));
  for (const url of [PATH, `${PATH}/:type`, `${PATH}/:type/:id`]) {
    app.get(url, (request) => service.list(request));
    app.delete(url, (request) => service.remove(request));
  }
  app.all('/*', () => {
    throw new UnifiedError('request_not_implemented');
  });
}

/** The other way of giving the token: `?accessRequestToken=Bearer TOKEN`. */
function readQueryToken({ query }: FastifyRequest): string | undefined {
  const given = (query as Record<string, unknown>)['accessRequestToken'];
  return typeof given === 'string' ? /^bearer +(\S{1,500})$/i.exec(given)?.[1] : undefined;
}

function toUnified(error: Error & { statusCode?: number }): UnifiedError {
  if (error instanceof UnifiedError) return error;
  if (error instanceof RequestError) return fromRequestError(error);
  const isTheirs = error.statusCode !== undefined && error.statusCode < 500;
  return new UnifiedError(isTheirs ? 'request_invalid' : 'internal_server_error');
}

function fromRequestError({ code, message }: RequestError): UnifiedError {
  if (code === 'too_many_requests') return new UnifiedError(code);
  return code === 'bad_request' || code === 'conflict'
    ? new UnifiedError('request_invalid', message)
    : new UnifiedError('access_denied');
}
