import { formatTime } from '../../calls/time.ts';
import type { DeliveryEntry } from '../../deliveries/delivery-records.ts';
import type { Delivery } from '../types.ts';

/** A URL without what the rule's own query is, which may be secret; the parameters of a GET stay. */
export function hideQuery({ method, url }: Pick<Delivery, 'method' | 'url'>): string {
  const begin = url.indexOf('?');
  const parameters = method === 'GET' ? Math.max(url.lastIndexOf('?CallID='), url.lastIndexOf('&CallID=')) : -1;
  if (begin < 0 || parameters === begin) return url;
  return `${url.slice(0, begin)}?…${parameters < 0 ? '' : `&${url.slice(parameters + 1)}`}`;
}

/** A delivery as the API shows it. */
export function showDelivery(entry: DeliveryEntry, isUrlShown: boolean): Delivery {
  const { id, eventId, ruleId, event, extension, call, method, state, attempts, createdAt } = entry;
  return {
    id,
    eventId,
    rule: ruleId,
    event,
    extension,
    call,
    method,
    url: isUrlShown ? entry.url : hideQuery(entry),
    state,
    attempts,
    createdAt: formatTime(createdAt),
    nextAttemptAt: state === 'pending' ? formatTime(entry.nextAttemptAt) : null,
    finishedAt: entry.finishedAt === null ? null : formatTime(entry.finishedAt),
    status: entry.lastStatus,
    error: entry.lastError ?? '',
  };
}
