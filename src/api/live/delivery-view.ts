import { formatTime } from '../../calls/time.ts';
import type { DeliveryEntry } from '../../deliveries/delivery-records.ts';
import type { Delivery } from '../types.ts';

/** A delivery as the API shows it. */
export function showDelivery(entry: DeliveryEntry): Delivery {
  const { id, eventId, ruleId, event, extension, call, method, url, state, attempts, createdAt } = entry;
  return {
    id,
    eventId,
    rule: ruleId,
    event,
    extension,
    call,
    method,
    url,
    state,
    attempts,
    createdAt: formatTime(createdAt),
    nextAttemptAt: state === 'pending' ? formatTime(entry.nextAttemptAt) : null,
    finishedAt: entry.finishedAt === null ? null : formatTime(entry.finishedAt),
    status: entry.lastStatus,
    error: entry.lastError ?? '',
  };
}
