import type { Lane, Message } from '../../api/types.ts';
import { formatExactly } from '../calendar.ts';

interface MessageDetailProps {
  readonly message: Message;
  readonly lanes: readonly Lane[];
}

/** The message that is looked at, below the drawing. */
export function MessageDetail({ message, lanes }: MessageDetailProps) {
  const name = (index: number): string => {
    const lane = lanes[index];
    return lane ? `${lane.label} ${lane.address}`.trim() : 'unknown';
  };
  const facts: readonly (readonly [string, string])[] = [
    ['Message', `${message.line}: ${message.text}`],
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
    <dl class="message-detail" aria-live="polite">
      {facts
        .filter(([, text]) => text !== '')
        .map(([title, text]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </div>
        ))}
    </dl>
  );
}
