import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { formatTime } from '../../calls/time.ts';
import type { CallRecorder } from '../../explain/call-recorder.ts';
import { type Gate, identify } from '../access/gate.ts';
import type { Scope } from '../access/scope.ts';
import { showCall } from '../live/call-view.ts';
import type { EventStream } from '../live/event-stream.ts';
import { SseClient } from '../live/stream-client.ts';
import { RequestError } from '../problem.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import type { StreamMessage } from '../types.ts';
import type { App } from '../zod-types.ts';

const HEARTBEAT_MS = 15_000;

const query = z.object({
  lastEventId: z.string().max(100).optional().describe('As the header Last-Event-ID, for those who cannot set it'),
});

/** What the stream is made of. */
export interface StreamParts {
  readonly stream: EventStream;
  readonly recorder: CallRecorder;
  readonly gate: () => Gate;
  readonly desk: Pick<RuleDesk, 'showsUrl'>;
  readonly maxStreams: number;
  /** Of one user or token. */
  readonly maxStreamsPerUser: number;
  readonly maxBytes: number;
  readonly now: () => number;
}

/** Server-Sent Events: what is live, and what happens. */
export function addStreamRoutes(app: App, parts: StreamParts): void {
  const open = new Map<FastifyReply, string>();
  app.get(
    '/stream',
    {
      exposeHeadRoute: false, // it would never end
      schema: { querystring: query },
      config: {
        tag: 'stream',
        contentType: 'text/event-stream',
        summary: 'What is live, and what happens, as Server-Sent Events',
      },
    },
    (request, reply) => {
      const { name } = request.principal!;
      const own = [...open.values()].filter((other) => other === name).length;
      if (open.size >= parts.maxStreams || own >= parts.maxStreamsPerUser)
        throw new RequestError('unavailable', 'too many streams are open', undefined, 5000);
      open.set(reply, name);
      reply.raw.on('close', () => open.delete(reply));
      begin(request, reply, request.query.lastEventId ?? request.headers['last-event-id'], parts);
    },
  );
  app.addHook('preClose', (done) => {
    for (const reply of open.keys()) reply.raw.destroy();
    done();
  });
}

function begin(
  request: FastifyRequest,
  reply: FastifyReply,
  lastId: string | string[] | undefined,
  parts: StreamParts,
): void {
  const { stream, recorder, now } = parts;
  const { scope } = request.principal!;
  reply.hijack();
  const response = reply.raw;
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'connection': 'close',
    'x-accel-buffering': 'no', // a reverse proxy is to pass on what comes at once
  });
  const showsUrl = (ruleId: string): boolean => parts.desk.showsUrl(scope, ruleId);
  const client = new SseClient(stream, { scope, showsUrl, told: new Set() }, response, parts.maxBytes);
  const missed = typeof lastId === 'string' && lastId !== '' ? stream.since(lastId) : undefined;
  const start: StreamMessage = {
    event: 'start',
    data: { at: formatTime(now()), calls: recorder.live().map(showCall), isGap: missed?.isGap ?? false },
  };
  if (!client.begin(start, missed?.entries ?? [])) return;
  stream.add(client);
  const beat = setInterval(() => keepUp(request, scope, response, parts.gate()), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(beat);
    stream.remove(client);
  });
}

/** Tells the way between that the connection is of use; ends it with the session or token, or when that may see other things now. */
function keepUp(request: FastifyRequest, scope: Scope, response: FastifyReply['raw'], gate: Gate): void {
  if (isStill(request, scope, gate)) response.write(': here\n\n');
  else response.destroy();
}

function isStill(request: FastifyRequest, { tenant, extension }: Scope, gate: Gate): boolean {
  try {
    const { scope } = identify(request, gate);
    return scope.tenant === tenant && scope.extension === extension;
  } catch {
    return false;
  }
}
