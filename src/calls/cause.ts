import type { SipMessage } from '../sip/message.ts';
import { parseReason } from '../sip/reason.ts';

/** Why a request or response was sent, as far as it counts for the status; 0 and empty where it is not told. */
export interface Cause {
  readonly q850: number;
  /** Who set the Q.850 cause, `U` for the user. RFC 8606 §4. */
  readonly location: string;
  /** Cause of a Reason with protocol `SIP`. */
  readonly sip: number;
}

export const NO_CAUSE: Cause = { q850: 0, location: '', sip: 0 };

/** The first cause that each protocol's Reason tells; undefined without a Reason. RFC 3326 §2. */
export function readCause(message: SipMessage): Cause | undefined {
  if (!message.has('Reason')) return undefined;
  const reasons = message.values('Reason').map(parseReason);
  const q850 = reasons.find(({ protocol }) => protocol === 'Q.850');
  const sip = reasons.find(({ protocol }) => protocol === 'SIP');
  return { q850: Math.max(0, q850?.cause ?? 0), location: q850?.location ?? '', sip: Math.max(0, sip?.cause ?? 0) };
}
