import { LRUCache } from 'lru-cache';

const MAX_SOURCES = 20_000;
const BURST_SECONDS = 4;

interface Bucket {
  tokens: number;
  filledAt: number;
}

/** How many requests per second one source may send; what it saved up lasts for a burst. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #buckets = new LRUCache<string, Bucket>({ max: MAX_SOURCES });

  /** 0: no limit. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Whether one more is within the limit. `now` in ms. */
  admit(source: string, now: number): boolean {
    if (this.#perSecond === 0) return true;
    const most = this.#perSecond * BURST_SECONDS;
    let bucket = this.#buckets.get(source);
    if (!bucket) this.#buckets.set(source, (bucket = { tokens: most, filledAt: now }));
    bucket.tokens = Math.min(most, bucket.tokens + ((now - bucket.filledAt) / 1000) * this.#perSecond);
    bucket.filledAt = now;
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }
}
