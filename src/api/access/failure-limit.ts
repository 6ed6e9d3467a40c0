import { LRUCache } from 'lru-cache';

const FREE = 5;
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 300_000;
const FORGET_MS = 900_000;
const MAX_ADDRESSES = 20_000;

interface Failures {
  readonly count: number;
  /** Epoch ms before which the address is not listened to. */
  readonly until: number;
}

/** Makes guessing slow: after some failures each further one makes its address wait, twice as long as the one before. */
export class FailureLimit {
  readonly #now: () => number;
  readonly #failures: LRUCache<string, Failures>;

  constructor(now: () => number) {
    this.#now = now;
    this.#failures = new LRUCache({ max: MAX_ADDRESSES });
  }

  /** How long the address has to wait before it may try again, in ms; 0 if it may. */
  waitMs(address: string): number {
    return Math.max(0, (this.#failures.get(networkOf(address))?.until ?? 0) - this.#now());
  }

  fail(address: string): void {
    const key = networkOf(address);
    const known = this.#failures.get(key);
    const count = known && this.#now() - known.until < FORGET_MS ? known.count + 1 : 1;
    const waitMs = count <= FREE ? 0 : Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** (count - FREE - 1));
    this.#failures.set(key, { count, until: this.#now() + waitMs });
  }

  succeed(address: string): void {
    this.#failures.delete(networkOf(address));
  }
}

/** Who has one IPv6 address has 2^64 of them. */
const networkOf = (address: string): string =>
  address.includes(':') && !address.includes('.') ? expandStart(address) : address;

function expandStart(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail?.split(':') ?? [])].slice(0, 4).join(':');
}
