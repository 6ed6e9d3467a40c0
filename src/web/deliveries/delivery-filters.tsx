import { useEffect, useState } from 'preact/hooks';
import type { Rules } from '../../api/types.ts';
import { get } from '../api-client.ts';
import { Button } from '../parts/button.tsx';
import { Choice } from '../parts/choice.tsx';
import { Search, Select } from '../parts/field.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { setQuery } from '../router.ts';
import { DELIVERY_STATE_NAMES, DELIVERY_STATES, EVENT_NAMES, EVENTS } from '../words.ts';
import type { DeliveryQuery } from './delivery-query.ts';

const TYPING_MS = 300;

const STATES = [
  { value: '', label: 'All' },
  ...DELIVERY_STATE_NAMES.map((value) => ({ value, label: DELIVERY_STATES[value].label })),
];
const EVENT_OPTIONS = [
  { value: '', label: 'All events' },
  ...EVENT_NAMES.map((value) => ({ value, label: EVENTS[value].label })),
];
const SPAN_OPTIONS = [
  { value: '', label: 'Any time' },
  { value: '15m', label: 'Last 15 minutes' },
  { value: '1h', label: 'Last hour' },
  { value: '24h', label: 'Last 24 hours' },
];

const STATUS_OPTIONS = [
  { value: '', label: 'Any answer' },
  { value: '0', label: 'No answer' },
  ...['200', '204', '301', '302', '400', '401', '403', '404', '408', '410', '429', '500', '502', '503', '504'].map(
    (value) => ({
      value,
      label: value,
    }),
  ),
];

/** The filters, which stand in the address: it can be sent to others, and kept. */
export function DeliveryFilters({ query }: { query: DeliveryQuery }) {
  const clear = (): void =>
    setQuery({ state: '', event: '', extension: '', url: '', call: '', rule: '', status: '', last: '' });
  const isFiltered = Object.values(query).some((value: string) => value !== '');
  return (
    <div class="filters">
      <Choice label="Outcome" value={query.state} options={STATES} onChoose={(state) => setQuery({ state })} />
      <Typed label="Extension" value={query.extension} name="extension" />
      <Typed label="Part of the URL" value={query.url} name="url" />
      <RuleChoice rule={query.rule} />
      <Select
        label="Event"
        isBare
        value={query.event}
        options={EVENT_OPTIONS}
        onChoose={(event) => setQuery({ event })}
      />
      <StatusChoice status={query.status} />
      <Select label="Time" isBare value={query.last} options={SPAN_OPTIONS} onChoose={(last) => setQuery({ last })} />
      {query.call !== '' && <Chip label={`Call ${query.call}`} onRemove={() => setQuery({ call: '' })} />}
      {isFiltered && (
        <Button kind="quiet" onClick={clear}>
          Clear
        </Button>
      )}
    </div>
  );
}

/** What the script answered last; one that is not in the list can still be asked for. */
function StatusChoice({ status }: { status: string }) {
  const isKnown = STATUS_OPTIONS.some(({ value }) => value === status);
  const options = isKnown ? STATUS_OPTIONS : [...STATUS_OPTIONS, { value: status, label: status }];
  return (
    <Select label="Answer" isBare value={status} options={options} onChoose={(value) => setQuery({ status: value })} />
  );
}

/** Which rule's; one that is no longer there can still be asked for. */
function RuleChoice({ rule }: { rule: string }) {
  const { value } = useLoaded('rules', () => get<Rules>('/rules'));
  const rules = (value?.rules ?? []).map(({ id, note, url }) => ({ value: id, label: note || url }));
  const isKnown = rule === '' || rules.some(({ value: id }) => id === rule);
  const options = [{ value: '', label: 'All rules' }, ...(isKnown ? [] : [{ value: rule, label: rule }]), ...rules];
  return <Select label="Rule" isBare value={rule} options={options} onChoose={(id) => setQuery({ rule: id })} />;
}

/** A text that filters once the typing pauses. */
function Typed({ label, value, name }: { label: string; value: string; name: string }) {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text === value) return undefined;
    const timer = setTimeout(() => setQuery({ [name]: text }), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <Search label={label} value={text} onInput={setText} />;
}

function Chip({ label, onRemove }: { label: string; onRemove: () => void }) {
  return (
    <button type="button" class="chip" onClick={onRemove} aria-label={`Remove the filter: ${label}`}>
      <span class="cut">{label}</span> ×
    </button>
  );
}
