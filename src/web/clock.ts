import { signal } from '@preact/signals';

const TICK_MS = 1000;

// The server's clock counts: that of the browser's machine may be wrong.
let ahead = 0;

/** Now by the server's clock, in epoch milliseconds, second by second while the page is seen. */
export const now = signal(Date.now());

/** Learns the server's time from a message that was just received. */
export function learnTime(at: string): void {
  ahead = Date.parse(at) - Date.now();
  now.value = Date.now() + ahead;
}

export function startClock(): void {
  const tick = (): void => {
    if (!document.hidden) now.value = Date.now() + ahead;
  };
  setInterval(tick, TICK_MS);
  document.addEventListener('visibilitychange', tick);
}
