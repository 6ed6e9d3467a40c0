import t from 'tap';
import { compare, type Finding, type Result } from './simulation/comparison.ts';
import { drawLadder } from './simulation/ladder.ts';
import { type Run, simulate } from './simulation/run.ts';

const SEEDS = process.env.SIM_SEED ? [Number(process.env.SIM_SEED)] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const CALLS = Number(process.env.SIM_CALLS ?? 300);
// Of all joins of a run; what nobody could tell is counted apart.
const MAX_MISSED = 0.01;
const MAX_MISLED = 0.005;
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

/** Wrong joins that who sees the messages could have known better, but for those that only follow from others. */
function findAvoidable({ wrongJoins }: Result): Finding[] {
  const misled = new Set(wrongJoins.filter(({ kind }) => !kind.endsWith('clear')).flatMap(({ calls }) => calls));
  return wrongJoins.filter(({ kind, calls }) => kind.endsWith('clear') && !calls.some((call) => misled.has(call)));
}

const totals = { joins: 0, missed: 0, misled: 0 };

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
    const avoidable = findAvoidable(result);
    check(avoidable, 'no legs of different calls are joined, where that can be told');
    check(result.parties, 'every party tells its one life, with the true status');
    if (isFull) t.comment(explain(run, [...result.missedJoins, ...result.wrongJoins]).join('\n'));
    totals.joins += result.joins;
    totals.missed += result.missedJoins.length;
    totals.misled += result.wrongJoins.length - avoidable.length;
  });
}

t.test('all runs', (t) => {
  const { joins, missed, misled } = totals;
  t.comment(
    `${joins} joins, ${missed} missed, ${misled} wrong where another leg had as much or more that spoke for it`,
  );
  t.ok(missed <= joins * MAX_MISSED, 'legs of one call are joined');
  t.ok(misled <= joins * MAX_MISLED, 'few are misled');
  t.end();
});
