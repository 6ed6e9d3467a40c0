import { unquote } from './text.ts';

const QUOTE = 34;
const LESS = 60;
const GREATER = 62;
const SEMICOLON = 59;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;

/** Offset behind the quoted string that begins at `at`; `end` if it is not closed. */
export function skipQuoted(bytes: Uint8Array, at: number, end: number): number {
  for (at++; at < end; at++) {
    if (bytes[at] === BACKSLASH) at++;
    else if (bytes[at] === QUOTE) return at + 1;
  }
  return end;
}

/** Offset behind the `>` that closes the `<` at `at`; behind the `<` alone if nothing closes it. */
function skipBrackets(bytes: Uint8Array, at: number, end: number): number {
  const close = bytes.indexOf(GREATER, at);
  return close < 0 || close >= end ? at + 1 : close + 1;
}

/**
 * Locates the value of a header parameter (`;tag=…`) of the first value between two offsets.
 *
 * Returns the place packed in one number (see `spanStart`, `spanEnd`), or -1: no object on the hot path.
 * `name` is in lower case. Quoted strings and what stands in angle brackets are passed over.
 */
export function findParameter(bytes: Uint8Array, from: number, end: number, name: Uint8Array): number {
  let at = from;
  while (at < end) {
    const c = bytes[at]!;
    if (c > GREATER) at++;
    else if (c === SEMICOLON) {
      const value = matchParameter(bytes, at + 1, end, name);
      if (value >= 0) return locateValue(bytes, value, end);
      at++;
    } else if (c === QUOTE) at = skipQuoted(bytes, at, end);
    else if (c === LESS) at = skipBrackets(bytes, at, end);
    else if (c === COMMA) return -1;
    else at++;
  }
  return -1;
}

const LENGTH_BITS = 2 ** 20;
export const spanStart = (span: number): number => Math.floor(span / LENGTH_BITS);
export const spanEnd = (span: number): number => Math.floor(span / LENGTH_BITS) + (span % LENGTH_BITS);

/** Offset behind `name =` if that stands at `at`, else -1. */
function matchParameter(bytes: Uint8Array, at: number, end: number, name: Uint8Array): number {
  at = skipSpace(bytes, at, end);
  for (let i = 0; i < name.length; i++) if ((bytes[at + i]! | 32) !== name[i]) return -1;
  at += name.length;
  at = skipSpace(bytes, at, end);
  return at < end && bytes[at] === EQUALS ? at + 1 : -1;
}

function locateValue(bytes: Uint8Array, from: number, end: number): number {
  from = skipSpace(bytes, from, end);
  let at = from;
  if (bytes[at] === QUOTE) at = skipQuoted(bytes, at, end);
  else while (at < end && !endsToken(bytes[at]!)) at++;
  return from * LENGTH_BITS + (at - from);
}

/** Blanks and the line ends of folding. */
function skipSpace(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at]! <= 32) at++;
  return at;
}

const endsToken = (c: number): boolean => c === SEMICOLON || c === COMMA || c === GREATER || c <= 32;

/** Splits at a separator that is neither in a quoted string nor in angle brackets; blanks around the parts go. */
export function splitOutsideQuotes(text: string, separator: ',' | ';' | ' '): string[] {
  if (!text.includes(separator)) return [text.trim()];
  if (!text.includes('"') && !text.includes('<')) return text.split(separator).map((part) => part.trim());
  const parts: string[] = [];
  let start = 0;
  let at = 0;
  while (at < text.length) {
    const c = text[at];
    if (c === '"') at = closeQuote(text, at);
    else if (c === '<') at = closeBracket(text, at);
    else if (c === separator) {
      parts.push(text.slice(start, at).trim());
      start = ++at;
    } else at++;
  }
  parts.push(text.slice(start).trim());
  return parts;
}

/** Index behind the quoted string that begins at `at`; the text's end if it is not closed. */
export function closeQuote(text: string, at: number): number {
  for (at++; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at + 1;
  }
  return text.length;
}

function closeBracket(text: string, at: number): number {
  const close = text.indexOf('>', at);
  return close < 0 ? at + 1 : close + 1;
}

const NO_PARAMETERS: ReadonlyMap<string, string> = new Map();

/** Reads `;name=value;flag`; names in lower case, quoted values unquoted, a flag has the value `''`; the first of a name wins. */
export function parseParameters(text: string): ReadonlyMap<string, string> {
  if (text === '') return NO_PARAMETERS;
  const parameters = new Map<string, string>();
  for (const part of splitOutsideQuotes(text, ';')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = (equals < 0 ? part : part.slice(0, equals)).trim().toLowerCase();
    const value = equals < 0 ? '' : unquote(part.slice(equals + 1).trim());
    if (!parameters.has(name)) parameters.set(name, value);
  }
  return parameters;
}
