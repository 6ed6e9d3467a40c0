import type { Call } from '../../api/types.ts';
import { formatMoment } from '../calendar.ts';
import { State } from '../parts/marks.tsx';
import { isOperator } from '../session.ts';
import { STATUSES } from '../words.ts';
import { nameOfCaller } from './call-filter.ts';
import { CallTime, PartyRows } from './party-rows.tsx';
import './call-row.css';

// As in the style sheet.
const PARTY_HEIGHT = 26;
const WIDE = { padding: 21, least: 44 };
const NARROW = { padding: 25 + 48, least: 0 };
/** More parties are in the ladder. */
export const MAX_PARTIES = 12;

/** How high the row of a call is, in pixels. */
export function heightOf({ parties }: Call, isNarrow: boolean): number {
  const { padding, least } = isNarrow ? NARROW : WIDE;
  const lines = Math.max(1, Math.min(parties.length, MAX_PARTIES) + (parties.length > MAX_PARTIES ? 1 : 0));
  return padding + Math.max(least, lines * PARTY_HEIGHT);
}

interface CallRowProps {
  readonly call: Call;
  /** Place among all, for screen readers: of a long list only a part is there. */
  readonly position: number;
  readonly total: number;
}

/** A call with its parties; a click opens its ladder. */
export function CallRow({ call, position, total }: CallRowProps) {
  const { id, parties, status } = call;
  const name = nameOfCaller(call);
  return (
    <li class={`call ${call.state}`} aria-posinset={position} aria-setsize={total}>
      <div class="call-who">
        {isOperator() ? (
          <a class="call-title call-link cut" href={`/calls/${id}`}>
            <Ends call={call} />
          </a>
        ) : (
          <span class="call-title cut">
            <Ends call={call} />
          </span>
        )}
        <span class="call-sub cut faint">
          <span class="number">{formatMoment(call.startedAt)}</span>
          {name !== '' && <> · {name}</>}
        </span>
      </div>
      <div class="call-parties">
        <PartyRows parties={parties.slice(0, MAX_PARTIES)} />
        {parties.length > MAX_PARTIES && <p class="faint party-more">and {parties.length - MAX_PARTIES} more</p>}
      </div>
      <div class="call-end">
        {status !== null && parties.some((party) => party.status !== status) && (
          <State tone={STATUSES[status].tone}>{STATUSES[status].label}</State>
        )}
        <b class="call-time">
          <CallTime call={call} />
        </b>
      </div>
    </li>
  );
}

const Ends = ({ call: { caller, dialled } }: { call: Call }) => (
  <>
    {caller || 'unknown'} <span class="faint">→</span> {dialled || '?'}
  </>
);
