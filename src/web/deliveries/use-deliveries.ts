import { useEffect, useRef, useState } from 'preact/hooks';
import type { Deliveries, Delivery, DeliveryFilter } from '../../api/types.ts';
import { formatQuery, get } from '../api-client.ts';
import { now } from '../clock.ts';
import { listen } from '../stream.ts';
import { type DeliveryQuery, fits, makeFilter } from './delivery-query.ts';

const PAGE = 100;
const FLUSH_MS = 250;
const MAX_WAITING = 1000;

interface Page {
  readonly deliveries: readonly Delivery[];
  readonly next: string | null;
}

export interface DeliveryList extends Page {
  readonly isLoaded: boolean;
  readonly error: Error | undefined;
  /** How many that fit have come since. */
  readonly waiting: number;
  readonly filter: DeliveryFilter;
  readonly reload: () => void;
  readonly loadMore: () => Promise<void>;
}

const NOTHING: Page = { deliveries: [], next: null };

/** The deliveries that fit, newest first; those shown change as the stream tells, new ones wait to be asked for. */
export function useDeliveries(query: DeliveryQuery): DeliveryList {
  const key = JSON.stringify(query);
  const [page, setPage] = useState<Page | undefined>(undefined);
  const [error, setError] = useState<Error | undefined>(undefined);
  const [waiting, setWaiting] = useState(0);
  const filter = useRef<DeliveryFilter>({});
  const turn = useRef(0);
  const shown = useRef(NOTHING);
  shown.current = page ?? NOTHING;

  const latestReload = useRef(() => {});
  const load = (before?: string): Promise<Deliveries> =>
    get<Deliveries>(`/deliveries${formatQuery({ ...filter.current, limit: PAGE, before })}`);
  const reload = (): void => {
    const own = ++turn.current;
    filter.current = makeFilter(query, now.peek());
    load().then(
      (first) => {
        if (own !== turn.current) return;
        setPage(first);
        setWaiting(0);
        setError(undefined);
      },
      (thrown: Error) => own === turn.current && setError(thrown),
    );
  };
  latestReload.current = reload;
  const loadMore = async (): Promise<void> => {
    const own = turn.current;
    const { deliveries, next } = await load(shown.current.next!);
    if (own === turn.current)
      setPage((before) => ({ deliveries: [...(before ?? NOTHING).deliveries, ...deliveries], next }));
  };
  useEffect(() => {
    reload();
    return () => void turn.current++;
  }, [key]);
  useEffect(() => follow(), []);

  /** Takes in what the stream tells, several times a second. */
  function follow(): () => void {
    const news = new Map<number, Delivery>();
    const unseen = new Set<number>();
    let timer: number | undefined;
    const flush = (): void => {
      timer = undefined;
      const known = new Set(shown.current.deliveries.map(({ id }) => id));
      const newest = shown.current.deliveries[0]?.id ?? 0;
      for (const delivery of news.values()) {
        const isNew = delivery.id > newest && !known.has(delivery.id) && fits(delivery, filter.current);
        if (isNew && unseen.size < MAX_WAITING) unseen.add(delivery.id);
      }
      const changed = new Map([...news].filter(([id]) => known.has(id)));
      news.clear();
      for (const id of unseen) if (id <= newest) unseen.delete(id);
      // Where there is nothing that could lose its place, what is new is shown at once.
      if (newest === 0 && unseen.size > 0) latestReload.current();
      setWaiting(unseen.size);
      if (changed.size === 0) return;
      setPage(
        (before) => before && { ...before, deliveries: before.deliveries.map((own) => changed.get(own.id) ?? own) },
      );
    };
    const stop = listen((message) => {
      if (message.event !== 'delivery' || news.size >= MAX_WAITING) return;
      news.set(message.data.id, message.data);
      timer ??= window.setTimeout(flush, FLUSH_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }

  return { ...shown.current, isLoaded: page !== undefined, error, waiting, filter: filter.current, reload, loadMore };
}
