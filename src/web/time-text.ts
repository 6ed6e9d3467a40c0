const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long something runs: `0:07`, `12:04`, `1:02:09`. */
export function formatRunning(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => `${value}`.padStart(2, '0');
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
}

/** How long something took: `4 ms`, `1.24 s`, `38 s`, `4 min`, `2.5 h`. */
export function formatTook(ms: number): string {
  if (ms < SECOND) return `${ms < 10 ? Number(ms.toPrecision(2)) : Math.round(ms)} ms`;
  if (ms < MINUTE) return `${Number((ms / SECOND).toPrecision(3))} s`;
  if (ms < HOUR) return `${Number((ms / MINUTE).toPrecision(2))} min`;
  return `${Number((ms / HOUR).toPrecision(2))} h`;
}

/** How long ago: `now`, `12 s ago`, `4 min ago`, `3 h ago`, `2 d ago`. */
export function formatAgo(ms: number): string {
  if (ms < 2 * SECOND) return 'now';
  return `${formatDistance(ms)} ago`;
}

/** `12 s`, `4 min`, `3 h`, `2 d`. */
export function formatDistance(ms: number): string {
  if (ms < MINUTE) return `${Math.max(0, Math.floor(ms / SECOND))} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}

/** Since the beginning, in seconds: `+2.310`. */
export const formatOffset = (ms: number): string => `${ms < 0 ? '-' : '+'}${(Math.abs(ms) / SECOND).toFixed(3)}`;
