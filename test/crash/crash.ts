// Kills Ringside again and again while calls go on: `crash.ts [ROUNDS [CALLS_PER_SECOND]]`.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../proxy/support/ports.ts';
import { crash } from './crash-run.ts';

const [rounds = 200, callsPerSecond = 100] = process.argv.slice(2).map(Number);
if (!(rounds > 0 && callsPerSecond > 0)) throw new Error('usage: crash.ts [ROUNDS [CALLS_PER_SECOND]]');
const folder = mkdtempSync(join(tmpdir(), 'ringside-crash-'));
const { faults, ...counts } = await crash({
  folder,
  hepPort: await freePort(),
  rounds,
  callsPerSecond,
  onRound: (round, taken) => process.stderr.write(`\rround ${round + 1} of ${rounds}, ${taken} events taken `),
});
rmSync(folder, { recursive: true });
console.log(`\n${rounds} rounds:`, counts);
for (const fault of faults.slice(0, 50)) console.log(fault);
console.log(`${faults.length} faults`);
process.exitCode = faults.length > 0 ? 1 : 0;
