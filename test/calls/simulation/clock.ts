/** Something that is to happen at a time. */
interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Time that passes only from one thing that happens to the next. */
export class Clock {
  /** Epoch milliseconds. */
  now: number;
  readonly #heap: Due[] = [];
  #order = 0;
  #error: Error | undefined;

  constructor(start: number) {
    this.now = start;
  }

  after(delayMs: number, run: () => void): void {
    this.#push({ at: this.now + delayMs, order: this.#order++, run });
  }

  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.after(delayMs, resolve));
  }

  /** Lets something go on beside everything else; the run fails if it does. */
  spawn(doing: Promise<unknown>): void {
    doing.catch((error: Error) => (this.#error ??= error));
  }

  /** Until nothing is left to happen. */
  async run(): Promise<void> {
    for (let due = this.#pop(); due; due = this.#pop()) {
      this.now = due.at;
      due.run();
      await settle();
    }
    if (this.#error) throw this.#error;
  }

  #push(due: Due): void {
    let at = this.#heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (isBefore(this.#heap[parent]!, due)) break;
      this.#heap[at] = this.#heap[parent]!;
      at = parent;
    }
    this.#heap[at] = due;
  }

  #pop(): Due | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(due: Due): void {
    let at = 0;
    for (let child = 1; child < this.#heap.length; child = 2 * at + 1) {
      if (child + 1 < this.#heap.length && isBefore(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (isBefore(due, this.#heap[child]!)) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = due;
  }
}

const isBefore = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

/** Everything that waited for what just happened goes on before anything else happens. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Something that happens once; who waits for it may come late. */
export class Signal<T = void> {
  readonly promise: Promise<T>;
  isSet = false;
  value: T | undefined;
  #resolve!: (value: T) => void;

  constructor() {
    this.promise = new Promise((resolve) => (this.#resolve = resolve));
  }

  set(value: T): void {
    if (this.isSet) return;
    this.isSet = true;
    this.value = value;
    this.#resolve(value);
  }
}
