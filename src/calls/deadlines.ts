/** Something that has to be looked at when its time has come. */
export interface Timed {
  /** Epoch milliseconds; Infinity for never. */
  deadline: number;
  /** Place of its entry in the queue, -1 for none; kept by `Deadlines`. */
  queueIndex: number;
}

/**
 * Deadlines of many items in order of time: a binary heap with one entry for each item. A deadline that moves away costs
 * nothing: the entry goes back in at the item's own deadline when it comes up early.
 */
export class Deadlines<Item extends Timed> {
  readonly #times: number[] = [];
  readonly #items: Item[] = [];

  get length(): number {
    return this.#times.length;
  }

  /** Sets or moves an item's deadline. */
  set(item: Item, deadline: number): void {
    item.deadline = deadline;
    const index = item.queueIndex;
    if (index < 0) this.#push(item, deadline);
    else if (deadline < this.#times[index]!) this.#rise(item, deadline, index);
  }

  /** Takes out the next item whose deadline is at or before `now`; undefined if there is none. */
  take(now: number): Item | undefined {
    while (this.#times.length > 0 && this.#times[0]! <= now) {
      const at = this.#times[0]!;
      const item = this.#pop();
      if (item.deadline <= at) return item;
      if (item.deadline !== Infinity) this.#push(item, item.deadline);
    }
    return undefined;
  }

  /** Moves every entry by so many ms; whoever calls moves the items' own times. */
  leap(byMs: number): void {
    for (let index = 0; index < this.#times.length; index++) this.#times[index]! += byMs;
  }

  #push(item: Item, at: number): void {
    this.#items.push(item);
    this.#rise(item, at, this.#times.push(at) - 1);
  }

  #pop(): Item {
    const top = this.#items[0]!;
    const at = this.#times.pop()!;
    const item = this.#items.pop()!;
    if (item !== top) this.#sink(item, at);
    top.queueIndex = -1;
    return top;
  }

  /** Finds an entry its place at or above an index. */
  #rise(item: Item, at: number, index: number): void {
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#times[parent]! <= at) break;
      this.#put(this.#items[parent]!, this.#times[parent]!, index);
      index = parent;
    }
    this.#put(item, at, index);
  }

  /** Finds the last entry its place, from the top down. */
  #sink(item: Item, at: number): void {
    const length = this.#times.length;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#times[child + 1]! < this.#times[child]!) child++;
      if (this.#times[child]! >= at) break;
      this.#put(this.#items[child]!, this.#times[child]!, index);
      index = child;
    }
    this.#put(item, at, index);
  }

  #put(item: Item, at: number, index: number): void {
    this.#times[index] = at;
    this.#items[index] = item;
    item.queueIndex = index;
  }
}
