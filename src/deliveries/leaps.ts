/** By how much the clock was set while deliveries waited. */
export class Leaps {
  readonly #leaps: { readonly lastId: number; readonly byMs: number }[] = [];

  /** All up to `lastId` were there already. */
  add(lastId: number, byMs: number): void {
    this.#leaps.push({ lastId, byMs });
  }

  /** By how much the clock was set since that delivery was made, in ms. */
  since(id: number): number {
    let sum = 0;
    for (const { lastId, byMs } of this.#leaps) if (id <= lastId) sum += byMs;
    return sum;
  }
}
