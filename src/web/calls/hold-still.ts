import type { Call } from '../../api/types.ts';

/**
 * The calls to show while a list is held still: those of the moment it began, in their places, as they are now. `waiting`:
 * how many have come meanwhile.
 */
export function holdStill(
  held: readonly Call[] | undefined,
  current: readonly Call[],
  all: readonly Call[],
): { readonly calls: readonly Call[]; readonly waiting: number } {
  if (held === undefined) return { calls: current, waiting: 0 };
  const latest = new Map(all.map((call) => [call.id, call]));
  const known = new Set(held.map(({ id }) => id));
  const calls = held.map((call) => latest.get(call.id) ?? { ...call, state: 'over' as const });
  return { calls, waiting: current.filter(({ id }) => !known.has(id)).length };
}
