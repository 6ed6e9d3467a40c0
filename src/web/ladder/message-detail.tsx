import { Fragment } from 'preact';
import type { Lane, Message } from '../../api/types.ts';
import { getText } from '../api-client.ts';
import { formatExactly } from '../calendar.ts';
import { useLoaded } from '../parts/loaded.ts';
import { Panel } from '../parts/panel.tsx';

interface MessageDetailProps {
  /** Of the call. */
  readonly id: string;
  readonly message: Message;
  readonly lanes: readonly Lane[];
}

/** The message that is looked at. */
export function MessageDetail({ id, message, lanes }: MessageDetailProps) {
  const text = useLoaded(`${id} ${message.line}`, () => getText(`/calls/${id}/messages/${message.line}`));
  const name = (index: number): string => {
    const lane = lanes[index];
    return lane ? `${lane.label} ${lane.address}`.trim() : 'unknown';
  };
  const facts: readonly (readonly [string, string])[] = [
    ['Message', message.text],
    ['Leg', `${message.leg}`],
    ['Time', formatExactly(message.at)],
    ['From', name(message.from)],
    ['To', name(message.to)],
    ['Transport', message.transport],
    ['Asks to call', message.target],
    ['Repeats', message.repeats ?? ''],
    ['Notes', message.notes.join(', ')],
  ];
  return (
    <Panel title={`Message ${message.line}`}>
      <dl class="facts">
        {facts
          .filter(([, fact]) => fact !== '')
          .map(([title, fact]) => (
            <Fragment key={title}>
              <dt>{title}</dt>
              <dd>{fact}</dd>
            </Fragment>
          ))}
      </dl>
      {text.value !== undefined && !text.error && (
        <pre class="message-text" tabIndex={0} role="region" aria-label="The message as it was sent">
          {text.value}
        </pre>
      )}
    </Panel>
  );
}
