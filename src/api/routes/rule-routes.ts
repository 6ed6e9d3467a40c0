import type { z } from 'zod';
import type { CallEvent, EventName } from '../../calls/event.ts';
import { formatTime } from '../../calls/time.ts';
import type { DeliveryEntry, DeliveryRecords } from '../../deliveries/delivery-records.ts';
import type { Sender } from '../../deliveries/dispatcher-parts.ts';
import { formatRequest } from '../../deliveries/request.ts';
import { isSuccess } from '../../deliveries/retry.ts';
import { makeTestEvent } from '../../deliveries/test-event.ts';
import type { Rule as RuleInForce } from '../../rules/rule.ts';
import type { RuleEntry } from '../../rules/rule-checks.ts';
import { identifierParams } from '../resources/common.ts';
import { newRule, rule, ruleChange, rules, testEvent, testResult } from '../resources/rule.ts';
import { hideQuery } from '../live/delivery-view.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import { showRule } from '../rules/rule-view.ts';
import type { Principal } from '../access/scope.ts';
import type { LastResult, Rule, TestResult } from '../types.ts';
import type { App } from '../zod-types.ts';

const tag = 'rules';

/** What the routes of rules work with. */
export interface RuleParts {
  readonly desk: RuleDesk;
  readonly records: DeliveryRecords;
  readonly sender: Pick<Sender, 'send'>;
  readonly now: () => number;
}

/** Call event rules: those of the file to look at, those of the API to change, too. */
export function addRuleRoutes(app: App, parts: RuleParts): void {
  const { desk, records } = parts;
  const show = (principal: Principal, shown: RuleInForce, last?: DeliveryEntry): Rule =>
    showRule(
      shown,
      desk.place(shown),
      desk.own(shown),
      principal.canWrite,
      desk.isGone(shown),
      last ? showLast(last) : null,
    );

  app.get('/rules', { schema: { response: { 200: rules } }, config: { tag, summary: 'All rules' } }, (request) => {
    const principal = request.principal!;
    const last = new Map(records.lastOfRules().map((entry) => [entry.ruleId, entry]));
    return { rules: desk.list(principal).map((shown) => show(principal, shown, last.get(shown.id))) };
  });
  app.post(
    '/rules',
    { schema: { body: newRule, response: { 201: rule } }, config: { tag, summary: 'Makes a rule' } },
    (request, reply) => {
      const { extensions: extension, events: event, ...rest } = request.body;
      const made = desk.create(request.principal!, { ...rest, extension, event });
      void reply.code(201);
      return show(request.principal!, made.rule);
    },
  );
  app.get(
    '/rules/:id',
    { schema: { params: identifierParams, response: { 200: rule } }, config: { tag, summary: 'One rule' } },
    (request) => {
      const found = desk.find(request.principal!, request.params.id);
      return show(request.principal!, found, records.list({ ruleId: found.id }, 1)[0]);
    },
  );
  app.patch(
    '/rules/:id',
    {
      schema: { params: identifierParams, body: ruleChange, response: { 200: rule } },
      config: { tag, summary: 'Changes a rule; what is left out stays' },
    },
    (request) => {
      const changed = desk.change(request.principal!, request.params.id, (entry) => apply(request.body, entry));
      return show(request.principal!, changed.rule);
    },
  );
  app.delete(
    '/rules/:id',
    { schema: { params: identifierParams }, config: { tag, summary: 'Deletes a rule; what waits for it is dead' } },
    (request, reply) => {
      desk.remove(request.principal!, [request.params.id]);
      return reply.code(204).send();
    },
  );
  app.post(
    '/rules/:id/test',
    {
      schema: { params: identifierParams, body: testEvent.nullish(), response: { 200: testResult } },
      config: { tag, summary: 'Sends a sample event of a rule at once, and tells the answer' },
    },
    (request) => test(desk.find(request.principal!, request.params.id), request.body?.event, parts),
  );
}

/** A change on top of what is there. */
function apply(change: z.output<typeof ruleChange>, entry: RuleEntry): RuleEntry {
  const { extensions, events, auth, secret, ...rest } = change;
  const given = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined));
  return {
    ...entry,
    ...given,
    ...(extensions && { extension: extensions }),
    ...(events && { event: events }),
    ...(auth !== undefined && { auth: auth ?? undefined }),
    ...(secret !== undefined && { secret: secret ?? [] }),
  };
}

const showLast = ({ id, state, lastStatus, lastError, createdAt, finishedAt }: DeliveryEntry): LastResult => ({
  delivery: id,
  state,
  at: formatTime(finishedAt ?? createdAt),
  status: lastStatus ?? 0,
  error: lastError ?? '',
});

async function test(
  tested: RuleInForce,
  event: EventName | undefined,
  { desk, sender, now }: RuleParts,
): Promise<TestResult> {
  const sample: CallEvent = makeTestEvent(tested, event ?? tested.events[0]!, now());
  const request = formatRequest(sample, tested);
  const began = performance.now();
  const outcome = await sender.send(request, tested, String(sample.extras.EventID));
  return {
    request: {
      method: request.method,
      url: desk.place(tested)?.isUrlHidden ? hideQuery(request) : request.url,
      body: request.body ?? null,
    },
    status: 'status' in outcome ? outcome.status : 0,
    error: 'error' in outcome ? outcome.error : '',
    answer: ('answer' in outcome && outcome.answer) || '',
    durationMs: Math.round(performance.now() - began),
    isSuccess: isSuccess(outcome),
  };
}
