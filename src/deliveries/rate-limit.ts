/** So many a second, evenly; a pause saves up no more than one. */
export class RateLimit {
  readonly #intervalMs: number;
  #nextAt = -Infinity;

  /** `perSecond` may be Infinity. */
  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond;
  }

  waitMs(now: number): number {
    return Math.max(0, this.#nextAt - now);
  }

  begin(now: number): void {
    this.#nextAt = Math.max(now, this.#nextAt) + this.#intervalMs;
  }

  /** The clock was set. */
  leap(byMs: number): void {
    this.#nextAt += byMs;
  }
}
