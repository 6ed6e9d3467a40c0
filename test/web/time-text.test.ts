import t from 'tap';
import { formatAgo, formatDistance, formatOffset, formatRunning, formatTook } from '../../src/web/time-text.ts';

const TABLE: readonly [write: (ms: number) => string, ms: number, text: string][] = [
  [formatRunning, -5, '0:00'],
  [formatRunning, 7_999, '0:07'],
  [formatRunning, 724_000, '12:04'],
  [formatRunning, 3_729_000, '1:02:09'],
  [formatTook, 0.3456, '0.35 ms'],
  [formatTook, 4, '4 ms'],
  [formatTook, 45.4, '45 ms'],
  [formatTook, 1240, '1.24 s'],
  [formatTook, 38_000, '38 s'],
  [formatTook, 240_000, '4 min'],
  [formatTook, 9_000_000, '2.5 h'],
  [formatAgo, 1_500, 'now'],
  [formatAgo, 12_900, '12 s ago'],
  [formatAgo, 7_300_000, '2 h ago'],
  [formatDistance, 59_999, '59 s'],
  [formatDistance, 3_599_999, '59 min'],
  [formatDistance, 200_000_000, '2 d'],
  [formatOffset, 2310.2, '+2.310'],
  [formatOffset, -12, '-0.012'],
];

for (const [write, ms, text] of TABLE) t.equal(write(ms), text, `${write.name} ${ms}`);
