import type { Overview } from '../../api/types.ts';
import { now } from '../clock.ts';
import { State } from '../parts/marks.tsx';
import { Empty, Panel } from '../parts/panel.tsx';
import { formatAgo, formatTook } from '../time-text.ts';
import { SCRIPT_HEALTH } from '../words.ts';

const write = (ms: number | null): string => (ms === null ? '–' : formatTook(ms));

/** How each script does. */
export function ScriptPanel({ scripts }: { scripts: Overview['scripts'] }) {
  if (scripts.length === 0) {
    return (
      <Panel title="Scripts">
        <Empty title="No script is called yet">
          <a href="/call-events">Add a rule</a>
        </Empty>
      </Panel>
    );
  }
  return (
    <Panel title="Scripts" isFlush>
      <table class="table stacks scripts">
        <thead>
          <tr>
            <th>Script</th>
            <th>Health</th>
            <th class="right">Waiting</th>
            <th class="right">Delivered</th>
            <th class="right">Failed</th>
            <th class="right">Half within</th>
            <th class="right">95 % within</th>
            <th>Last answer</th>
          </tr>
        </thead>
        <tbody>
          {scripts.map((script) => (
            <ScriptRow key={script.url} script={script} />
          ))}
        </tbody>
      </table>
    </Panel>
  );
}

function ScriptRow({ script }: { script: Overview['scripts'][number] }) {
  const { url, health, pending, delivered, failed, p50Ms, p95Ms } = script;
  const { label, tone } = SCRIPT_HEALTH[health];
  return (
    <tr>
      <td class="script-url wide">
        <a class="plain" href={`/deliveries?url=${encodeURIComponent(url)}`} title={url}>
          <code>{url}</code>
        </a>
      </td>
      <td>
        <State tone={tone}>{label}</State>
      </td>
      <td class="right" data-label="waiting">
        {pending.toLocaleString('en')}
      </td>
      <td class="right" data-label="delivered">
        {delivered.toLocaleString('en')}
      </td>
      <td class={failed > 0 ? 'right failed' : 'right'} data-label="failed">
        {failed.toLocaleString('en')}
      </td>
      <td class="right" data-label="half within">
        {write(p50Ms)}
      </td>
      <td class="right" data-label="95 % within">
        {write(p95Ms)}
      </td>
      <td class="script-last wide">
        <LastAnswer script={script} />
      </td>
    </tr>
  );
}

function LastAnswer({ script: { lastAt, lastStatus, lastError } }: { script: Overview['scripts'][number] }) {
  if (lastAt === null) return <span class="faint">none</span>;
  const answer = lastError === '' ? `${lastStatus ?? ''}` : lastError;
  return (
    <span title={lastError}>
      {answer} <span class="faint nowrap">{formatAgo(now.value - Date.parse(lastAt))}</span>
    </span>
  );
}
