import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { formatTime } from '../../calls/time.ts';
import type { CallRecorder } from '../../explain/call-recorder.ts';
import { type Gate, identify } from '../access/gate.ts';
import { showCall } from '../live/call-view.ts';
import { type EventStream, formatMessage } from '../live/event-stream.ts';
import { cutMessage, SseClient } from '../live/stream-client.ts';
import { RequestError } from '../problem.ts';
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
  readonly maxStreams: number;
  readonly maxBytes: number;
  readonly now: () => number;
}

/** Server-Sent Events: what is live, and what happens. */
export function addStreamRoutes(app: App, parts: StreamParts): void {
  const open = new Set<FastifyReply>();
  app.get(
    '/stream',
    {
      schema: { querystring: query },
      config: {
        tag: 'stream',
        contentType: 'text/event-stream',
        summary: 'What is live, and what happens, as Server-Sent Events',
      },
    },
    (request, reply) => {
      if (open.size >= parts.maxStreams)
        throw new RequestError('unavailable', 'too many streams are open', undefined, 5000);
      open.add(reply);
      reply.raw.on('close', () => open.delete(reply));
      begin(request, reply, request.query.lastEventId ?? request.headers['last-event-id'], parts);
    },
  );
  app.addHook('preClose', (done) => {
    for (const reply of open) reply.raw.destroy();
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
    'x-accel-buffering': 'no', // a reverse proxy is to pass on what comes at once
  });
  const client = new SseClient(stream, scope, response, parts.maxBytes);
  const missed = typeof lastId === 'string' && lastId !== '' ? stream.since(lastId) : undefined;
  const start: StreamMessage = {
    event: 'start',
    data: { at: formatTime(now()), calls: recorder.live().map(showCall), isGap: missed?.isGap ?? false },
  };
  response.write(`retry: 2000\n\n${formatMessage(cutMessage(start, scope)!)}`);
  for (const entry of missed?.entries ?? []) client.take(entry);
  stream.add(client);
  const beat = setInterval(() => keepUp(request, response, parts.gate()), HEARTBEAT_MS);
  response.on('close', () => {
    clearInterval(beat);
    stream.remove(client);
  });
}

/** Tells the way between that the connection is of use; ends it with the session or token. */
function keepUp(request: FastifyRequest, response: FastifyReply['raw'], gate: Gate): void {
  try {
    identify(request, gate);
    response.write(': here\n\n');
  } catch {
    response.destroy();
  }
}
