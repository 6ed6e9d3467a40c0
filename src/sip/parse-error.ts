/** The peer sent what is not SIP: says what, and at which byte of the message. */
export class SipParseError extends Error {
  override readonly name = 'SipParseError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.offset = offset;
  }
}

/** The value, or undefined where the peer wrote something that can't be read: other fields may still tell. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SipParseError) return undefined;
    throw error;
  }
}
