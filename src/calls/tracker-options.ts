/** Times and limits of the tracker; times in milliseconds. */
export interface TrackerOptions {
  /** How long an INVITE may go without any challenge before it counts as a call. */
  readonly dialHoldMs: number;
  /** How long a challenged INVITE waits for the one with credentials: a person may have to type them. */
  readonly challengeMs: number;
  /** How long a redirected caller has to follow. */
  readonly redirectMs: number;
  /** Longest silence before the final response: Timer C and 10 s. RFC 3261 §16.6 step 11. */
  readonly ringLimitMs: number;
  /** Longest answered call where no session timer tells. */
  readonly callLimitMs: number;
  /** Time a session may outlast its interval before it counts as over. RFC 4028 §10. */
  readonly sessionSlackMs: number;
  /** How long an ended leg is kept for retransmissions and copies: 64 × T1. */
  readonly lingerMs: number;
  readonly maxLegs: number;
  readonly maxForks: number;
  readonly maxContacts: number;
  /** Header by which a trusted peer names the CallAPIID; empty: none. */
  readonly markerHeader: string;
  /** Headers that a PBX copies from leg to leg, each with `;parameter` where only that counts. */
  readonly correlationHeaders: readonly string[];
}

export const TRACKER_DEFAULTS: TrackerOptions = {
  dialHoldMs: 1000,
  challengeMs: 60_000,
  redirectMs: 5000,
  ringLimitMs: 195_000,
  callLimitMs: 24 * 3600_000,
  sessionSlackMs: 32_000,
  lingerMs: 32_000,
  maxLegs: 500_000,
  maxForks: 64,
  maxContacts: 100_000,
  markerHeader: 'X-CallAPIID',
  correlationHeaders: ['X-CID', 'P-Charging-Vector;icid-value', 'Cisco-Guid', 'Av-Global-Session-ID'],
};
