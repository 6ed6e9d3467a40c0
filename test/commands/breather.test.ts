import t from 'tap';
import { Breather } from '../../src/commands/breather.ts';

/** The pause after each of so many equal reads, `everyMs` apart. */
function pauses(packets: number, everyMs: number, reads: number): number[] {
  const breather = new Breather(0);
  return Array.from({ length: reads }, (_, i) => breather.pause(packets, (i + 1) * everyMs));
}

t.test('pauses are taken where there is much to wait for', (t) => {
  const rows: [title: string, packets: number, everyMs: number, pauseMs: number][] = [
    ['a call now and then', 1, 50, 0],
    ['25 calls of 14 messages a second', 1, 1000 / (25 * 14), 0],
    ['200 calls a second', 2.8, 1, 4],
    ['1000 calls a second: no more than the kernel holds', 14, 1, 24 / 14],
    ['more than one wake-up reads', 32, 1, 0],
  ];
  for (const [title, packets, everyMs, pauseMs] of rows)
    t.equal(Math.round(pauses(packets, everyMs, 2000).at(-1)! * 1000), Math.round(pauseMs * 1000), title);
  t.end();
});

t.test('the messages of one call, at once, wait for nothing', (t) => {
  t.strictSame(new Set(pauses(1, 0.1, 14)), new Set([0]));
  t.end();
});
