import type { Ladder } from '../../api/types.ts';
import { Extension } from '../parts/marks.tsx';
import { formatOffset } from '../time-text.ts';
import { EVENTS, STATUSES } from '../words.ts';
import { explain } from './drawing.ts';

interface EventListProps {
  readonly ladder: Ladder;
  readonly onSelect: (line: number) => void;
}

/** Each event with the decision in words; a click shows the message that brought it about. */
export function EventList({ ladder, onSelect }: EventListProps) {
  const start = Date.parse(ladder.call.startedAt);
  if (ladder.events.length === 0)
    return <p class="soft">Nobody in this call is an extension, so nothing is told of it.</p>;
  return (
    <ol class="event-list">
      {ladder.events.map((told, index) => {
        const { event, extension, params, line, at } = told;
        const status = params.CallStatus;
        const tone = event === 'hangup' && status !== 'CALLING' ? STATUSES[status].tone : 'accent';
        return (
          <li key={index} class={tone}>
            <div class="event-head">
              <b>{EVENTS[event].label}</b>
              <Extension number={extension} />
              <When line={line} offset={formatOffset(Date.parse(at) - start)} onSelect={onSelect} />
            </div>
            <p class="soft">{explain(told)}</p>
          </li>
        );
      })}
    </ol>
  );
}

interface WhenProps {
  readonly line: number | null;
  readonly offset: string;
  readonly onSelect: (line: number) => void;
}

function When({ line, offset, onSelect }: WhenProps) {
  if (line === null) return <span class="faint number when">{offset}</span>;
  return (
    <button
      type="button"
      class="link number when"
      title={`Show message ${line}`}
      aria-label={`${offset}: show message ${line}`}
      onClick={() => onSelect(line)}
    >
      {offset}
    </button>
  );
}
