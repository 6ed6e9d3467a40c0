/** How a branch ended. */
export interface Final {
  readonly code: number;
  /** As it came, without our Via; undefined if we made it up. */
  readonly response: Buffer | undefined;
  /** Value of a Reason header for one that we make up; empty for none. */
  readonly reason: string;
}

/** Codes that tell the caller what to change come before others of their class. RFC 3261 §16.7 step 6. */
const HELPFUL: ReadonlySet<number> = new Set([401, 407, 415, 420, 484]);

function rank({ code }: Final): number {
  if (code >= 600) return 0;
  const isHelpful = HELPFUL.has(code);
  return Math.floor(code / 100) * 10 + (isHelpful ? 0 : code === 408 || code === 503 ? 9 : 5);
}

/** The response that goes back when every branch failed; one that was cancelled is told so. RFC 3261 §16.7 step 6. */
export function chooseBest(finals: readonly Final[], isCancelled: boolean): Final {
  const best = finals.reduce((a, b) => (rank(b) < rank(a) ? b : a));
  const isOwn = best.response === undefined || best.code === 408;
  return isCancelled && isOwn ? { code: 487, response: undefined, reason: '' } : best;
}
