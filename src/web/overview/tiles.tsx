import type { ComponentChildren } from 'preact';
import type { Overview, Registrations } from '../../api/types.ts';
import { formatTook } from '../time-text.ts';
import { count } from '../words.ts';
import { sum, weighedMean } from './series.ts';

interface TilesProps {
  readonly overview: Overview;
  /** Newer than the overview. */
  readonly counts: { readonly calls: number; readonly parties: number; readonly pending: number } | undefined;
  readonly registrations: Registrations | undefined;
}

/** The figures that matter most. */
export function Tiles({ overview, counts, registrations }: TilesProps) {
  const { calls, deliveries } = overview;
  const live = counts?.calls ?? calls.live;
  const pending = counts?.pending ?? deliveries.pending;
  const ended = Object.values(calls.byStatus).reduce((all, values) => all + sum(values ?? []), 0);
  const answered = sum(calls.byStatus.ANSWER ?? []);
  const answerMs = weighedMean(calls.answerMs.p50, calls.byStatus.ANSWER ?? []);
  const deliveryMs = weighedMean(deliveries.deliveryMs.p50, deliveries.delivered);
  const { dead } = deliveries;
  return (
    <dl class="tiles">
      <Tile title="Live calls" link="/calls" value={live.toLocaleString('en')}>
        {count(counts?.parties ?? calls.parties, 'party', 'parties')}
      </Tile>
      <Tile title="Answered" value={ended === 0 ? '–' : `${Math.round((100 * answered) / ended)} %`}>
        of {count(ended, 'party', 'parties')}
      </Tile>
      <Tile title="Time to answer" value={answerMs === null ? '–' : formatTook(answerMs)}>
        from the ringing
      </Tile>
      <Tile title="Time to deliver" value={deliveryMs === null ? '–' : formatTook(deliveryMs)}>
        {count(sum(deliveries.delivered), 'delivery', 'deliveries')}
      </Tile>
      <Tile title="Waiting" link="/deliveries?state=pending" value={pending.toLocaleString('en')}>
        to be delivered
      </Tile>
      <Tile title="Failed" link="/deliveries?state=dead" value={dead.toLocaleString('en')} isAlarm={dead > 0}>
        {dead > 0 ? 'given up' : 'nothing given up'}
      </Tile>
      <Tile title="Registered" value={overview.registrations.toLocaleString('en')}>
        {registrations?.isRegistrar === false ? 'phones register with the PBX' : 'contacts'}
      </Tile>
    </dl>
  );
}

interface TileProps {
  readonly title: string;
  readonly value: string;
  readonly link?: string;
  readonly isAlarm?: boolean;
  readonly children: ComponentChildren;
}

function Tile({ title, value, link, isAlarm = false, children }: TileProps) {
  return (
    <div class={isAlarm ? 'tile alarm' : 'tile'}>
      <dt>{link === undefined ? title : <a href={link}>{title}</a>}</dt>
      <dd class="tile-value number">{value}</dd>
      <dd class="tile-note cut">{children}</dd>
    </div>
  );
}
