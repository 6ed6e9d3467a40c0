import { useEffect } from 'preact/hooks';
import type { Attempt, DeliveryDetail } from '../../api/types.ts';
import { get } from '../api-client.ts';
import { formatExactly, formatMoment } from '../calendar.ts';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { useLoaded } from '../parts/loaded.ts';
import { Extension, State } from '../parts/marks.tsx';
import { Failure } from '../parts/panel.tsx';
import { canSendAgain } from '../session.ts';
import { listen } from '../stream.ts';
import { formatTook } from '../time-text.ts';
import { DELIVERY_STATES, describeResult, EVENTS } from '../words.ts';
import { RequestText } from './request-text.tsx';

interface DetailProps {
  readonly id: number;
  readonly onRetry: () => Promise<void>;
  readonly onClose: () => void;
}

export function DeliveryDetailDialog({ id, onRetry, onClose }: DetailProps) {
  const { value, error, reload } = useLoaded(`${id}`, () => get<DeliveryDetail>(`/deliveries/${id}`));
  useEffect(() => listen((message) => message.event === 'delivery' && message.data.id === id && reload()), [id]);
  const retry = async (): Promise<void> => {
    await onRetry();
    reload();
  };
  return (
    <Dialog title={value ? `${EVENTS[value.event].label} of ${value.extension}` : 'Delivery'} isWide onClose={onClose}>
      {!value && error && <Failure error={error} onRetry={reload} />}
      {value && <Detail detail={value} />}
      {value && canSendAgain() && (
        <footer>
          <Button icon="retry" kind="primary" disabled={value.state === 'pending'} onClick={retry}>
            Send again
          </Button>
        </footer>
      )}
    </Dialog>
  );
}

function Detail({ detail }: { detail: DeliveryDetail }) {
  const { state, extension, call, createdAt, nextAttemptAt, finishedAt, history, method, url, body, rule } = detail;
  return (
    <div class="dialog-body">
      <dl class="facts">
        <dt>Outcome</dt>
        <dd>
          <State tone={DELIVERY_STATES[state].tone}>{DELIVERY_STATES[state].label}</State>
          <span class="faint"> {DELIVERY_STATES[state].meaning}</span>
        </dd>
        <dt>Extension</dt>
        <dd>
          <Extension number={extension} />
        </dd>
        <dt>Call</dt>
        <dd>
          <a href={`/calls/${call}`}>
            <code>{call}</code>
          </a>
        </dd>
        <dt>Rule</dt>
        <dd>
          <a href={`/call-events?rule=${rule}`}>
            <code>{rule}</code>
          </a>
        </dd>
        <dt>Event of</dt>
        <dd>{formatExactly(createdAt)}</dd>
        {state === 'pending' && nextAttemptAt !== null && (
          <>
            <dt>Next attempt</dt>
            <dd>{formatMoment(nextAttemptAt)}</dd>
          </>
        )}
        {finishedAt !== null && (
          <>
            <dt>Finished</dt>
            <dd>{formatExactly(finishedAt)}</dd>
          </>
        )}
      </dl>
      <section>
        <h3>Attempts</h3>
        <Attempts history={history} />
      </section>
      <section>
        <h3>Request</h3>
        <RequestText method={method} url={url} body={body} />
      </section>
    </div>
  );
}

function Attempts({ history }: { history: readonly Attempt[] }) {
  if (history.length === 0) return <p class="soft">None is kept.</p>;
  return (
    <ol class="attempts">
      {history.map((attempt) => {
        const isGood = attempt.status >= 200 && attempt.status < 300;
        return (
          <li key={attempt.number}>
            <span class="faint number">{attempt.number}</span>
            <span class="number nowrap">{formatExactly(attempt.at)}</span>
            <State tone={isGood ? 'good' : 'bad'}>
              <span class="attempt-answer">{isGood ? attempt.status : describeResult(attempt)}</span>
            </State>
            <span class="faint number attempt-took">{formatTook(attempt.durationMs)}</span>
            {attempt.answer !== '' && <pre class="answer">{attempt.answer}</pre>}
          </li>
        );
      })}
    </ol>
  );
}
