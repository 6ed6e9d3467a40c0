import { useComputed, useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { Call, Ladder } from '../../api/types.ts';
import { get } from '../api-client.ts';
import { formatMoment } from '../calendar.ts';
import { nameOfCaller } from '../calls/call-filter.ts';
import { liveCalls } from '../calls/live-calls.ts';
import { CallTime, PartyRows } from '../calls/party-rows.tsx';
import { Button } from '../parts/button.tsx';
import { Choice } from '../parts/choice.tsx';
import { Check } from '../parts/field.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { State } from '../parts/marks.tsx';
import { Failure, Page, Panel } from '../parts/panel.tsx';
import { canWrite } from '../session.ts';
import { count, STATUSES } from '../words.ts';
import { EventList } from './event-list.tsx';
import { LadderView } from './ladder-view.tsx';
import { LegList } from './leg-list.tsx';
import { MessageDetail } from './message-detail.tsx';
import { MessageTable } from './message-table.tsx';
import { ReplayDialog } from './replay-dialog.tsx';
import './call-page.css';

// While the call goes on its ladder is read again, but not more often.
const RELOAD_MS = 1000;

/** One call: what was said, between whom, and why the events were told. */
export function CallPage({ id }: { id: string }) {
  const { value: ladder, error, reload } = useLoaded(id, () => get<Ladder>(`/calls/${id}/ladder`));
  const live = useComputed(() => liveCalls.value.find((call) => call.id === id));
  useReload(live.value, reload);
  if (!ladder) return <Page title="Call">{error && <Failure error={error} onRetry={reload} />}</Page>;
  return <CallView ladder={ladder} call={live.value ?? ladder.call} />;
}

/** Reads anew when the call changes. */
function useReload(live: Call | undefined, reload: () => void): void {
  const seen = useRef(live);
  const waiting = useRef<number | undefined>(undefined);
  useEffect(() => {
    if (live !== undefined && live !== seen.current) {
      waiting.current ??= window.setTimeout(() => {
        waiting.current = undefined;
        reload();
      }, RELOAD_MS);
    }
    seen.current = live;
  }, [live]);
  useEffect(() => () => clearTimeout(waiting.current), []);
}

function CallView({ ladder, call }: { ladder: Ladder; call: Call }) {
  const form = useSignal<'diagram' | 'table'>('diagram');
  const showsRepeats = useSignal(false);
  const selected = useSignal<number | undefined>(undefined);
  const select = (line: number): void => void (selected.value = line);
  const repeats = ladder.messages.filter((message) => message.repeats !== null).length;
  const message = ladder.messages.find(({ line }) => line === selected.value);
  return (
    <Page title={titleOf(call)} beside={<CallState call={call} />} tools={<CallLinks call={call} />}>
      <div class="call-grid">
        <Panel isFlush>
          <div class="ladder-tools">
            <span class="soft">
              {count(ladder.legs.length, 'leg')}, {count(ladder.messages.length + ladder.messagesLeft, 'message')}
              {ladder.messagesLeft > 0 && `, of which ${ladder.messagesLeft} are not kept`}
            </span>
            {repeats > 0 && (
              <Check
                label={`Show ${count(repeats, 'repeat')}`}
                checked={showsRepeats.value}
                onChange={(checked) => (showsRepeats.value = checked)}
              />
            )}
            <Choice
              label="Form"
              value={form.value}
              onChoose={(chosen) => (form.value = chosen)}
              options={[
                { value: 'diagram', label: 'Diagram' },
                { value: 'table', label: 'Table' },
              ]}
            />
          </div>
          {form.value === 'diagram' ? (
            <LadderView ladder={ladder} showsRepeats={showsRepeats.value} selected={selected.value} onSelect={select} />
          ) : (
            <MessageTable ladder={ladder} showsRepeats={showsRepeats.value} />
          )}
        </Panel>
        <div class="call-side">
          {message && <MessageDetail id={call.id} message={message} lanes={ladder.lanes} />}
          <Panel title="Parties">
            <PartyRows parties={call.parties} hasStatus />
          </Panel>
          <Panel title="Events and why they were told">
            <EventList ladder={ladder} onSelect={select} />
          </Panel>
          <Panel title="Legs">
            <LegList legs={ladder.legs} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

function titleOf(call: Call): string {
  const { caller, dialled } = call;
  const name = nameOfCaller(call);
  return `${name === '' ? caller || 'Unknown' : `${name} (${caller})`} → ${dialled || '?'}`;
}

function CallState({ call }: { call: Call }) {
  const { status } = call;
  return (
    <span class="call-state">
      {call.state === 'live' && <State tone="good">Live</State>}
      {status && <State tone={STATUSES[status].tone}>{STATUSES[status].label}</State>}
      <CallTime call={call} />
      <span class="faint">{formatMoment(call.startedAt)}</span>
    </span>
  );
}

function CallLinks({ call }: { call: Call }) {
  const isReplaying = useSignal(false);
  return (
    <>
      <code class="faint" title="CallAPIID">
        {call.id}
      </code>
      <a class="button" href={`/deliveries?call=${call.id}`}>
        Its deliveries
      </a>
      {canWrite() && <Button onClick={() => (isReplaying.value = true)}>Send its events…</Button>}
      {isReplaying.value && <ReplayDialog id={call.id} onClose={() => (isReplaying.value = false)} />}
    </>
  );
}
