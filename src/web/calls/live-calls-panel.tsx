import { useSignal } from '@preact/signals';
import type { Call } from '../../api/types.ts';
import { Choice } from '../parts/choice.tsx';
import { Search, Select } from '../parts/field.tsx';
import { Empty, Panel } from '../parts/panel.tsx';
import { connection } from '../stream.ts';
import { count } from '../words.ts';
import { type CallKind, type CallOrder, countKinds, selectCalls } from './call-filter.ts';
import { CallRows } from './call-rows.tsx';
import { holdStill } from './hold-still.ts';
import { liveCalls } from './live-calls.ts';
import './calls.css';

/** The calls that are up, as they change. While the mouse is over them they keep their places. */
export function LiveCallsPanel() {
  const kind = useSignal<CallKind>('all');
  const order = useSignal<CallOrder>('newest');
  const text = useSignal('');
  const held = useSignal<readonly Call[] | undefined>(undefined);
  const current = selectCalls(liveCalls.value, { kind: kind.value, order: order.value, text: text.value });
  const { calls, waiting } = holdStill(held.value, current, liveCalls.value);
  const counts = countKinds(liveCalls.value);
  const hold = (event: PointerEvent): void => {
    if (event.pointerType === 'mouse' && held.peek() === undefined) held.value = current;
  };
  const release = (): void => void (held.value = undefined);
  const change = (set: () => void): void => {
    release();
    set();
  };
  return (
    <>
      <div class="filters">
        <Choice
          label="State"
          value={kind.value}
          onChoose={(chosen) => change(() => (kind.value = chosen))}
          options={[
            { value: 'all', label: 'All', count: counts.all },
            { value: 'ringing', label: 'Ringing', count: counts.ringing },
            { value: 'talking', label: 'Talking', count: counts.talking },
          ]}
        />
        <Search label="Number or name" value={text.value} onInput={(value) => change(() => (text.value = value))} />
        <Select
          label="Order"
          isBare
          value={order.value}
          onChoose={(chosen) => change(() => (order.value = chosen))}
          options={[
            { value: 'newest', label: 'Newest first' },
            { value: 'longest', label: 'Longest first' },
          ]}
        />
        {waiting > 0 && <span class="waiting-count">{count(waiting, 'new call')}</span>}
      </div>
      <Panel isFlush>
        <div onPointerEnter={hold} onPointerLeave={release}>
          {calls.length > 0 ? (
            <CallRows calls={calls} label="Live calls" isLive />
          ) : (
            <NoCalls isFiltered={counts.all > 0} />
          )}
        </div>
      </Panel>
    </>
  );
}

function NoCalls({ isFiltered }: { isFiltered: boolean }) {
  if (connection.value !== 'on') return <Empty title="Waiting for the connection" />;
  if (isFiltered) return <Empty title="No call fits" />;
  return (
    <Empty title="No call is up">
      <p>A call appears here the moment its first INVITE is seen.</p>
    </Empty>
  );
}
