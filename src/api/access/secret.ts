import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

const BYTES = 32;

/** A secret of 43 letters, digits, `-` and `_`. */
export const makeSecret = (): string => randomBytes(BYTES).toString('base64url');

export const digest = (text: string): Buffer => hash('sha256', text, 'buffer');

/** Compares in a time that tells nothing of what is the same. */
export const isSameSecret = (a: string, b: string): boolean => timingSafeEqual(digest(a), digest(b));
