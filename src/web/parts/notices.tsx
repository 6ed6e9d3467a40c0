import { signal } from '@preact/signals';
import { Icon } from './icon.tsx';
import './notices.css';

interface Notice {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
}

const SHOWN_MS = 6000;
const MAX_NOTICES = 4;

const notices = signal<readonly Notice[]>([]);
let last = 0;

const dismiss = (id: number): void => void (notices.value = notices.value.filter((notice) => notice.id !== id));

/** Tells in a corner, for some seconds; errors stay until they are closed. */
export function tell(text: string, isError = false): void {
  const id = ++last;
  notices.value = [...notices.value, { id, text, isError }].slice(-MAX_NOTICES);
  if (!isError) setTimeout(() => dismiss(id), SHOWN_MS);
}

export function tellError(error: unknown): void {
  tell(error instanceof Error ? error.message : String(error), true);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notices.value.map(({ id, text, isError }) => (
        <div key={id} class={isError ? 'notice error' : 'notice'}>
          <span>{text}</span>
          <button type="button" aria-label="Close" onClick={() => dismiss(id)}>
            <Icon name="close" />
          </button>
        </div>
      ))}
    </div>
  );
}
