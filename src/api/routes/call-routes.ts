import { z } from 'zod';
import type { CallRecorder } from '../../explain/call-recorder.ts';
import type { RecordedCall } from '../../explain/recorded-call.ts';
import type { Scope } from '../access/scope.ts';
import { cutCall, isAllSeen, showCall } from '../live/call-view.ts';
import { type LadderContext, showLadder, showMessageText } from '../live/ladder-view.ts';
import { findEvents, resend, type ResendParts } from '../live/resend.ts';
import { RequestError } from '../problem.ts';
import { call, calls, ladder, replay, requeued } from '../resources/call.ts';
import { extension, identifierParams } from '../resources/common.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import type { Call } from '../types.ts';
import type { App } from '../zod-types.ts';

const tag = 'calls';
const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;

const query = z.object({
  state: z.enum(['live', 'recent']).optional().describe('Without it: live ones first, then those that are over'),
  extension: extension.optional(),
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
  before: z.string().max(100).optional().describe('`next` of the page before'),
});
const messageParams = identifierParams.extend({ line: z.coerce.number().int().min(1) });

/** What the routes of calls work with. */
export interface CallParts extends ResendParts {
  readonly desk: RuleDesk;
  readonly ladderContext: () => LadderContext;
}

/** Calls that are live, and those that were lately. */
export function addCallRoutes(app: App, parts: CallParts): void {
  const { recorder, ladderContext } = parts;
  app.get(
    '/calls',
    {
      schema: { querystring: query, response: { 200: calls } },
      config: { tag, summary: 'Live calls, and those that are over, newest first' },
    },
    (request) => {
      const { limit, before } = request.query;
      const found = listCalls(recorder, request.query).flatMap((known) =>
        cut(known, request.principal!.scope, request.query.extension),
      );
      const begin = before === undefined ? 0 : found.findIndex(({ id }) => id === before) + 1;
      const page = found.slice(begin, begin + limit);
      return { calls: page, next: begin + limit < found.length ? page.at(-1)!.id : null };
    },
  );
  app.get(
    '/calls/:id',
    { schema: { params: identifierParams, response: { 200: call } }, config: { tag, summary: 'One call' } },
    (request) => find(recorder, request.params.id, request.principal!.scope).shown,
  );
  app.get(
    '/calls/:id/ladder',
    {
      schema: { params: identifierParams, response: { 200: ladder } },
      config: { tag, isOperatorsOnly: true, summary: 'The messages of a call, its legs, and why its events were told' },
    },
    (request) => showLadder(findWhole(recorder, request.params.id, request.principal!.scope), ladderContext()),
  );
  app.get(
    '/calls/:id/messages/:line',
    {
      schema: { params: messageParams },
      config: {
        tag,
        isOperatorsOnly: true,
        contentType: 'text/plain',
        summary: 'A message of the ladder as it was sent',
      },
    },
    (request, reply) => {
      const { id, line } = request.params;
      const text = showMessageText(findWhole(recorder, id, request.principal!.scope), line);
      if (text === undefined) throw new RequestError('not_found', 'there is no such message');
      return reply.type('text/plain; charset=utf-8').send(text);
    },
  );
  app.post(
    '/calls/:id/replay',
    {
      schema: { params: identifierParams, body: replay, response: { 200: requeued } },
      config: { tag, summary: 'Sends the events of a call once more to one rule' },
    },
    (request) => {
      const principal = request.principal!;
      const rule = parts.desk.find(principal, request.body.rule);
      if (!rule.enabled) throw new RequestError('conflict', 'this rule is disabled');
      const events = findEvents(request.params.id, parts).filter((event) => principal.scope.sees(event.extension));
      if (events.length === 0) throw new RequestError('not_found', 'no events of such a call are known');
      return { deliveries: resend(events, rule, parts) };
    },
  );
}

function listCalls(recorder: CallRecorder, { state }: z.output<typeof query>): RecordedCall[] {
  const live = state === 'recent' ? [] : recorder.live().reverse();
  return state === 'live' ? live : [...live, ...recorder.recent()];
}

/** A call as somebody may see it, if an extension (or any) is in it. */
function cut(recorded: RecordedCall, scope: Scope, extension: string | undefined): Call[] {
  const shown = cutCall(showCall(recorded), scope);
  const isFor = extension === undefined || shown?.parties.some((party) => party.extension === extension);
  return shown && isFor ? [shown] : [];
}

function find(recorder: CallRecorder, id: string, scope: Scope): { recorded: RecordedCall; shown: Call } {
  const recorded = recorder.find(id);
  const shown = recorded?.isTold ? cutCall(showCall(recorded), scope) : undefined;
  if (!recorded || !shown)
    throw new RequestError('not_found', 'there is no such call, or it is not remembered any more');
  return { recorded, shown };
}

/** A call of which all may be seen. */
function findWhole(recorder: CallRecorder, id: string, scope: Scope): RecordedCall {
  const { recorded } = find(recorder, id, scope);
  if (!isAllSeen(showCall(recorded), scope)) throw new RequestError('forbidden', 'others take part in this call, too');
  return recorded;
}
