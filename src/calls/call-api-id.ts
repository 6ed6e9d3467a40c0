import { hash } from 'node:crypto';
import { decodeToken } from '../sip/text.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const LENGTH = 20;

/**
 * The id of a call, from the leg it began with: 20 characters of `[a-z0-9]`, the same for every observer and replay.
 *
 * `attempt` tells apart calls that reuse Call-ID and From-tag: 0, or the CSeq number of a later attempt.
 */
export function makeCallApiId(callId: string, fromTag: string, attempt = 0): string {
  const digest = hash('sha256', `${callId}\n${fromTag}${attempt ? `\n${attempt}` : ''}`, 'buffer');
  for (let i = 0; i < LENGTH; i++) digest[i] = ALPHABET.charCodeAt(digest[i]! % ALPHABET.length);
  return decodeToken(digest, 0, LENGTH);
}

/** Whether a text that a peer sent can be an id of a call. */
export const isCallApiId = (text: string): boolean => /^[a-z0-9]{20}$/.test(text);
