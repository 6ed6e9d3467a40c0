const HOLDING = ['a=sendonly', 'a=inactive', 'c=IN IP4 0.0.0.0'];

/** Whether a session description puts the other side on hold; undefined where there is none. RFC 3264 §8.4. */
export function readHold(body: Uint8Array): boolean | undefined {
  if (body.length === 0) return undefined;
  const text = Buffer.from(body.buffer, body.byteOffset, body.length);
  return text.includes('m=') ? HOLDING.some((line) => text.includes(line)) : undefined;
}
