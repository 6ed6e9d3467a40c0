import type { Ladder } from '../../api/types.ts';
import { formatOffset } from '../time-text.ts';
import { EVENTS } from '../words.ts';
import { explain } from './drawing.ts';

// A longer table is of no use to anyone; the drawing shows all.
const MAX_ROWS = 500;

/** The ladder without the drawing. */
export function MessageTable({ ladder, showsRepeats }: { ladder: Ladder; showsRepeats: boolean }) {
  const start = Date.parse(ladder.call.startedAt);
  const shown = ladder.messages.filter(({ repeats }) => repeats === null || showsRepeats).slice(0, MAX_ROWS);
  const events = Map.groupBy(ladder.events, ({ line }) => line);
  const name = (index: number): string => ladder.lanes[index]?.label || ladder.lanes[index]?.address || '?';
  return (
    <div class="table-scroll message-table" tabIndex={0} role="region" aria-label="Messages of the call">
      <table class="table">
        <thead>
          <tr>
            <th class="right">#</th>
            <th class="right">Time</th>
            <th>Leg</th>
            <th>From</th>
            <th>To</th>
            <th>Message</th>
            <th>Events</th>
          </tr>
        </thead>
        <tbody>
          {shown.map(({ line, at, leg, from, to, text, target, notes }) => (
            <tr key={line}>
              <td class="right">{line}</td>
              <td class="right">{formatOffset(Date.parse(at) - start)}</td>
              <td>{leg}</td>
              <td>{name(from)}</td>
              <td>{name(to)}</td>
              <td>{[text, target && `→ ${target}`, ...notes].filter(Boolean).join(' · ')}</td>
              <td>
                {(events.get(line) ?? []).map((told, index) => (
                  <p key={index}>
                    <b>
                      {EVENTS[told.event].label} {told.extension}
                    </b>
                    : {explain(told)}
                  </p>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {shown.length === MAX_ROWS && <p class="faint">Only the first {MAX_ROWS} messages are listed.</p>}
    </div>
  );
}
