import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Overview, Registrations } from '../../api/types.ts';
import { get } from '../api-client.ts';
import { useLoaded } from '../parts/loaded.ts';
import { Failure, Page, Panel } from '../parts/panel.tsx';
import { listen } from '../stream.ts';
import { formatTook } from '../time-text.ts';
import { Chart } from './chart.tsx';
import { formatCount } from './count-text.ts';
import { OutcomePanel } from './outcome-panel.tsx';
import { RegistrationPanel } from './registration-panel.tsx';
import { ScriptPanel } from './script-panel.tsx';
import { highest, latest } from './series.ts';
import { Tiles } from './tiles.tsx';
import './overview.css';

const REFRESH_MS = 10_000;

/** How calls and scripts do, at a glance. */
export function OverviewPage() {
  const overview = useLoaded('overview', () => get<Overview>('/overview'));
  const registrations = useLoaded('registrations', () => get<Registrations>('/registrations'));
  const counts = useSignal<{ calls: number; parties: number; pending: number } | undefined>(undefined);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden) return;
      overview.reload();
      registrations.reload();
    }, REFRESH_MS);
    return () => clearInterval(timer);
  }, []);
  useEffect(() => listen((message) => message.event === 'counts' && (counts.value = message.data)), []);
  return (
    <Page title="Overview">
      {overview.error && !overview.value && <Failure error={overview.error} onRetry={overview.reload} />}
      {overview.value && (
        <>
          <Tiles overview={overview.value} counts={counts.value} registrations={registrations.value} />
          <Charts overview={overview.value} />
          <ScriptPanel scripts={overview.value.scripts} />
        </>
      )}
      {registrations.value && <RegistrationPanel registrations={registrations.value} />}
    </Page>
  );
}

function Charts({ overview }: { overview: Overview }) {
  const { from, stepMs, steps, calls, deliveries } = overview;
  const start = Date.parse(from);
  const times = Array.from({ length: steps }, (_, index) => start + index * stepMs);
  const shared = { times, format: formatTook };
  return (
    <>
      <OutcomePanel overview={overview} times={times} />
      <div class="chart-grid">
        <Panel title="Time to answer">
          <Chart
            {...shared}
            kind="line"
            summary={summarise('From ringing to the answer', calls.answerMs)}
            series={[
              { label: 'half of them', values: calls.answerMs.p50, color: '--accent' },
              { label: '95 %', values: calls.answerMs.p95, color: '--odd' },
            ]}
          />
        </Panel>
        <Panel title="Time to deliver">
          <Chart
            {...shared}
            kind="line"
            summary={summarise('From the event to the answer of the script', deliveries.deliveryMs)}
            series={[
              { label: 'half of them', values: deliveries.deliveryMs.p50, color: '--accent' },
              { label: '95 %', values: deliveries.deliveryMs.p95, color: '--odd' },
            ]}
          />
        </Panel>
        <Panel title="Deliveries waiting">
          <Chart
            times={times}
            format={formatCount}
            kind="area"
            summary={`Deliveries waiting: ${latest(deliveries.queue) ?? 0} now, at most ${highest(deliveries.queue) ?? 0}`}
            series={[
              { label: 'waiting', values: deliveries.queue, color: '--calm' },
              { label: 'failed attempts', values: deliveries.failed, color: '--bad' },
            ]}
          />
        </Panel>
      </div>
    </>
  );
}

function summarise(what: string, { p50, p95 }: { p50: (number | null)[]; p95: (number | null)[] }): string {
  const write = (value: number | null): string => (value === null ? 'unknown' : formatTook(value));
  return `${what}: latest ${write(latest(p50))} for half of them, ${write(latest(p95))} for 95 percent`;
}
