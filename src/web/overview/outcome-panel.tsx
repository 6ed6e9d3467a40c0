import { useSignal } from '@preact/signals';
import type { Overview } from '../../api/types.ts';
import { formatMinute } from '../calendar.ts';
import { Panel } from '../parts/panel.tsx';
import { formatDistance } from '../time-text.ts';
import { STATUS_NAMES, STATUSES } from '../words.ts';
import { Chart } from './chart.tsx';
import { formatCount } from './count-text.ts';
import { sum } from './series.ts';

/** Calls that ended, by what they came to: over time, and all in all. */
export function OutcomePanel({ overview, times }: { overview: Overview; times: readonly number[] }) {
  const { byStatus } = overview.calls;
  const rows = STATUS_NAMES.map((status) => ({
    ...STATUSES[status],
    color: `--${status.toLowerCase()}`,
    values: byStatus[status] ?? times.map(() => 0),
    total: sum(byStatus[status] ?? []),
  }));
  const totals = rows.map(({ label, total }) => `${label} ${total}`).join(', ');
  const window = formatDistance(overview.steps * overview.stepMs);
  const at = useSignal<number | null>(null);
  const index = at.value;
  const shown = rows.map((row) => (index === null ? row.total : (row.values[index] ?? 0)));
  const all = shown.reduce((sum, value) => sum + value, 0);
  return (
    <Panel
      title="How calls ended"
      beside={
        <span class="faint number">
          {index === null ? `for each extension in them, last ${window}` : formatMinute(times[index] ?? 0)}
        </span>
      }
    >
      <div class="outcomes">
        <Chart
          times={times}
          kind="stack"
          height={190}
          format={formatCount}
          summary={`How calls ended for each extension in them in the last ${window}: ${totals}`}
          onPoint={(point) => (at.value = point)}
          series={rows.filter(({ total }) => total > 0)}
        />
        <ul class="outcome-list">
          {rows.map(({ label, meaning, color }, row) => (
            <li key={label} title={meaning}>
              <i class="swatch" style={{ background: `var(${color})` }} />
              <span>{label}</span>
              <b class="number">{shown[row]!.toLocaleString('en')}</b>
              <span class="faint number">{all === 0 ? '–' : `${Math.round((100 * shown[row]!) / all)} %`}</span>
            </li>
          ))}
        </ul>
      </div>
    </Panel>
  );
}
