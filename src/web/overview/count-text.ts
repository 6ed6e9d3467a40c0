/** A count, or the mean of several. */
export const formatCount = (value: number): string =>
  Number.isInteger(value) ? value.toLocaleString('en') : value.toFixed(1);
