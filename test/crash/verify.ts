import type { PlayedCall, Step } from './call-feeder.ts';
import type { Taken } from './failing-script.ts';

/** When Ringside was up and took in all that was sent, in epoch ms. */
export interface UpTime {
  readonly from: number;
  readonly until: number;
}

/** What the script got, against what was played. */
export interface Findings {
  readonly calls: number;
  readonly parties: number;
  readonly taken: number;
  readonly refused: number;
  /** Requests that came again, with the same EventID and the same content. */
  readonly duplicates: number;
  /** Calls that Ringside saw all of, in one run or over several. */
  readonly seenWhole: number;
  readonly seenOverCrashes: number;
  readonly synthesised: number;
  /** Everything that is not as it must be. */
  readonly faults: readonly string[];
}

const STEPS: { readonly [kind in PlayedCall['kind']]: readonly Step[] } = {
  answered: ['invite', 'ringing', 'final', 'end'],
  busy: ['invite', 'ringing', 'final'],
  cancelled: ['invite', 'ringing', 'end', 'final'],
};
const EXPECTED: { readonly [kind in PlayedCall['kind']]: readonly string[] } = {
  answered: [
    'dial-out CALLING',
    'dial-in CALLING',
    'answer-in ANSWER',
    'answer-out ANSWER',
    'hangup ANSWER',
    'hangup ANSWER',
  ],
  busy: ['dial-out CALLING', 'dial-in CALLING', 'hangup BUSY', 'hangup BUSY'],
  cancelled: ['dial-out CALLING', 'dial-in CALLING', 'hangup CANCEL', 'hangup CANCEL'],
};

/** Holds what the script took against the promises: Dial and Hangup of every party, in order, each once but for repetitions. */
export function verify(
  calls: readonly PlayedCall[],
  taken: readonly Taken[],
  upTimes: readonly UpTime[],
  refused: number,
): Findings {
  const faults: string[] = [];
  const { first, duplicates } = dropRepetitions(taken, faults);
  const byCall = Map.groupBy(first, (event) => event.get('CallID')!);
  let parties = 0;
  for (const [callId, events] of byCall) {
    const ofParties = Map.groupBy(events, (event) => event.get('CallFlow')!);
    parties += ofParties.size;
    for (const [flow, ofParty] of ofParties) faults.push(...faultsOfParty(`${callId} ${flow}`, ofParty));
    if (new Set(events.map((event) => event.get('CallAPIID'))).size > 1) faults.push(`${callId}: several CallAPIIDs`);
  }
  const whole = calls.filter((call) => isSeen(call, upTimes));
  for (const call of whole) faults.push(...faultsOfWhole(call, byCall.get(call.callId) ?? []));
  return {
    calls: calls.length,
    parties,
    taken: taken.length,
    refused,
    duplicates,
    seenWhole: whole.length,
    seenOverCrashes: whole.filter((call) => runsOf(call, upTimes).size > 1).length,
    synthesised: first.filter((event) => event.get('Synthesised') === '1').length,
    faults,
  };
}

function dropRepetitions(taken: readonly Taken[], faults: string[]): { first: Taken[]; duplicates: number } {
  const known = new Map<string, Taken>();
  let duplicates = 0;
  for (const event of taken) {
    const id = event.get('EventID')!;
    const before = known.get(id);
    if (!before) known.set(id, event);
    else if (JSON.stringify([...before]) === JSON.stringify([...event])) duplicates++;
    else faults.push(`${id}: repeated with another content`);
  }
  return { first: [...known.values()], duplicates };
}

/** One Dial, at most one Answer, one Hangup, in that order. */
function faultsOfParty(name: string, events: readonly Taken[]): string[] {
  const kinds = events.map((event) => event.get('EventType')!.replace(/-.*/, '')).join(' ');
  const sequences = events.map((event) => Number(event.get('Sequence')));
  const isRising = sequences.every((sequence, i) => i === 0 || sequence > sequences[i - 1]!);
  return [
    ...(/^dial( answer)? hangup$/.test(kinds) ? [] : [`${name}: ${kinds}`]),
    ...(isRising ? [] : [`${name}: in the order ${sequences.join(' ')}`]),
  ];
}

/** A call that was seen from its beginning to its end is told as it was, and by nobody's timer. */
function faultsOfWhole({ callId, kind }: PlayedCall, events: readonly Taken[]): string[] {
  const told = events.map((event) => `${event.get('EventType')} ${event.get('CallStatus')}`).sort();
  const isRight = told.join() === [...EXPECTED[kind]].sort().join();
  const isByTimer = events.some((event) => event.get('Synthesised') === '1');
  return [
    ...(isRight ? [] : [`${callId}, ${kind}, seen whole: ${told.join(', ')}`]),
    ...(isByTimer ? [`${callId}, seen whole: ended by timer`] : []),
  ];
}

const runOf = (at: number, upTimes: readonly UpTime[]): number =>
  upTimes.findIndex(({ from, until }) => at >= from && at <= until);

const runsOf = ({ kind, times }: PlayedCall, upTimes: readonly UpTime[]): Set<number> =>
  new Set(STEPS[kind].map((step) => runOf(times.get(step) ?? -1, upTimes)));

const isSeen = (call: PlayedCall, upTimes: readonly UpTime[]): boolean => !runsOf(call, upTimes).has(-1);
