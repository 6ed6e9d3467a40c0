/** Something that has to be looked at when its time has come. */
export interface Timed {
  /** Epoch milliseconds; Infinity for never. */
  deadline: number;
  /** Time of its entry in the queue; kept by `Deadlines`. */
  queuedAt: number;
}

// No entry is further ahead than this: one whose item got an earlier deadline would keep that item in memory till then.
const RECHECK_MS = 20_000;

/**
 * Deadlines of many items in order of time: a binary heap in which a deadline that moved away costs nothing.
 *
 * An item has at most one valid entry; when that comes up early, it goes back in at the item's own deadline.
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
    if (deadline < item.queuedAt) this.#push(item, deadline);
  }

  /** Takes out the next item whose deadline is at or before `now`; undefined if there is none. */
  take(now: number): Item | undefined {
    while (this.#times.length > 0 && this.#times[0]! <= now) {
      const at = this.#times[0]!;
      const item = this.#pop();
      if (item.queuedAt !== at) continue; // an earlier entry took its place
      item.queuedAt = Infinity;
      if (item.deadline <= at) return item;
      if (item.deadline <= now) this.#push(item, item.deadline);
      else if (item.deadline !== Infinity) this.#push(item, Math.min(item.deadline, now + RECHECK_MS));
    }
    return undefined;
  }

  /** Moves every entry by so many ms; whoever calls moves the items' own times. */
  leap(byMs: number): void {
    for (let index = 0; index < this.#times.length; index++) this.#times[index]! += byMs;
  }

  #push(item: Item, at: number): void {
    item.queuedAt = at;
    let index = this.#times.push(at) - 1;
    this.#items.push(item);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (this.#times[parent]! <= at) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#times[index] = at;
    this.#items[index] = item;
  }

  #pop(): Item {
    const top = this.#items[0]!;
    const at = this.#times.pop()!;
    const item = this.#items.pop()!;
    const length = this.#times.length;
    if (length === 0) return top;
    let index = 0;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && this.#times[child + 1]! < this.#times[child]!) child++;
      if (this.#times[child]! >= at) break;
      this.#move(child, index);
      index = child;
    }
    this.#times[index] = at;
    this.#items[index] = item;
    return top;
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from]!;
    this.#items[to] = this.#items[from]!;
  }
}
