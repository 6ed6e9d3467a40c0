import type { FakeData } from './fake-server.ts';
import { makeCall, makeDelivery, makeRules } from './fixtures.ts';
import { readLadder } from './ladder-fixture.ts';

const LADDERS = ['m_attended_by_callee', 'o_ringgroup', 'k_blind_by_callee', 't_pickup'];
const STATUSES = ['ANSWER', 'BUSY', 'NOANSWER', 'CANCEL', 'CONGESTION', 'CHANUNAVAIL'] as const;
const LIVE = ['answered', 'ringing', 'answered', 'calling', 'answered', 'answered', 'ringing', 'answered'] as const;

/** Something of everything that the pages can show. */
export function makeFullData(now: number): FakeData {
  const rules = makeRules(now);
  const ladders = LADDERS.map(readLadder);
  const ageOf = (index: number): number => (LIVE[index] === 'answered' ? 35_000 + index * 87_000 : 2000 + index * 1500);
  const over = (index: number): ReturnType<typeof makeCall> => {
    const status = STATUSES[index % 6]!;
    return makeCall({ index: index + 10, now: now - index * 60_000, state: 'over', ageMs: 40_000, status });
  };
  return {
    calls: LIVE.map((state, index) => makeCall({ index, now, state, ageMs: ageOf(index) })),
    recent: [...ladders.map(({ call }) => call), ...Array.from({ length: 30 }, (_, index) => over(index))],
    ladders,
    rules,
    deliveries: Array.from({ length: 24 }, (_, index) => makeDelivery(1199 - index, now, rules)),
  };
}
