import { useSignal } from '@preact/signals';
import type { DeliveryFilter, Requeued, Retry } from '../../api/types.ts';
import { request } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Confirm } from '../parts/dialog.tsx';
import { tell } from '../parts/notices.tsx';
import { Empty, Failure, Page, Panel } from '../parts/panel.tsx';
import { place, setQuery } from '../router.ts';
import { canSendAgain } from '../session.ts';
import { count } from '../words.ts';
import { DeliveryDetailDialog } from './delivery-detail-dialog.tsx';
import { DeliveryFilters } from './delivery-filters.tsx';
import { readDeliveryQuery } from './delivery-query.ts';
import { DeliveryTable } from './delivery-table.tsx';
import { type DeliveryList, useDeliveries } from './use-deliveries.ts';
import '../calls/calls.css';
import './deliveries.css';

async function retry(which: Retry): Promise<void> {
  const { deliveries } = await request<Requeued>('POST', '/deliveries/retry', which);
  tell(
    deliveries === 0
      ? 'There was nothing to send again.'
      : `${count(deliveries, 'delivery', 'deliveries')} sent again.`,
  );
}

/** What was sent where, and what became of it. */
export function DeliveriesPage() {
  const query = readDeliveryQuery(place.value.query);
  const list = useDeliveries(query);
  const selected = useSignal<ReadonlySet<number>>(new Set());
  const open = place.value.query.get('id');
  const retrySelected = async (): Promise<void> => {
    await retry({ ids: [...selected.value] });
    selected.value = new Set();
    list.reload();
  };
  return (
    <Page title="Deliveries" tools={canSendAgain() && <RetryAll list={list} />}>
      <DeliveryFilters query={query} />
      {selected.value.size > 0 && (
        <div class="selection" role="status">
          {selected.value.size} chosen
          <Button icon="retry" kind="primary" onClick={retrySelected}>
            Send again
          </Button>
          <Button kind="quiet" onClick={() => (selected.value = new Set())}>
            Clear
          </Button>
        </div>
      )}
      {list.waiting > 0 && (
        <button type="button" class="waiting news" onClick={list.reload}>
          {count(list.waiting, 'new delivery', 'new deliveries')}: show
        </button>
      )}
      <Panel isFlush>
        <DeliveryRows list={list} selected={selected.value} onSelect={(ids) => (selected.value = ids)} />
      </Panel>
      {open !== null && /^\d+$/.test(open) && (
        <DeliveryDetailDialog
          key={open}
          id={Number(open)}
          onRetry={async () => {
            await retry({ ids: [Number(open)] });
            list.reload();
          }}
          onClose={() => setQuery({ id: '' })}
        />
      )}
    </Page>
  );
}

interface RowsProps {
  readonly list: DeliveryList;
  readonly selected: ReadonlySet<number>;
  readonly onSelect: (ids: ReadonlySet<number>) => void;
}

function DeliveryRows({ list, selected, onSelect }: RowsProps) {
  if (list.error) return <Failure error={list.error} onRetry={list.reload} />;
  if (!list.isLoaded) return null;
  if (list.deliveries.length === 0) {
    return (
      <Empty title="No delivery fits">
        <p>Deliveries appear when a call event of an extension has a rule.</p>
      </Empty>
    );
  }
  return (
    <>
      <DeliveryTable
        deliveries={list.deliveries}
        selected={selected}
        onSelect={onSelect}
        onOpen={(id) => setQuery({ id: `${id}` })}
      />
      {list.next !== null && (
        <div class="more">
          <Button onClick={list.loadMore}>Show older deliveries</Button>
        </div>
      )}
    </>
  );
}

/** Sends all again that have failed and fit the other filters. */
function RetryAll({ list }: { list: DeliveryList }) {
  const isAsking = useSignal(false);
  const filter: DeliveryFilter = { ...list.filter, state: 'dead' };
  const isNarrowed = Object.keys(filter).length > 1;
  return (
    <>
      <Button icon="retry" onClick={() => (isAsking.value = true)}>
        Send all failed again
      </Button>
      {isAsking.value && (
        <Confirm
          title="Send all failed deliveries again?"
          text={
            isNarrowed
              ? 'Every failed delivery that fits the filters is sent again, oldest first.'
              : 'Every failed delivery that is kept is sent again, oldest first.'
          }
          action="Send again"
          onConfirm={async () => {
            await retry({ filter });
            list.reload();
          }}
          onClose={() => (isAsking.value = false)}
        />
      )}
    </>
  );
}
