import { LRUCache } from 'lru-cache';

const FIRST_WAIT_MS = 1000;
const FORGET_MS = 900_000;
const MAX_KNOWN = 20_000;
const MAX_NAME = 200;

/** How much an address may fail. */
export interface FailureBounds {
  /** Failures before it has to wait. */
  readonly free: number;
  readonly maxWaitMs: number;
}

/** For one name: guessing the password of somebody is slow, whatever else the address succeeds with. */
const PER_NAME: FailureBounds = { free: 5, maxWaitMs: 300_000 };
/** For all names: slow enough for a guess at many, but others at the address still get in. */
const PER_ADDRESS: FailureBounds = { free: 30, maxWaitMs: 10_000 };

interface Failures {
  readonly count: number;
  /** Epoch ms before which there is no listening. */
  readonly until: number;
}

/** Makes guessing slow: after some failures each further one makes an address wait, twice as long as the one before. */
export class FailureLimit {
  readonly #now: () => number;
  readonly #failures: LRUCache<string, Failures>;

  constructor(now: () => number) {
    this.#now = now;
    this.#failures = new LRUCache({ max: MAX_KNOWN });
  }

  /** How long the address has to wait before it may try a name again, in ms; 0 if it may. */
  waitMs(address: string, name: string): number {
    const network = networkOf(address);
    const untils = [keyOf(network, name), network].map((key) => this.#failures.get(key)?.until ?? 0);
    return Math.max(0, ...untils.map((until) => until - this.#now()));
  }

  fail(address: string, name: string): void {
    const network = networkOf(address);
    this.#count(keyOf(network, name), PER_NAME);
    this.#count(network, PER_ADDRESS);
  }

  /** Says nothing of other names: who has one password is not to guess at others the faster for it. */
  succeed(address: string, name: string): void {
    this.#failures.delete(keyOf(networkOf(address), name));
  }

  #count(key: string, { free, maxWaitMs }: FailureBounds): void {
    const known = this.#failures.get(key);
    const count = known && this.#now() - known.until < FORGET_MS ? known.count + 1 : 1;
    const waitMs = count <= free ? 0 : Math.min(maxWaitMs, FIRST_WAIT_MS * 2 ** (count - free - 1));
    this.#failures.set(key, { count, until: this.#now() + waitMs });
  }
}

const keyOf = (network: string, name: string): string => `${network} ${name.slice(0, MAX_NAME)}`;

/** Who has one IPv6 address has 2^64 of them. */
const networkOf = (address: string): string =>
  address.includes(':') && !address.includes('.') ? expandStart(address) : address;

function expandStart(address: string): string {
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
  return [...groups, ...Array.from({ length: missing }, () => '0'), ...(tail?.split(':') ?? [])].slice(0, 4).join(':');
}
