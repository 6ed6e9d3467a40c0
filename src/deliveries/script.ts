import { Breaker, type BreakerOptions } from './breaker.ts';
import { Queue } from './queue.ts';
import { RateLimit } from './rate-limit.ts';

/** How much one script is asked to take. */
export interface ScriptOptions {
  /** Requests at a time. */
  readonly concurrency: number;
  /** Requests a second; Infinity for as many as there are. */
  readonly rate: number;
  readonly breaker: BreakerOptions;
}

/** Deliveries of one call to one script, by their ids: one after the other, strictly in order. A million have to fit. */
export interface Lane {
  readonly call: string;
  readonly script: Script;
  /** The one that is next, or under way; 0 once none is left. */
  first: number;
  /** It waits for the script: its first delivery may be sent. */
  isReady: boolean;
  /** Those behind it. */
  rest: number[] | undefined;
  /** Where the call was merged with others: what waits for theirs, and which lanes wait for this one. */
  merge: Merge | undefined;
}

/** What a lane waits for, and what for it. */
export interface Merge {
  /** Calls whose deliveries go first, by the delivery that has to wait. */
  readonly follows: Map<number, string>;
  readonly followers: Set<Lane>;
}

/** A script's URL without its query: VoipNow rules differ in the query only. */
export const scriptOf = (url: string): string => url.split(/[?#]/, 1)[0]!;

/** One script, whichever rules call it. */
export class Script {
  readonly url: string;
  readonly breaker: Breaker;
  /** Deliveries of a call to it, by call. */
  readonly lanes = new Map<string, Lane>();
  /** Lanes whose first delivery may be sent. */
  readonly ready = new Queue<Lane>();
  /** Deliveries waiting or under way. */
  pending = 0;
  /** Requests under way. */
  active = 0;
  /** Is to be looked at again at a certain time. */
  isHeld = false;
  readonly #concurrency: number;
  readonly #rate: RateLimit;

  constructor(url: string, { concurrency, rate, breaker }: ScriptOptions) {
    this.url = url;
    this.breaker = new Breaker(breaker);
    this.#concurrency = concurrency;
    this.#rate = new RateLimit(rate);
  }

  /** How long the next request has to wait, in ms; Infinity until one that is under way is answered. */
  waitMs(now: number): number {
    if (this.active >= this.#concurrency) return Infinity;
    return Math.max(this.breaker.waitMs(now), this.#rate.waitMs(now));
  }

  /** A request begins. */
  begin(now: number): void {
    this.breaker.begin();
    this.#rate.begin(now);
  }

  /** The clock was set. */
  leap(byMs: number): void {
    this.breaker.leap(byMs);
    this.#rate.leap(byMs);
  }
}
