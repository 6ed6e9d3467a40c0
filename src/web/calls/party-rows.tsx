import type { Call, Party } from '../../api/types.ts';
import { now } from '../clock.ts';
import { Icon } from '../parts/icon.tsx';
import { Extension, State } from '../parts/marks.tsx';
import { formatRunning } from '../time-text.ts';
import { PARTY_STATES, STATUSES } from '../words.ts';
import './party-rows.css';

/** Time since a moment, running while `until` is null. */
export function Running({ since, until }: { since: string; until: string | null }) {
  const end = until === null ? now.value : Date.parse(until);
  return <span class="number">{formatRunning(end - Date.parse(since))}</span>;
}

export const CallTime = ({ call }: { call: Call }) => <Running since={call.startedAt} until={call.endedAt} />;

/** When a party came into its state. */
const stateSince = ({ state, dialledAt, rangAt, answeredAt }: Party): string =>
  state === 'ringing' ? (rangAt ?? dialledAt) : (answeredAt ?? dialledAt);

/** The parties of a call, one a line. `hasStatus`: with what each one's part came to. */
export function PartyRows({ parties, hasStatus = false }: { parties: readonly Party[]; hasStatus?: boolean }) {
  if (parties.length === 0) return <p class="soft">No extension is in this call.</p>;
  return (
    <ul class={hasStatus ? 'parties with-status' : 'parties'}>
      {parties.map((party) => (
        <PartyRow key={party.id} party={party} />
      ))}
    </ul>
  );
}

function PartyRow({ party }: { party: Party }) {
  const { extension, name, role, state, status, transferredBy, did } = party;
  const isCaller = role === 'caller';
  return (
    <li class={`party ${state}`}>
      <span class="party-way" title={isCaller ? 'calls' : 'is called'}>
        <Icon name={isCaller ? 'out' : 'in'} />
        <span class="unseen">{isCaller ? 'caller' : 'called'}</span>
      </span>
      <span class="party-who cut">
        <Extension number={extension} /> {name}
        {did !== '' && <span class="faint"> via {did}</span>}
        {transferredBy !== null && <span class="faint"> transferred by {transferredBy}</span>}
      </span>
      <PartyState state={state} status={status} />
      <span class="party-time">
        <Running since={stateSince(party)} until={party.endedAt} />
      </span>
    </li>
  );
}

function PartyState({ state, status }: Pick<Party, 'state' | 'status'>) {
  if (state !== 'over' || status === null)
    return <State tone={PARTY_STATES[state].tone}>{PARTY_STATES[state].label}</State>;
  return <State tone={STATUSES[status].tone}>{STATUSES[status].label}</State>;
}
