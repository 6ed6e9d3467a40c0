const TIME = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const MILLIS = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
});
const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const MINUTE = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

/** `14:03:22`, of another day `22 Nov 14:03:22`; the browser's time zone. */
export function formatMoment(at: string): string {
  const date = new Date(at);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? TIME.format(date) : `${DAY.format(date)} ${TIME.format(date)}`;
}

/** `22 Nov 14:03:22.514` */
export const formatExactly = (at: string): string => `${DAY.format(new Date(at))} ${MILLIS.format(new Date(at))}`;

/** `14:03` */
export const formatMinute = (at: number): string => MINUTE.format(at);
