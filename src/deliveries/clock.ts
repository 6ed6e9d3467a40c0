/** Time and chance, so that tests need not wait for them. */
export interface Clock {
  now(): number;
  /** In [0, 1). */
  random(): number;
  after(ms: number, run: () => void): () => void;
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  random: Math.random,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
