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
  /** HTTP status of the last answer; 0 for none. */
  readonly status: string;
  readonly last: string;
}

const NAMES = ['state', 'event', 'extension', 'url', 'call', 'rule', 'status', 'last'] as const;

export function readDeliveryQuery(query: URLSearchParams): DeliveryQuery {
  return Object.fromEntries(NAMES.map((name) => [name, query.get(name)?.trim() ?? ''])) as unknown as DeliveryQuery;
}

/** What to ask the API for; values of the address that it doesn't know are left out. */
export function makeFilter({ last, ...query }: DeliveryQuery, now: number): DeliveryFilter {
  const state = DELIVERY_STATE_NAMES.find((name) => name === query.state);
  const event = EVENT_NAMES.find((name) => name === query.event);
  const span = Object.hasOwn(SPANS, last) ? SPANS[last as Span] : undefined;
  const { extension, url, call, rule } = query;
  const status = /^(0|[1-5]\d\d)$/.test(query.status) ? Number(query.status) : undefined;
  const texts = Object.entries({ extension, url, call, rule }).filter(([, text]) => text !== '');
  return {
    ...(Object.fromEntries(texts) as Pick<DeliveryFilter, 'extension' | 'url' | 'call' | 'rule'>),
    ...(state && { state }),
    ...(event && { event }),
    ...(status !== undefined && { status }),
    ...(span !== undefined && { from: new Date(now - span).toISOString() }),
  };
}

/** Whether a delivery that the stream tells of fits. */
export function fits(
  delivery: Delivery,
  { state, event, extension, url, call, rule, status }: DeliveryFilter,
): boolean {
  const isSame = (wanted: string | undefined, own: string): boolean => wanted === undefined || wanted === own;
  return (
    isSame(state, delivery.state) &&
    isSame(event, delivery.event) &&
    isSame(extension, delivery.extension) &&
    isSame(call, delivery.call) &&
    isSame(rule, delivery.rule) &&
    (status === undefined || status === delivery.status) &&
    (url === undefined || delivery.url.split('?', 1)[0]!.toLowerCase().includes(url.toLowerCase()))
  );
}
