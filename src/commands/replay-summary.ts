import type { CallEvent } from '../calls/event.ts';
import type { CallTracker } from '../calls/tracker.ts';
import type { SourceCounts } from '../sources/source-counts.ts';

/** Counts events by kind, Hangups by status. */
export class EventCounts {
  readonly #counts = new Map<string, number>();

  add({ event, params }: CallEvent): void {
    const name = event === 'hangup' ? `hangup ${params.CallStatus}` : event;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  toString(): string {
    return formatCounts(this.#counts);
  }
}

const formatCounts = (counts: ReadonlyMap<string, number>): string =>
  [...counts]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

/** What a replay found, and what it had to leave out and why. */
export function formatSummary(
  counts: SourceCounts,
  tracker: CallTracker,
  events: EventCounts,
  elapsedMs: number,
): string[] {
  const lines = [
    `${counts.messages} SIP messages in ${counts.packets} packets, ${tracker.calls} calls, ${events.total} events`,
  ];
  if (elapsedMs >= 1000) {
    const rate = Math.round(counts.messages / (elapsedMs / 1000)).toLocaleString('en');
    lines.push(`read in ${(elapsedMs / 1000).toFixed(2)} s, ${rate} messages a second`);
  }
  if (events.total > 0) lines.push(`events: ${events.toString()}`);
  const drops = new Map([...counts.drops, ...tracker.drops]);
  if (drops.size > 0) lines.push(`dropped: ${formatCounts(drops)}`);
  return lines;
}
