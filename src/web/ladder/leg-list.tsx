import type { Leg } from '../../api/types.ts';
import { Tag } from '../parts/marks.tsx';
import { hueOfLeg } from './ladder-row.tsx';

/** The legs, and how each came to the call. */
export function LegList({ legs }: { legs: readonly Leg[] }) {
  return (
    <ol class="leg-list">
      {legs.map((leg) => (
        <li key={leg.number} class={hueOfLeg(leg.number)}>
          <div class="leg-head">
            <i class="leg-badge">{leg.number}</i>
            <b>
              {leg.caller || 'unknown'} → {leg.called || 'unknown'}
            </b>
            {leg.isTransfer && <Tag tone="odd">transfer</Tag>}
          </div>
          {leg.words.map((words, index) => (
            <p key={index} class="soft">
              {words}
            </p>
          ))}
          <code class="faint cut" title={leg.callId}>
            {leg.callId}
          </code>
        </li>
      ))}
    </ol>
  );
}
