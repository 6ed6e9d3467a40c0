import type { Delivery, DeliveryFilter } from '../../api/types.ts';
import { DELIVERY_STATE_NAMES, EVENT_NAMES } from '../words.ts';

/** How far back deliveries are looked for; none: as far as they are kept. */
export const SPANS = { '15m': 15 * 60_000, '1h': 3_600_000, '24h': 86_400_000 } as const;
export type Span = keyof typeof SPANS;

/** The filters as the page's address has them; empty where there is none. */
export interface DeliveryQuery {
  readonly state: string;
  readonly event: string;
  readonly extension: string;
  readonly url: string;
  readonly call: string;
  readonly rule: string;
  readonly last: string;
}

const NAMES = ['state', 'event', 'extension', 'url', 'call', 'rule', 'last'] as const;

export function readDeliveryQuery(query: URLSearchParams): DeliveryQuery {
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name)?.trim() ?? ''])) as unknown as DeliveryQuery;
}

/** What to ask the API for; values of the address that it doesn't know are left out. */
export function makeFilter({ last, ...query }: DeliveryQuery, now: number): DeliveryFilter {
  const state = DELIVERY_STATE_NAMES.find((name) => name === query.state);
  const event = EVENT_NAMES.find((name) => name === query.event);
  const span = Object.hasOwn(SPANS, last) ? SPANS[last as Span] : undefined;
  const { extension, url, call, rule } = query;
  const texts = Object.entries({ extension, url, call, rule }).filter(([, text]) => text !== '');
  return {
    ...(Object.fromEntries(texts) as Pick<DeliveryFilter, 'extension' | 'url' | 'call' | 'rule'>),
    ...(state && { state }),
    ...(event && { event }),
    ...(span !== undefined && { from: new Date(now - span).toISOString() }),
  };
}

/** Whether a delivery that the stream tells of fits. */
export function fits(delivery: Delivery, { state, event, extension, url, call, rule }: DeliveryFilter): boolean {
  const isSame = (wanted: string | undefined, own: string): boolean => wanted === undefined || wanted === own;
  return (
    isSame(state, delivery.state) &&
    isSame(event, delivery.event) &&
    isSame(extension, delivery.extension) &&
    isSame(call, delivery.call) &&
    isSame(rule, delivery.rule) &&
    (url === undefined || delivery.url.toLowerCase().includes(url.toLowerCase()))
  );
}
