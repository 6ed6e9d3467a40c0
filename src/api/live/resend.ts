import type { CallEvent } from '../../calls/event.ts';
import type { DeliveryRecords } from '../../deliveries/delivery-records.ts';
import type { Dispatcher } from '../../deliveries/dispatcher.ts';
import type { CallRecorder } from '../../explain/call-recorder.ts';
import type { Rule } from '../../rules/rule.ts';

const MAX_DELIVERIES = 1000;

/** Where events of calls are known, and what sends them. */
export interface ResendParts {
  readonly recorder: CallRecorder;
  readonly records: DeliveryRecords;
  readonly dispatcher: Pick<Dispatcher, 'publish'>;
  readonly now: () => number;
}

/** The events of a call in their order: as it is remembered, or else as far as they were sent anywhere. @throws StoreError */
export function findEvents(id: string, { recorder, records }: ResendParts): CallEvent[] {
  const recorded = recorder.find(id);
  if (recorded && recorded.events.length > 0) return recorded.events.map(({ event }) => event);
  const events = new Map<string, CallEvent>();
  for (const delivery of records.list({ call: id }, MAX_DELIVERIES)) {
    if (events.has(delivery.eventId)) continue;
    const details = records.show(delivery.id);
    if (details) events.set(delivery.eventId, details.source);
  }
  return [...events.values()].sort((a, b) => Number(a.extras.Sequence ?? 0) - Number(b.extras.Sequence ?? 0));
}

/**
 * Sends events to one rule, those once more that it had already, with the same ids. Returns how many are pending by that.
 * @throws StoreError
 */
export function resend(events: readonly CallEvent[], rule: Rule, { records, dispatcher, now }: ResendParts): number {
  const [first] = events;
  if (!first) return 0;
  const had = records.list({ call: first.params.CallAPIID, ruleId: rule.id }, MAX_DELIVERIES);
  const known = new Set(had.map(({ eventId }) => eventId));
  const asked = new Set(events.map(({ extras }) => String(extras.EventID)));
  const again = had.filter(({ eventId }) => asked.has(eventId)).map(({ id }) => id);
  const anew = events.filter(({ extras }) => !known.has(String(extras.EventID)));
  dispatcher.publish(anew.map((event) => ({ event, rules: [rule] })));
  return anew.length + (again.length > 0 ? records.requeue({ ids: again }, now()) : 0);
}
