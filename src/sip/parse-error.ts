/** The peer sent what is not SIP: says what, and at which byte of the message. */
export class SipParseError extends Error {
  override readonly name = 'SipParseError';
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(`${message} at offset ${offset}`);
    this.offset = offset;
  }
}
