import type { Observation, ObservationSink } from '../sip/observation.ts';

const MAX_QUEUED = 1000;

/** Holds observations back until as much time has passed as lay between them. */
export class Pacer {
  readonly #sink: ObservationSink;
  readonly #queue: Observation[] = [];
  #offset: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #waiting: (() => void)[] = [];

  constructor(sink: ObservationSink) {
    this.#sink = sink;
  }

  push(observation: Observation): void {
    this.#queue.push({ ...observation, bytes: Buffer.from(observation.bytes) });
    this.#offset ??= Date.now() - observation.observedAt;
    if (this.#timer === undefined) this.#release();
  }

  /** Resolves when fewer than `count` are held back. */
  async waitBelow(count = MAX_QUEUED): Promise<void> {
    while (this.#queue.length >= count) await new Promise<void>((done) => this.#waiting.push(done));
  }

  /** Gives up what is held back. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#queue.length = 0;
    this.#wake();
  }

  #release(): void {
    this.#timer = undefined;
    while (this.#queue.length > 0) {
      const waitMs = this.#queue[0]!.observedAt + this.#offset! - Date.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#release(), Math.min(waitMs, 2 ** 30));
        break;
      }
      this.#sink(this.#queue.shift()!);
    }
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const done of waiting) done();
  }
}
