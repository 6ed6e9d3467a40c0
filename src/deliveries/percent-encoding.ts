const UNRESERVED = new Uint8Array(128);
for (const c of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~') UNRESERVED[c.charCodeAt(0)] = 1;

/**
 * Percent-encodes everything but unreserved characters, as UTF-8 in upper case hex: form decoders and URI decoders read it alike.
 *
 * RFC 3986 §2.3.
 */
export function encodeComponent(text: string): string {
  for (let i = 0; i < text.length; i++) if (UNRESERVED[text.charCodeAt(i)] !== 1) return encodeAll(text);
  return text;
}

const encodeAll = (text: string): string =>
  encodeURIComponent(text.toWellFormed()).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
