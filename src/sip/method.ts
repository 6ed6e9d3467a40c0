import { decodeToken } from './text.ts';

const METHODS = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
  'MESSAGE',
  'UPDATE',
  'PRACK',
] as const;

const byFirst = new Map<number, string[]>();
for (const method of METHODS) {
  const first = method.charCodeAt(0);
  byFirst.set(first, [...(byFirst.get(first) ?? []), method]);
}

/** The method name between two offsets, without a new string for a known one. Methods are case-sensitive. RFC 3261 §7.1. */
export function decodeMethod(bytes: Uint8Array, from: number, end: number): string {
  const candidates = byFirst.get(bytes[from]!);
  if (candidates) {
    for (const method of candidates) if (spells(method, bytes, from, end)) return method;
  }
  return decodeToken(bytes, from, end);
}

function spells(method: string, bytes: Uint8Array, from: number, end: number): boolean {
  if (method.length !== end - from) return false;
  for (let i = 1; i < method.length; i++) if (method.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}
