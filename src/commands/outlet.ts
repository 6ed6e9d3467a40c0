import type { Observation } from '../sip/observation.ts';
import { SourceCounts } from '../sources/source-counts.ts';
import { BATCH_BYTES, ObservationBatch } from './observation-batch.ts';
import type { FromObserver } from './observer-messages.ts';

/** Events are to reach scripts within milliseconds; where so many bytes come in that time, they wait for more to come along. */
const FLUSH_MS = 4;
const LOADED_FLUSH_MS = 20;
const LOADED_BYTES = 20_000;
/** So many batches may be under way; while they are, the next one is filled up. */
const AHEAD = 2;
const MAX_SPARE = 16;
const MAX_LINES_PER_BEAT = 10;

/** Hands observations over in batches, as long as they are taken. */
export class Outlet {
  /** What could not be used is told of. */
  readonly counts = new SourceCounts();
  #batch = new ObservationBatch();
  readonly #waiting: ObservationBatch[] = []; // the oldest first
  readonly #spare: ObservationBatch[] = [];
  #toldDrops = 0;
  #waitingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #flushMs = FLUSH_MS;
  #lines = 0;
  readonly #maxBytes: number;
  readonly #tell: (message: FromObserver) => void;

  /** `maxBytes` may wait to be looked at; what comes on top is dropped. */
  constructor(maxBytes: number, tell: (message: FromObserver) => void) {
    this.#maxBytes = maxBytes;
    this.#tell = tell;
  }

  /** Takes in one; its bytes are copied. */
  add(observation: Observation): void {
    if (this.#isFull) return this.drop('observed too late to be looked at');
    if (!this.#batch.add(observation)) {
      this.#handOver();
      this.#addLarge(observation);
    }
    this.#timer ??= setTimeout(() => this.flush(), this.#flushMs);
  }

  get #isFull(): boolean {
    return this.#waitingBytes > this.#maxBytes;
  }

  #handOver(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { memory, length } = this.#batch;
    this.#flushMs = length < LOADED_BYTES ? FLUSH_MS : LOADED_FLUSH_MS;
    this.#waitingBytes += memory.byteLength;
    this.#waiting.push(this.#batch);
    this.#batch = this.#spare.pop() ?? new ObservationBatch();
    this.#tell({ kind: 'batch', memory, length, until: Date.now() });
  }

  #addLarge(observation: Observation): void {
    const size = ObservationBatch.sizeOf(observation);
    if (size > BATCH_BYTES) this.#batch = new ObservationBatch(new SharedArrayBuffer(size));
    this.#batch.add(observation);
  }

  /** Hands over what there is, unless so much is under way that it may wait for more; an empty batch tells that nothing was observed. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length < AHEAD) this.#handOver();
  }

  /** The oldest batch has been read. */
  done(): void {
    const batch = this.#waiting.shift()!;
    this.#waitingBytes -= batch.memory.byteLength;
    batch.clear();
    if (batch.memory.byteLength === BATCH_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(batch);
    if (this.#timer === undefined && this.#batch.length > 0) this.flush();
  }

  /** Hands over what is left, whatever is under way, and up to when that is all. */
  close(): void {
    this.#handOver();
    this.beat();
  }

  /** Counts input that was of no use. */
  drop(reason: string): void {
    this.counts.drop(reason);
  }

  /** A flood of log lines is cut off: the counts tell of it. */
  log(level: 'info' | 'warn', text: string, about: object): void {
    if (this.#lines++ < MAX_LINES_PER_BEAT) this.#tell({ kind: 'log', level, text, about });
    else this.drop('log lines');
  }

  /** Tells, a few times a second, up to when all has been handed over, and what was dropped. */
  beat(): void {
    this.#lines = 0;
    this.flush();
    let count = 0;
    for (const one of this.counts.drops.values()) count += one;
    if (count > this.#toldDrops) this.#tell({ kind: 'drops', drops: this.counts.drops });
    this.#toldDrops = count;
  }
}
