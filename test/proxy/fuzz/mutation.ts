import { SDP, unique } from '../support/wire-builders.ts';

// SIP messages that are nearly right.

const METHODS = [
  'INVITE',
  'ACK',
  'CANCEL',
  'BYE',
  'REGISTER',
  'OPTIONS',
  'SUBSCRIBE',
  'NOTIFY',
  'REFER',
  'UPDATE',
  'ODD',
];
const NUMBERS = ['-1', '0', '65536', '4294967296', '99999999999999999999', '1e9', '0x10', ' ', ''];
const BYTES = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  '"',
  '<',
  '>',
  ';',
  ',',
  '%',
  '%zz',
  '\xff',
  '\xc3\x28',
  '@',
  '[',
  ']',
  '\\',
  '\t',
];
const HEADERS = [
  'Route: <sip:127.0.0.1;lr>',
  'Route: <sip:s.aaaaaaaaaaaaaaaaaaaa@127.0.0.1;lr>, <sip:[::1]:1;lr>',
  'Record-Route: <sip:x@127.0.0.1;lr>',
  'Contact: *',
  'Contact: <sip:a@b.invalid;transport=ws>;expires=5;q=0.3, "x" <tel:+1>',
  'Expires: 0',
  'Path: <sip:127.0.0.1;lr>',
  'Supported: path, outbound, timer, replaces',
  'Proxy-Authorization: Digest username="101", realm="acme.example.com", nonce="x", uri="sip:x", response="y"',
  'Refer-To: <sip:103@acme.example.com?Replaces=a%3Bto-tag%3Db%3Bfrom-tag%3Dc>',
  'Referred-By: <sip:102@acme.example.com>',
  'Replaces: a;to-tag=b;from-tag=c;early-only',
  'Event: refer',
  'Diversion: <sip:102@acme.example.com>;reason=unknown',
  'P-Asserted-Identity: "A" <sip:101@acme.example.com>, <tel:+1555>',
  'Session-Expires: 90;refresher=uac',
  'X-CallAPIID: aaaaaaaaaaaaaaaaaaaa',
  'Reason: Q.850;cause=17;text="x"',
  'Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKx;received=1.2.3.4;rport=5',
  'Max-Forwards: 0',
  'Subject: a\r\n folded\r\n\tthrice',
];

export type Random = () => number;

/** Makes messages out of its own and of those that it has seen. */
export class Mutator {
  readonly #random: Random;
  readonly #at: string;
  readonly #seen: string[] = [];

  /** `at`: host and port that the messages are for. */
  constructor(random: Random, at: string) {
    this.#random = random;
    this.#at = at;
  }

  /** Remembers a message to make others of. */
  learn(text: string): void {
    if (this.#seen.length < 200) this.#seen.push(text);
    else this.#seen[this.#below(200)] = text;
  }

  next(transport = 'UDP'): Buffer {
    const isOfOthers = this.#seen.length > 0 && this.#random() < 0.4;
    const text = isOfOthers ? this.#turn(this.#pick(this.#seen)) : this.#request(transport);
    return this.#spoil(Buffer.from(this.#rewrite(text), 'latin1'));
  }

  #request(transport: string): string {
    const method = this.#pick(METHODS);
    const to = this.#pick([
      'sip:102@acme.example.com',
      `sip:${this.#at}`,
      'sip:x@1.2.3.4:0',
      'tel:+15551230001',
      'sips:b@[::1]',
    ]);
    const body = this.#random() < 0.5 ? SDP : '';
    return [
      `${method} ${to} SIP/2.0`,
      `Via: SIP/2.0/${transport} 127.0.0.1:9;branch=z9hG4bK${unique()};rport`,
      'Max-Forwards: 70',
      `From: "Fuzz" <sip:${this.#pick(['101', '102', '0003*101', 'x'])}@acme.example.com>;tag=${unique()}`,
      `To: <${to}>${this.#random() < 0.3 ? ';tag=x' : ''}`,
      `Call-ID: fuzz${unique()}`,
      `CSeq: 1 ${method}`,
      'Contact: <sip:101@127.0.0.1:9>',
      ...(this.#random() < 0.6 ? [this.#pick(HEADERS), this.#pick(HEADERS)] : []),
      ...(body === '' ? [] : ['Content-Type: application/sdp']),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n');
  }

  /** A request as another method, or as its response; a response as another one. */
  #turn(text: string): string {
    const kind = this.#random();
    if (kind < 0.4) return text.replace(/^[^\r]*/, `SIP/2.0 ${this.#pick([100, 180, 200, 302, 401, 487, 503, 699])} X`);
    if (kind < 0.6) return text.replace(/^\w+/, this.#pick(METHODS));
    return text;
  }

  #rewrite(text: string): string {
    const lines = text.split('\r\n');
    const any = (): number => this.#below(lines.length);
    if (lines.length > 1 && this.#random() < 0.4) lines.splice(any(), 1);
    if (this.#random() < 0.3)
      lines.splice(1 + any(), 0, this.#pick(lines), `${this.#pick(lines)}, ${this.#pick(lines)}`);
    if (this.#random() < 0.2)
      lines.splice(1, 0, ...Array<string>(this.#below(60)).fill(this.#pick([...lines, ...HEADERS])));
    if (this.#random() < 0.3) lines[any()] = this.#pick(HEADERS);
    const at = any();
    if (this.#random() < 0.4) lines[at] = lines[at]!.replace(/\d+/, this.#pick(NUMBERS));
    if (this.#random() < 0.1) lines[at] = lines[at]!.repeat(1 + this.#below(100));
    return lines.join(this.#random() < 0.1 ? '\n' : '\r\n');
  }

  #spoil(bytes: Buffer): Buffer {
    for (let i = this.#below(5); i > 0; i--) {
      const at = this.#below(bytes.length);
      if (this.#random() < 0.5) bytes[at] = this.#below(256);
      else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from(this.#pick(BYTES), 'latin1'), bytes.subarray(at)]);
    }
    return this.#random() < 0.1 ? bytes.subarray(0, this.#below(bytes.length)) : bytes;
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#below(list.length)]!;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}
