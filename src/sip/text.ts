/** The engine's own decoders, which work on any view of bytes; `toString` wraps them at some cost. */
interface Decoders {
  latin1Slice(this: Uint8Array, from?: number, end?: number): string;
  utf8Slice(this: Uint8Array, from?: number, end?: number): string;
}

const buffer = Buffer.prototype as Decoders;

export const isDigit = (c: number): boolean => c >= 48 && c <= 57;

export const isBlank = (c: number): boolean => c === 32 || c === 9;

/** The bytes as text, one character a byte: for tokens, which are compared but never shown. */
export function decodeToken(bytes: Uint8Array, from: number, end: number): string {
  return buffer.latin1Slice.call(bytes, from, end);
}

/** A copy of its own of a token: a slice, kept, would keep the whole message it was cut from. */
export const detach = (token: string): string => buffer.latin1Slice.call(Buffer.from(token, 'latin1'));

/** The bytes as UTF-8 text; what is not UTF-8 becomes U+FFFD. RFC 3261 §7.3.1. */
export function decodeText(bytes: Uint8Array, from: number, end: number): string {
  return buffer.utf8Slice.call(bytes, from, end);
}

/** Resolves `%XX`, as UTF-8 or, where that fails, as single bytes; what is no escape stays. RFC 3986 §2.1. */
export function unescapePercent(text: string): string {
  return text.includes('%') ? text.replace(/(?:%[0-9a-f]{2})+/gi, unescapeRun) : text;
}

function unescapeRun(run: string): string {
  try {
    return decodeURIComponent(run);
  } catch {
    return Buffer.from(run.replaceAll('%', ''), 'hex').toString('latin1');
  }
}

/** The content of a quoted string without its quotes and backslashes; other text as it is. RFC 3261 §25.1. */
export function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  const inner = text.endsWith('"') && text.length > 1 ? text.slice(1, -1) : text.slice(1);
  return inner.includes('\\') ? inner.replace(/\\([\s\S])/g, '$1') : inner;
}
