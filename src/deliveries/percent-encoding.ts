const PLAIN = /^[A-Za-z0-9._~-]*$/;

/**
 * Percent-encodes everything but unreserved characters, as UTF-8 in upper case hex: form decoders and URI decoders read it alike.
 *
 * RFC 3986 §2.3.
 */
export function encodeComponent(text: string): string {
  if (PLAIN.test(text)) return text;
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
