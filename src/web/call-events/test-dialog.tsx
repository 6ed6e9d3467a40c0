import { useSignal } from '@preact/signals';
import type { EventName, Rule, TestResult } from '../../api/types.ts';
import { request } from '../api-client.ts';
import { RequestText } from '../deliveries/request-text.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Select } from '../parts/field.tsx';
import { State } from '../parts/marks.tsx';
import { formatTook } from '../time-text.ts';
import { describeResult, EVENTS } from '../words.ts';
import '../deliveries/deliveries.css';

/** Sends an event that is made up, and shows what the script answered. */
export function TestDialog({ rule, onClose }: { rule: Rule; onClose: () => void }) {
  const event = useSignal<EventName>(rule.events[0]!);
  const result = useSignal<TestResult | undefined>(undefined);
  const send = async (): Promise<void> => {
    result.value = undefined;
    result.value = await request<TestResult>('POST', `/rules/${rule.id}/test`, { event: event.value });
  };
  return (
    <Dialog title="Send a test event" isWide onClose={onClose}>
      <div class="dialog-body">
        <p>
          A made-up call is told to <code>{rule.url}</code>, once. The script can’t tell it from a real one but by its
          values.
        </p>
        <div class="test-line">
          <Select
            label="Event"
            value={event.value}
            options={rule.events.map((value) => ({ value, label: EVENTS[value].label }))}
            onChoose={(chosen) => (event.value = chosen)}
          />
          <Button icon="send" kind="primary" onClick={send}>
            Send
          </Button>
        </div>
        <div aria-live="polite">{result.value && <TestAnswer result={result.value} />}</div>
      </div>
    </Dialog>
  );
}

function TestAnswer({ result }: { result: TestResult }) {
  const { request: sent, isSuccess, durationMs } = result;
  return (
    <div class="test-answer">
      <p>
        <State tone={isSuccess ? 'good' : 'bad'}>
          <b>{isSuccess ? 'The script took it' : 'The script did not take it'}</b>
        </State>
      </p>
      <p class="soft">
        {describeResult(result)}, after {formatTook(durationMs)}
      </p>
      {result.answer !== '' && <pre class="answer">{result.answer}</pre>}
      <RequestText method={sent.method} url={sent.url} body={sent.body} />
    </div>
  );
}
