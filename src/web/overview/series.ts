type Values = readonly (number | null)[];

/** Each list on top of those before it; the last one is the highest. Nothing counts as 0. */
export function stackValues(lists: readonly Values[]): number[][] {
  const tops: number[] = [];
  return lists.map((values) =>
    values.map((value, index) => {
      tops[index] = (tops[index] ?? 0) + (value ?? 0);
      return tops[index];
    }),
  );
}

export const sum = (values: Values): number => values.reduce<number>((all, value) => all + (value ?? 0), 0);

/** The latest value there is; null if there is none. */
export const latest = (values: Values): number | null => values.findLast((value) => value !== null) ?? null;

export const highest = (values: Values): number | null =>
  values.reduce((most, value) => (value !== null && (most === null || value > most) ? value : most), null);

/** Mean of values weighed by how many there were; null if there were none. */
export function weighedMean(values: Values, weights: Values): number | null {
  let [total, weight] = [0, 0];
  for (const [index, value] of values.entries()) {
    const own = weights[index] ?? 0;
    if (value === null || own === 0) continue;
    total += value * own;
    weight += own;
  }
  return weight === 0 ? null : total / weight;
}
