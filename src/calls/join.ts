/**
 * What tells that two legs are of one call, and how sure that is (1: certain). In the order in which it is looked for;
 * design §5. `same-call-id`: another From-tag under the Call-ID of a leg that is up.
 */
export const CONFIDENCE = {
  'same-call-id': 1,
  'marker': 1,
  'replaces': 0.99,
  'referred-by': 0.97,
  'refer': 0.95,
  'redirect': 0.9,
  'header': 0.9,
  'session-id': 0.9,
  'correlation-id': 0.9,
  'diversion': 0.85,
  'numbers': 0.8,
  'connected-identity': 0.75,
  'coincidence': 0.75,
  'pickup': 0.7,
  'caller-number': 0.6,
  'called-number': 0.5,
  'feature-code': 0.5,
  'click-to-dial': 0.5,
} as const;

export type JoinMethod = keyof typeof CONFIDENCE;

/** As the extra `Correlation` tells it: `numbers 0.8`. */
export const formatJoin = ({ method }: { readonly method: JoinMethod }): string => `${method} ${CONFIDENCE[method]}`;
