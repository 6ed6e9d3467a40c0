import { useSignal } from '@preact/signals';
import type { Call, Calls } from '../../api/types.ts';
import { formatQuery, get } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Search } from '../parts/field.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { Empty, Failure, Panel } from '../parts/panel.tsx';
import { selectCalls } from './call-filter.ts';
import { CallRows } from './call-rows.tsx';

const PAGE = 100;

const load = (before?: string): Promise<Calls> =>
  get<Calls>(`/calls${formatQuery({ state: 'recent', limit: PAGE, before })}`);

/** Calls that are over, newest first. */
export function RecentCallsPanel() {
  const first = useLoaded('recent', () => load());
  const more = useSignal<readonly Call[]>([]);
  const next = useSignal<string | null | undefined>(undefined);
  const text = useSignal('');
  if (first.error) return <Failure error={first.error} onRetry={first.reload} />;
  if (!first.value) return null;
  const following = next.value === undefined ? first.value.next : next.value;
  const all = [...first.value.calls, ...more.value];
  const calls = selectCalls(all, { kind: 'all', order: 'newest', text: text.value });
  const loadMore = async (): Promise<void> => {
    const page = await load(following!);
    more.value = [...more.value, ...page.calls];
    next.value = page.next;
  };
  const refresh = (): void => {
    more.value = [];
    next.value = undefined;
    first.reload();
  };
  return (
    <>
      <div class="filters">
        <Search label="Number or name" value={text.value} onInput={(value) => (text.value = value)} />
        <Button icon="retry" onClick={refresh}>
          Refresh
        </Button>
      </div>
      <Panel isFlush>
        {calls.length > 0 ? (
          <CallRows calls={calls} label="Recent calls" />
        ) : (
          <Empty title="No call is kept that fits" />
        )}
        {following !== null && (
          <div class="more">
            <Button onClick={loadMore}>Show older calls</Button>
          </div>
        )}
      </Panel>
    </>
  );
}
