import t from 'tap';
import { compare, type Finding, type Result } from './simulation/comparison.ts';
import { drawLadder } from './simulation/ladder.ts';
import { type Run, simulate } from './simulation/run.ts';

const SEEDS = process.env.SIM_SEED ? [Number(process.env.SIM_SEED)] : [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
const CALLS = Number(process.env.SIM_CALLS ?? 300);
const MAX_MISSED = 0.01;
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

for (const seed of SEEDS) {
  t.test(`a busy PBX, simulated, seed ${seed}`, async (t) => {
    const run = await simulate(seed, CALLS);
    t.equal(run.truth.unended, 0, 'every leg comes to its end');
    const result = compare(run);
    t.comment(summarise(result, run));
    const check = (isRight: boolean, what: string, findings: readonly Finding[]): void => {
      t.ok(isRight, what);
      if (!isRight) t.comment(explain(run, findings).join('\n'));
    };
    check(result.wrongJoins.length === 0, 'no legs of different calls are joined', result.wrongJoins);
    check(result.missedJoins.length <= result.joins * MAX_MISSED, 'legs of one call are joined', result.missedJoins);
    check(result.parties.length === 0, 'every party tells its one life, with the true status', result.parties);
  });
}
