const SPACE = 32;
const VERSION = [83, 73, 80, 47]; // SIP/
const MAX_METHOD = 32;

const isUpper = (c: number): boolean => c >= 65 && c <= 90;
const lower = (c: number): number => c | 32;

/**
 * Whether the bytes begin as a SIP message does: `SIP/2.0 ` or a method and a sip, sips, tel or urn URI.
 *
 * A cheap test by content, for finding SIP on any port; it does not promise that the message parses.
 */
export function startsAsSip(bytes: Uint8Array, from = 0, end = bytes.length): boolean {
  if (end - from < 12) return false;
  return startsAsResponse(bytes, from) || startsAsRequest(bytes, from, end);
}

function startsAsResponse(bytes: Uint8Array, from: number): boolean {
  for (let i = 0; i < VERSION.length; i++) if (bytes[from + i] !== VERSION[i]) return false;
  return bytes[from + 4] === 50 && bytes[from + 7] === SPACE; // "2", then the space after "2.0"
}

function startsAsRequest(bytes: Uint8Array, from: number, end: number): boolean {
  let at = from;
  const methodEnd = Math.min(end, from + MAX_METHOD);
  while (at < methodEnd && isUpper(bytes[at]!)) at++;
  if (at === from || bytes[at] !== SPACE) return false;
  return startsAsUri(bytes, at + 1, end);
}

function startsAsUri(bytes: Uint8Array, at: number, end: number): boolean {
  if (at + 4 >= end) return false;
  const a = lower(bytes[at]!);
  const b = lower(bytes[at + 1]!);
  const c = lower(bytes[at + 2]!);
  if (a === 115 && b === 105 && c === 112) return bytes[at + 3] === 58 || lower(bytes[at + 3]!) === 115; // sip: sips:
  if (a === 116 && b === 101 && c === 108) return bytes[at + 3] === 58; // tel:
  return a === 117 && b === 114 && c === 110 && bytes[at + 3] === 58; // urn:
}
