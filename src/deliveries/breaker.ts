/** When a script is left alone, and for how long. */
export interface BreakerOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Wait before the first probe; doubled by each probe that fails. */
  readonly minWaitMs: number;
  readonly maxWaitMs: number;
}

export type BreakerState = 'closed' | 'open' | 'probing';

/** A circuit breaker: after failures in a row one delivery at a time finds out whether the script is back. */
export class Breaker {
  state: BreakerState = 'closed';
  /** Failures in a row. */
  failures = 0;
  readonly #options: BreakerOptions;
  #waitMs = 0;
  #probeAt = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** How long to wait before the next attempt, in ms; Infinity until the probe under way is answered. */
  waitMs(now: number): number {
    if (this.state === 'closed') return 0;
    return this.state === 'probing' ? Infinity : Math.max(0, this.#probeAt - now);
  }

  /** An attempt begins. */
  begin(): void {
    if (this.state === 'open') this.state = 'probing';
  }

  succeed(): void {
    this.state = 'closed';
    this.failures = 0;
  }

  /** An attempt failed; true if that opened the breaker. */
  fail(now: number): boolean {
    this.failures++;
    if (this.state === 'closed' && this.failures < this.#options.failures) return false;
    if (this.state === 'open') return false; // sent before it opened
    const wasClosed = this.state === 'closed';
    this.#waitMs = wasClosed ? this.#options.minWaitMs : Math.min(this.#waitMs * 2, this.#options.maxWaitMs);
    this.#probeAt = now + this.#waitMs;
    this.state = 'open';
    return wasClosed;
  }

  /** The clock was set. */
  leap(byMs: number): void {
    this.#probeAt += byMs;
  }
}
