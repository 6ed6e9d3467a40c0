import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RequestError } from '../problem.ts';
import type { App } from '../zod-types.ts';

const NOT_BUILT = 'The page is not built: "npm run build" builds it, then it is here. The API is at /api/v1.\n';
const YEAR_S = 365 * 24 * 3600;
const SERVICES = /^\/(api|uapi|unifiedapi|oauth)(\/|$)/;

/** The web page from the folder that it was built to: every address that is no file and no service is one of its views. */
export function addPageRoutes(app: App, folder: string): void {
  if (existsSync(folder)) {
    void app.register(fastifyStatic, {
      root: folder,
      preCompressed: true,
      cacheControl: false,
      setHeaders: (reply, path) => void reply.header('cache-control', cachingOf(path, folder)),
    });
  }
  app.setNotFoundHandler((request, reply) => showView(request, reply, folder));
}

function showView({ method, url }: FastifyRequest, reply: FastifyReply, folder: string): FastifyReply {
  if (SERVICES.test(url) || !['GET', 'HEAD'].includes(method) || /\.\w+($|\?)/.test(url)) {
    throw new RequestError('not_found', 'there is nothing at this address');
  }
  if (existsSync(join(folder, 'index.html')) && 'sendFile' in reply) return reply.sendFile('index.html');
  return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT);
}

/** What the build names by its content never changes. */
const cachingOf = (path: string, folder: string): string =>
  path.startsWith(join(folder, 'assets')) ? `public, max-age=${YEAR_S}, immutable` : 'no-cache';
