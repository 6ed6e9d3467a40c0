/** What is to happen when a timer fires. */
export interface Timed {
  fire(now: number): void;
}

/** A timer that runs; `cancel` it, or it fires once. */
export class Timer {
  readonly at: number;
  #target: Timed | undefined;

  constructor(at: number, target: Timed) {
    this.at = at;
    this.#target = target;
  }

  cancel(): void {
    this.#target = undefined;
  }

  fire(now: number): void {
    const target = this.#target;
    this.#target = undefined;
    target?.fire(now);
  }
}

const MIN_COMPACT = 1024;
const STEP_MS = 50;

/** Timers of one duration: they fall due in the order in which they were started. */
class Queue {
  #timers: (Timer | undefined)[] = [];
  #head = 0;

  add(timer: Timer): void {
    this.#timers.push(timer);
  }

  /** Fires what is due; returns whether timers are left. */
  advance(now: number): boolean {
    while (this.#head < this.#timers.length) {
      const timer = this.#timers[this.#head]!;
      if (timer.at > now) break;
      this.#timers[this.#head++] = undefined;
      timer.fire(now);
    }
    if (this.#head === this.#timers.length) this.#reset();
    else if (this.#head > MIN_COMPACT && this.#head * 2 > this.#timers.length) this.#compact();
    return this.#timers.length > 0;
  }

  #reset(): void {
    this.#timers = [];
    this.#head = 0;
  }

  #compact(): void {
    this.#timers = this.#timers.slice(this.#head);
    this.#head = 0;
  }
}

/**
 * Timers of a few durations, thousands of each: starting and cancelling one costs next to nothing.
 *
 * Time is passed in; it must not go back (see `performance.now`).
 */
export class Timers {
  #now = 0;
  readonly #queues = new Map<number, Queue>();

  /** The time of the last `advance`. */
  get now(): number {
    return this.#now;
  }

  /** Durations count in steps of 50 ms, up, so that there are few of them. */
  start(durationMs: number, target: Timed): Timer {
    const afterMs = Math.ceil(durationMs / STEP_MS) * STEP_MS;
    const timer = new Timer(this.#now + afterMs, target);
    let queue = this.#queues.get(afterMs);
    if (!queue) this.#queues.set(afterMs, (queue = new Queue()));
    queue.add(timer);
    return timer;
  }

  /** Lets time pass up to `now` in ms, and fires what is due. */
  advance(now: number): void {
    this.#now = Math.max(now, this.#now);
    for (const [afterMs, queue] of this.#queues) {
      if (!queue.advance(this.#now)) this.#queues.delete(afterMs);
    }
  }
}
