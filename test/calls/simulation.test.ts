import t from 'tap';
import { compare, type Finding, type Result } from './simulation/comparison.ts';
import { drawLadder } from './simulation/ladder.ts';
import { type Run, simulate } from './simulation/run.ts';

const SEEDS = process.env.SIM_SEED ? [Number(process.env.SIM_SEED)] : Array.from({ length: 40 }, (_, i) => i + 1);
const CALLS = Number(process.env.SIM_CALLS ?? 300);
// Of all joins; what nobody could tell is counted apart, and has to be left alone.
const MAX_MISSED = 0.01;
const MAX_OBSCURE = 0.08;
const MAX_SHOWN = 3;
// With one seed, the messages of offending calls are shown, too.
const isFull = SEEDS.length === 1;

/** Findings by kind, a few examples of each, and the messages of the first. */
function explain(run: Run, findings: readonly Finding[]): string[] {
  const lines: string[] = [];
  for (const [kind, some] of Map.groupBy(findings, ({ kind }) => kind)) {
    lines.push(`${some.length} × ${kind}`, ...some.slice(0, MAX_SHOWN).map(({ text }) => `    ${text}`));
    if (isFull)
      for (const call of some[0]!.calls) lines.push(...drawLadder(run, call).map((line) => `        ${line}`), '');
  }
  return lines;
}

function summarise({ joins, missedJoins, obscure, wrongJoins, parties, doubtful }: Result, run: Run): string {
  const { truth, observations } = run;
  return [
    `${observations.length} messages, ${truth.legs.length} legs, ${truth.parties.length} parties`,
    `${joins} joins: ${missedJoins.length} missed, and ${obscure.length} that nobody could tell; ${wrongJoins.length} wrong ones`,
    `${parties.length} parties wrong, and ${doubtful.length} that follow from legs in a wrong call or that nobody could tell`,
  ].join('; ');
}

t.setTimeout(300_000);

const totals = { joins: 0, missed: 0, obscure: 0 };

for (const seed of SEEDS) {
  t.test(`a busy PBX, simulated, seed ${seed}`, async (t) => {
    const run = await simulate(seed, CALLS);
    t.equal(run.truth.unended, 0, 'every leg comes to its end');
    const result = compare(run);
    t.comment(summarise(result, run));
    const check = (findings: readonly Finding[], what: string): void => {
      t.ok(findings.length === 0, what);
      if (findings.length > 0) t.comment(explain(run, findings).join('\n'));
    };
    check(result.wrongJoins, 'no legs of different calls are joined');
    check(result.parties, 'every party tells its one life, with the true status');
    if (isFull) t.comment(explain(run, result.missedJoins).join('\n'));
    totals.joins += result.joins;
    totals.missed += result.missedJoins.length;
    totals.obscure += result.obscure.length;
  });
}

t.test('all runs', (t) => {
  const { joins, missed, obscure } = totals;
  t.comment(`${joins} joins, ${missed} missed, and ${obscure} that nobody could tell`);
  t.ok(missed <= joins * MAX_MISSED, 'legs of one call are joined');
  t.ok(obscure <= joins * MAX_OBSCURE, 'few can be told by nobody');
  t.end();
});
