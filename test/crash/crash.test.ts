import t from 'tap';
import { freePort } from '../proxy/support/ports.ts';
import { crash } from './crash-run.ts';

t.test('killed at any moment: every party has its Dial and its Hangup, in order, and nothing twice', async (t) => {
  const folder = t.testdir({});
  const { faults, ...counts } = await crash({ folder, hepPort: await freePort(), rounds: 5, callsPerSecond: 50 });
  t.comment(JSON.stringify(counts));
  t.strictSame(faults, []);
  t.ok(counts.refused > 0 && counts.seenWhole > 50, 'there was something to see');
});
