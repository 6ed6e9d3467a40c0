let lastSecond = NaN;
let lastText = '';

/** Epoch milliseconds as ISO 8601 in UTC, to the millisecond. Most times asked for lie in the second of the one before. */
export function formatTime(at: number): string {
  const second = Math.floor(at / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastText = new Date(second * 1000).toISOString().slice(0, -4);
  }
  const ms = Math.floor(at - second * 1000);
  return `${lastText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
