import { z } from 'zod';
import { formatTime } from '../../calls/time.ts';
import type {
  AttemptEntry,
  DeliveryDetails,
  DeliveryEntry,
  DeliveryFilter as RecordFilter,
  DeliveryRecords,
} from '../../deliveries/delivery-records.ts';
import type { Scope } from '../access/scope.ts';
import { RequestError } from '../problem.ts';
import { requeued } from '../resources/call.ts';
import { deliveries, delivery, deliveryDetail, deliveryFilter, retry } from '../resources/delivery.ts';
import { showDelivery } from '../live/delivery-view.ts';
import type { RuleDesk } from '../rules/rule-desk.ts';
import type { Attempt, Delivery, DeliveryDetail } from '../types.ts';
import type { App } from '../zod-types.ts';

const tag = 'deliveries';
const MAX_PAGE = 500;
const DEFAULT_PAGE = 50;
/** Looked at for a page, where many are not to be seen. */
const MAX_LOOKED_AT = 10_000;

const query = deliveryFilter.extend({
  limit: z.coerce.number().int().min(1).max(MAX_PAGE).default(DEFAULT_PAGE),
  before: z.coerce.number().int().min(0).optional().describe('`next` of the page before'),
});
const params = z.object({ id: z.coerce.number().int().min(0) });

/** What was sent where, and what came of it. */
export function addDeliveryRoutes(
  app: App,
  { records, desk, now }: { readonly records: DeliveryRecords; readonly desk: RuleDesk; readonly now: () => number },
): void {
  const show = (entry: DeliveryEntry, scope: Scope): Delivery =>
    showDelivery(entry, desk.showsUrl(scope, entry.ruleId));
  app.get(
    '/deliveries',
    {
      schema: { querystring: query, response: { 200: deliveries } },
      config: { tag, summary: 'Deliveries, newest first' },
    },
    (request) => {
      const { limit, before, ...filter } = request.query;
      const { scope } = request.principal!;
      const found = listSeen(records, scope, { ...toFilter(filter, scope), before }, limit);
      const last = found.at(-1);
      return {
        deliveries: found.map((entry) => show(entry, scope)),
        next: last && found.length === limit ? String(last.id) : null,
      };
    },
  );
  app.get(
    '/deliveries/:id',
    {
      schema: { params, response: { 200: deliveryDetail } },
      config: { tag, summary: 'One delivery, with its request and attempts' },
    },
    (request) => {
      const { scope } = request.principal!;
      const details = find(records, request.params.id, scope);
      return { ...show(details, scope), ...showDetails(details) };
    },
  );
  app.post(
    '/deliveries/:id/retry',
    {
      schema: { params, response: { 200: delivery } },
      config: {
        tag,
        isOperatorsOnly: true,
        summary: 'Sends a delivery that is done, whatever became of it, once more',
      },
    },
    (request) => {
      const { scope } = request.principal!;
      const { id } = find(records, request.params.id, scope);
      if (records.requeue({ ids: [id] }, now()) === 0) throw new RequestError('conflict', 'this delivery is pending');
      return show(find(records, id, scope), scope);
    },
  );
  app.post(
    '/deliveries/retry',
    {
      schema: { body: retry, response: { 200: requeued } },
      config: {
        tag,
        isOperatorsOnly: true,
        summary: 'Sends deliveries that are done once more: those of the ids, or all that fit the filter',
      },
    },
    (request) => {
      const { scope } = request.principal!;
      const { body } = request;
      const filter = toFilter('filter' in body ? body.filter : {}, scope);
      if ('ids' in body) for (const id of body.ids) find(records, id, scope);
      if (!scope.isAll && scope.extension === undefined && !('ids' in body)) {
        const ids = listSeen(records, scope, filter, MAX_LOOKED_AT).map(({ id }) => id);
        return { deliveries: records.requeue({ ids }, now()) };
      }
      return { deliveries: records.requeue({ ...filter, ...('ids' in body && { ids: body.ids }) }, now()) };
    },
  );
}

/** Whoever sees one extension only asks for no other. */
function toFilter(
  { state, rule, call, extension, event, url, status, from, to }: z.output<typeof deliveryFilter>,
  scope: Scope,
): RecordFilter {
  return {
    states: state && [state],
    ruleId: rule,
    call,
    extension: scope.extension ?? extension,
    event,
    url,
    status,
    since: from === undefined ? undefined : Date.parse(from),
    until: to === undefined ? undefined : Date.parse(to),
  };
}

/** The newest that fit and are to be seen. */
function listSeen(records: DeliveryRecords, scope: Scope, filter: RecordFilter, limit: number): DeliveryEntry[] {
  const seen: DeliveryEntry[] = [];
  let { before } = filter;
  for (let looked = 0; seen.length < limit && looked < MAX_LOOKED_AT; looked += MAX_PAGE) {
    const page = records.list({ ...filter, before }, scope.isAll ? limit : MAX_PAGE);
    seen.push(...page.filter(({ extension }) => scope.sees(extension)));
    before = page.at(-1)?.id;
    if (scope.isAll || page.length < MAX_PAGE) break;
  }
  return seen.slice(0, limit);
}

function find(records: DeliveryRecords, id: number, scope: Scope): DeliveryDetails {
  const found = records.show(id);
  if (!found || !scope.sees(found.extension)) throw new RequestError('not_found', 'there is no such delivery');
  return found;
}

const showDetails = (details: DeliveryDetails): Omit<DeliveryDetail, keyof Delivery> => ({
  contentType: details.contentType,
  body: details.body,
  history: details.history.map(showAttempt),
});

const showAttempt = ({ at, durationMs, status, error, answer }: AttemptEntry, i: number): Attempt => ({
  number: i + 1,
  at: formatTime(at - durationMs),
  durationMs: Math.round(durationMs),
  status,
  error,
  answer,
});
