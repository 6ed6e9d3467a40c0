import type { Delivery } from '../../api/types.ts';
import { formatMoment } from '../calendar.ts';
import { Extension, State } from '../parts/marks.tsx';
import { canSendAgain } from '../session.ts';
import { DELIVERY_STATES, describeResult, EVENTS } from '../words.ts';

interface DeliveryTableProps {
  readonly deliveries: readonly Delivery[];
  readonly selected: ReadonlySet<number>;
  readonly onSelect: (ids: ReadonlySet<number>) => void;
  readonly onOpen: (id: number) => void;
}

const isRetryable = ({ state }: Delivery): boolean => state !== 'pending';

export function DeliveryTable({ deliveries, selected, onSelect, onOpen }: DeliveryTableProps) {
  const all = deliveries.filter(isRetryable).map(({ id }) => id);
  const hasAll = all.length > 0 && all.every((id) => selected.has(id));
  const toggle = (id: number): void => {
    const ids = new Set(selected);
    if (!ids.delete(id)) ids.add(id);
    onSelect(ids);
  };
  return (
    <table class="table stacks deliveries">
      <thead>
        <tr>
          {canSendAgain() && (
            <th class="pick">
              <input
                type="checkbox"
                aria-label="Choose all"
                checked={hasAll}
                onChange={() => onSelect(new Set(hasAll ? [] : all))}
              />
            </th>
          )}
          <th>Time</th>
          <th>Event</th>
          <th>Extension</th>
          <th>Script</th>
          <th>Outcome</th>
          <th class="right">Attempts</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => (
          <DeliveryRow
            key={delivery.id}
            delivery={delivery}
            isSelected={selected.has(delivery.id)}
            onToggle={toggle}
            onOpen={onOpen}
          />
        ))}
      </tbody>
    </table>
  );
}

interface RowProps {
  readonly delivery: Delivery;
  readonly isSelected: boolean;
  readonly onToggle: (id: number) => void;
  readonly onOpen: (id: number) => void;
}

function DeliveryRow({ delivery, isSelected, onToggle, onOpen }: RowProps) {
  const { id, createdAt, event, extension, method, url, state, attempts } = delivery;
  const { label, tone } = DELIVERY_STATES[state];
  const name = `${EVENTS[event].label} of ${extension}, ${formatMoment(createdAt)}`;
  return (
    <tr class={isSelected ? 'chosen' : undefined}>
      {canSendAgain() && (
        <td class="pick">
          <input
            type="checkbox"
            aria-label={`Choose ${name}`}
            checked={isSelected}
            disabled={!isRetryable(delivery)}
            onChange={() => onToggle(id)}
          />
        </td>
      )}
      <td class="nowrap">
        <button type="button" class="row-open number" aria-label={`Show ${name}`} onClick={() => onOpen(id)}>
          {formatMoment(createdAt)}
        </button>
      </td>
      <td class="nowrap">{EVENTS[event].label}</td>
      <td class="end">
        <Extension number={extension} />
      </td>
      <td class="script wide">
        <span class="method">{method}</span>
        <code class="cut" title={url}>
          {url}
        </code>
      </td>
      <td class="outcome">
        <State tone={tone}>{label}</State>
        <span class="faint cut">
          {state === 'delivered' && delivery.error === '' ? delivery.status : describeResult(delivery)}
        </span>
      </td>
      <td class="right end" data-label={attempts === 1 ? 'attempt' : 'attempts'}>
        {attempts}
      </td>
    </tr>
  );
}
