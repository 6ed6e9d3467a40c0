import type { Clock } from './clock.ts';

/** A timer of Node's takes up to 24 days; the clock may be set meanwhile. */
const MAX_TIMER_MS = 24 * 3600_000;
const PRECISION = 1024;

/** What waits for a time, a million too: those that come due at nearly the same time (by 0.1 % of the wait) share a timer. */
export class Waits<Item> {
  readonly #clock: Clock;
  readonly #onDue: (items: readonly Item[]) => void;
  readonly #due = new Map<number, { readonly items: Item[]; readonly cancel: () => void }>();

  constructor(clock: Clock, onDue: (items: readonly Item[]) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** Waits at least so many ms. */
  add(item: Item, waitMs: number): void {
    const ms = Math.min(Math.max(waitMs, 0), MAX_TIMER_MS);
    const step = 2 ** Math.max(0, Math.floor(Math.log2(ms / PRECISION)));
    const now = this.#clock.now();
    const at = Math.ceil((now + ms) / step) * step;
    const known = this.#due.get(at);
    if (known) return void known.items.push(item);
    const items = [item];
    this.#due.set(at, { items, cancel: this.#clock.after(at - now, () => this.#end(at, items)) });
  }

  clear(): void {
    for (const { cancel } of this.#due.values()) cancel();
    this.#due.clear();
  }

  #end(at: number, items: readonly Item[]): void {
    this.#due.delete(at);
    this.#onDue(items);
  }
}
