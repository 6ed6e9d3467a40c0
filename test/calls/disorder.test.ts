import t from 'tap';
import { Directory } from '../../src/calls/directory.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import type { Tenant } from '../../src/calls/tenant.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { observationOf, openTenant, type Step, tenant } from './harness.ts';
import { Random } from './simulation/random.ts';
import { CASES, plain } from './stories.ts';

// Transfers and pickups with messages lost, doubled, late, out of order and changed, two stories at a time: whatever comes,
// each party tells one Dial, at most one Answer and one Hangup.

const ROUNDS = Number(process.env.DISORDER_ROUNDS ?? 3000);
const FIRST = Number(process.env.DISORDER_SEED ?? 1);
const NETWORKS: Tenant[][] = [[openTenant], [plain], [tenant()], [tenant({ sensor: 'trunk', prefix: '' })]];
const INVITE_ANSWERS = [
  '180 x',
  '183 x',
  '200 x',
  '302 x',
  '401 x',
  '407 x',
  '404 x',
  '408 x',
  '481 x',
  '486 x',
  '487 x',
  '503 x',
  '603 x',
];
const OTHER_ANSWERS = ['200 x', '202 x', '481 x', '408 x', '603 x'];

function makeSteps(random: Random): Step[] {
  const second =
    random.float() < 0.4
      ? random.pick(CASES).steps.map((step) => ({ ...step, at: step.at + random.float() * 10 }))
      : [];
  const rate = random.float() * 0.3;
  const steps = [...random.pick(CASES).steps, ...second].flatMap((step) => disturb(random, rate, step));
  return steps.sort((a, b) => a.at - b.at);
}

function disturb(random: Random, rate: number, step: Step): Step[] {
  if (random.float() < rate / 2) return [];
  const delay =
    (random.float() < rate / 2 ? random.float() * 4 - 1 : 0) +
    (random.float() < rate / 5 ? random.pick([3, 6, 12]) : 0);
  const moved = { ...step, at: step.at + delay };
  const changed = /^\d/.test(step.say) && random.float() < rate / 2 ? answerOtherwise(random, moved) : moved;
  const copies = random.float() < rate / 3 ? [{ ...changed, at: changed.at + random.float() * 3 }] : [];
  const retried =
    step.say === 'INVITE' && random.float() < rate / 5
      ? [{ ...changed, at: changed.at + random.float() * 2, cseq: '2 INVITE', branch: `z9hG4bK${random.float()}` }]
      : [];
  return [changed, ...copies, ...retried];
}

function answerOtherwise(random: Random, step: Step): Step {
  const isInvite = /INVITE$/.test(step.cseq ?? 'INVITE');
  const contact = `Contact: <sip:10${Math.floor(random.float() * 6)}@acme.example.com>`;
  return {
    ...step,
    say: random.pick(isInvite ? INVITE_ANSWERS : OTHER_ANSWERS),
    headers: [...(step.headers ?? []), contact],
  };
}

function replay(steps: readonly Step[], tenants: Tenant[]): { events: CallEvent[]; legs: number } {
  const tracker = new CallTracker(new Directory(tenants), { maxContacts: 100 });
  const events: CallEvent[] = [];
  for (const step of steps) {
    const observation = observationOf(step);
    events.push(...tracker.expire(observation.observedAt), ...tracker.observe(observation));
  }
  events.push(...tracker.expire(Infinity));
  return { events, legs: tracker.legCount };
}

const LETTERS = { 'dial-in': 'D', 'dial-out': 'D', 'answer-in': 'A', 'answer-out': 'A', 'hangup': 'H' } as const;

function findFaults({ events, legs }: ReturnType<typeof replay>): string[] {
  const faults = legs > 0 ? [`${legs} legs left`] : [];
  if (new Set(events.map(({ extras }) => extras.EventID)).size < events.length) faults.push('an EventID twice');
  for (const [party, life] of Map.groupBy(events, ({ extras }) => extras.SubCallID)) {
    const letters = life.map(({ event }) => LETTERS[event]).join('');
    if (!/^DA?H$/.test(letters)) faults.push(`${party}: ${letters}`);
  }
  return faults;
}

t.test('disorder', (t) => {
  const faults: string[] = [];
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed++) {
    const random = new Random(seed);
    const steps = makeSteps(random);
    faults.push(...findFaults(replay(steps, random.pick(NETWORKS))).map((fault) => `seed ${seed}: ${fault}`));
  }
  t.strictSame(faults, []);
  t.end();
});
