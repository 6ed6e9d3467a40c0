import { isIP } from 'node:net';
import cookie from '@fastify/cookie';
import Fastify, { type FastifyError, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Logger } from '../log.ts';
import { isLoopback } from '../proxy/peers.ts';
import { type Gate, identify } from './access/gate.ts';
import { describeError, RequestError } from './problem.ts';
import type { RouteConfig } from './routes/route.ts';
import { UnifiedError } from './unified/unified-error.ts';
import { type App, useZod } from './zod-types.ts';

/** How the server listens, and what it takes. */
export interface ServerOptions {
  /** Certificate and key, for https. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly trustProxy: readonly string[];
  readonly maxConnections: number;
  readonly maxRequestBytes: number;
}

const REQUEST_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 120_000;
const MAX_PART = 300;

/** No script but our own, nothing from other hosts, no page around ours. */
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

const HEADERS = {
  'content-security-policy': CSP,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

/** An HTTP server without routes: limits, headers and errors are set. */
export function makeServer(options: ServerOptions, log: Logger): App {
  const app = Fastify({
    ...(options.tls && { https: { ...options.tls, minVersion: 'TLSv1.2' } }),
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }), // queries may hold tokens
    bodyLimit: options.maxRequestBytes,
    trustProxy: options.trustProxy.length > 0 ? [...options.trustProxy] : false,
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: 0, // streams are quiet for long
    keepAliveTimeout: IDLE_TIMEOUT_MS,
    forceCloseConnections: true,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PART },
    frameworkErrors: refuseAddress,
  }) as unknown as App;
  app.server.maxConnections = options.maxConnections;
  useZod(app);
  void app.register(cookie);
  app.decorateRequest('principal', null);
  readJson(app);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.headers(HEADERS);
    if (request.protocol === 'https') void reply.header('strict-transport-security', 'max-age=31536000');
    if (options.trustProxy.length === 0) checkHost(request);
    done();
  });
  answerErrors(app);
  return app;
}

/** An address that no route can be looked for by. */
function refuseAddress(_: FastifyError, { url }: FastifyRequest, reply: FastifyReply): void {
  const isUnified = /^\/(uapi|unifiedapi)\//.test(url);
  const { body } = isUnified
    ? new UnifiedError('request_invalid')
    : new RequestError('bad_request', 'this is no address');
  void reply.code(400).headers(HEADERS).send(body);
}

/**
 * Where only this machine can come, only its own names count: any other is one that a foreign site made lead here, so that a browser
 * takes us for it (DNS rebinding). @throws RequestError
 */
function checkHost({ hostname, socket }: FastifyRequest): void {
  if (!isLoopback(socket.localAddress ?? '')) return;
  const name = hostname.replace(/^\[|\]$/g, '').toLowerCase();
  if (name === '' || isIP(name) > 0 || name === 'localhost' || name.endsWith('.localhost')) return;
  throw new RequestError('forbidden', 'this name is not one of this machine; name a reverse proxy in http.trustProxy');
}

/** Clients say that a body is JSON although there is none. */
function readJson(app: App): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined);
    else void parse(request, body, done);
  });
}

function answerErrors(app: App): void {
  app.setErrorHandler((error: Error, request, reply) => {
    const told = describeError(error);
    if (!told) request.log.error({ error: error.stack, url: request.routeOptions.url }, 'a request failed');
    if (told && told.waitMs > 0) void reply.header('retry-after', Math.ceil(told.waitMs / 1000));
    const internal = { error: { code: 'internal', message: 'something went wrong here; the log has it' } };
    if (told?.statusCode === 401) void reply.header('www-authenticate', 'Bearer');
    return reply.code(told?.statusCode ?? 500).send(told?.problem ?? internal);
  });
}

const READS = ['GET', 'HEAD', 'OPTIONS'];

/** Lets in, to the routes of an app, who may come by what they say of themselves. */
export function guard(app: App, gate: () => Gate): void {
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('cache-control', 'no-store');
    const config: RouteConfig = request.routeOptions.config;
    if (config.isOpen) request.principal = identifyIfAny(request, gate());
    else admit(request, config, gate());
    done();
  });
}

function admit(request: FastifyRequest, config: RouteConfig, gate: Gate): void {
  const principal = identify(request, gate);
  if (config.isOperatorsOnly && principal.role !== 'operator') {
    throw new RequestError('forbidden', 'this is for operators only');
  }
  if (config.isOverall && !principal.scope.isAll) {
    throw new RequestError('forbidden', 'this is for those who see all tenants');
  }
  if (!principal.canWrite && !config.isHarmless && !READS.includes(request.method)) {
    throw new RequestError('forbidden', 'you may look, but change nothing');
  }
  request.principal = principal;
}

function identifyIfAny(request: FastifyRequest, gate: Gate): FastifyRequest['principal'] {
  try {
    return identify(request, gate);
  } catch (error) {
    if (error instanceof RequestError) return null;
    throw error;
  }
}
