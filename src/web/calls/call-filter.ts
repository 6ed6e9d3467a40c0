import type { Call } from '../../api/types.ts';

export type CallKind = 'all' | 'ringing' | 'talking';
export type CallOrder = 'newest' | 'longest';

/** Which calls are shown, and in which order. */
export interface CallFilter {
  readonly kind: CallKind;
  readonly order: CallOrder;
  /** Part of a number or name of anyone in it. */
  readonly text: string;
}

/** What a call is about at the moment: it rings until its first answer. */
export function kindOf(call: Call): 'ringing' | 'talking' | 'over' {
  if (call.state === 'over') return 'over';
  return call.parties.some(({ state }) => state === 'answered') ? 'talking' : 'ringing';
}

/** Calls that fit, in order; what began at the same time stays in the order of its id. */
export function selectCalls(calls: readonly Call[], { kind, order, text }: CallFilter): Call[] {
  const wanted = text.trim().toLowerCase();
  const fitting = calls.filter(
    (call) => (kind === 'all' || kindOf(call) === kind) && (wanted === '' || mentions(call, wanted)),
  );
  const sign = order === 'newest' ? -1 : 1;
  // ISO times of one length: their order is that of the text.
  return fitting.sort((a, b) => sign * compare(a.startedAt, b.startedAt) || compare(a.id, b.id));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function mentions({ id, caller, callerName, dialled, parties }: Call, wanted: string): boolean {
  const texts = [
    id,
    caller,
    callerName,
    dialled,
    ...parties.flatMap(({ extension, name, did }) => [extension, name, did]),
  ];
  return texts.some((text) => text.toLowerCase().includes(wanted));
}

/** Name of who calls; empty where it says no more than the number. */
export const nameOfCaller = ({ caller, callerName }: Call): string =>
  callerName === caller || caller.endsWith(`*${callerName}`) ? '' : callerName;

/** How many calls ring, and in how many somebody talks. */
export function countKinds(calls: readonly Call[]): {
  readonly all: number;
  readonly ringing: number;
  talking: number;
} {
  let [ringing, talking] = [0, 0];
  for (const call of calls) {
    const kind = kindOf(call);
    if (kind === 'ringing') ringing++;
    else if (kind === 'talking') talking++;
  }
  return { all: ringing + talking, ringing, talking };
}
