import { FieldTable } from './field-table.ts';
import { headerNumber, type HeaderName } from './header-name.ts';
import { decodeMethod } from './method.ts';
import { type NameAddr, parseNameAddr } from './name-addr.ts';
import { findParameter, spanEnd, spanStart, splitOutsideQuotes } from './parameter.ts';
import { SipParseError } from './parse-error.ts';
import { decodeText, decodeToken, isBlank, isDigit } from './text.ts';

const CR = 13;
const LF = 10;
const SPACE = 32;

const VIA = headerNumber('Via');
const FROM = headerNumber('From');
const TO = headerNumber('To');
const CALL_ID = headerNumber('Call-ID');
const CSEQ = headerNumber('CSeq');
const CONTENT_LENGTH = headerNumber('Content-Length');

const TAG = Buffer.from('tag');
const BRANCH = Buffer.from('branch');

/**
 * A SIP request or response over the bytes it came in: fields are located once and decoded when asked for.
 *
 * `read` takes in other bytes with the same object, which saves the hot path an allocation per message.
 */
export class SipMessage {
  bytes: Uint8Array = new Uint8Array();
  /** 0 for a request, 100 to 699 for a response. */
  statusCode = 0;
  #method = '';
  #cseq = -1;
  #isChecked = false;
  readonly #fields = new FieldTable();
  #headerStart = 0;
  #isLocated = false;
  #text = ''; // the whole message as latin1: the engine searches and cuts text faster than bytes
  #bodyEnd = 0; // -1 until it is asked for
  #isTruncated = false;
  #targetStart = 0; // Request-URI or reason phrase
  #targetEnd = 0;

  /** Reads one message. @throws SipParseError */
  static parse(bytes: Uint8Array): SipMessage {
    return new SipMessage().read(bytes).check();
  }

  /**
   * Reads the start line of a message into this object; the rest when it is asked for, so that a message which is of no
   * interest costs next to nothing.
   *
   * @throws SipParseError, as may all that asks for more of the message.
   */
  read(bytes: Uint8Array): this {
    this.bytes = bytes;
    this.#isLocated = false;
    this.#isChecked = false;
    this.#bodyEnd = -1;
    this.#headerStart = this.#readStartLine(skipEmptyLines(bytes));
    return this;
  }

  /** Makes sure that the CSeq, if there is one, is sound and of the request's method. @throws SipParseError */
  check(): this {
    if (!this.#isChecked) this.#readCSeq();
    this.#isChecked = true;
    return this;
  }

  /** Where the header fields stand. */
  get fields(): FieldTable {
    if (!this.#isLocated) {
      this.#text = decodeToken(this.bytes, 0, this.bytes.length);
      this.#fields.reset(this.bytes, this.#text, this.#headerStart);
      this.#isLocated = true;
    }
    return this.#fields;
  }

  /** Request: its method; response: the method of its CSeq, empty if there is none. */
  get method(): string {
    return this.isRequest ? this.#method : this.check().#method;
  }

  /** Sequence number of the CSeq; -1 if there is no CSeq. */
  get cseq(): number {
    return this.check().#cseq;
  }

  /** The whole message, one character a byte: offsets in it are those of `bytes`. */
  get latin1(): string {
    void this.fields;
    return this.#text;
  }

  /** Where the Request-URI or the reason phrase stands. */
  get targetStart(): number {
    return this.#targetStart;
  }

  get targetEnd(): number {
    return this.#targetEnd;
  }

  /** The Request-URI, one character a byte. */
  get target(): string {
    return decodeToken(this.bytes, this.#targetStart, this.#targetEnd);
  }

  get isRequest(): boolean {
    return this.statusCode === 0;
  }

  get requestUri(): string {
    return this.isRequest ? decodeText(this.bytes, this.#targetStart, this.#targetEnd) : '';
  }

  get reasonPhrase(): string {
    return this.isRequest ? '' : decodeText(this.bytes, this.#targetStart, this.#targetEnd);
  }

  /** As the tags and the branch, a slice of the message: `detach` it to keep it. */
  get callId(): string {
    const { fields } = this;
    const index = fields.first(CALL_ID);
    return index < 0 ? '' : this.#text.slice(fields.startOf(index), fields.endOf(index));
  }

  get fromTag(): string {
    return this.#parameter(FROM, TAG);
  }

  get toTag(): string {
    return this.#parameter(TO, TAG);
  }

  /** Transaction identifier of the last hop; empty for an RFC 2543 peer. RFC 3261 §8.1.1.7. */
  get branch(): string {
    return this.#parameter(VIA, BRANCH);
  }

  get from(): NameAddr | undefined {
    return this.address('From');
  }

  get to(): NameAddr | undefined {
    return this.address('To');
  }

  get bodyStart(): number {
    return this.fields.end;
  }

  /** Behind the body by Content-Length, or the end of the bytes where that is missing, wrong or beyond. RFC 3261 §18.3. */
  get bodyEnd(): number {
    if (this.#bodyEnd < 0) this.#readBodyEnd();
    return this.#bodyEnd;
  }

  /** Content-Length promises more than there is: the packet was cut. */
  get truncated(): boolean {
    return this.bodyEnd >= 0 && this.#isTruncated;
  }

  get body(): Uint8Array {
    return this.bytes.subarray(this.bodyStart, this.bodyEnd);
  }

  has(name: HeaderName): boolean {
    return this.fields.first(headerNumber(name)) >= 0;
  }

  /** Value of the first field of that name, unfolded; undefined if there is none. */
  text(name: HeaderName): string | undefined {
    const index = this.fields.first(headerNumber(name));
    return index < 0 ? undefined : this.#decode(index);
  }

  /** Value of the first field of that name as it stands, one character a byte; empty if there is none. */
  raw(name: HeaderName): string {
    const { fields } = this;
    const index = fields.first(headerNumber(name));
    return index < 0 ? '' : this.#text.slice(fields.startOf(index), fields.endOf(index));
  }

  /** Indexes of all fields of that name, in order. */
  indexes(name: HeaderName): number[] {
    const { fields } = this;
    const number = headerNumber(name);
    const indexes: number[] = [];
    for (let i = fields.first(number); i >= 0; i = fields.next(number, i)) indexes.push(i);
    return indexes;
  }

  /** All values of that name in order, one character a byte; comma lists split, but for credentials, which have commas. */
  all(name: HeaderName): string[] {
    const isSingle = name === 'Authorization' || name === 'Proxy-Authorization';
    return this.indexes(name).flatMap((index) => {
      const value = this.#text.slice(this.fields.startOf(index), this.fields.endOf(index)).replace(/\r?\n[ \t]+/g, ' ');
      return isSingle ? value : splitOutsideQuotes(value, ',').filter((part) => part !== '');
    });
  }

  /** All values of that name, comma lists split, in order. RFC 3261 §7.3.1. */
  values(name: HeaderName): string[] {
    const number = headerNumber(name);
    const values: string[] = [];
    for (let i = this.fields.first(number); i >= 0; i = this.fields.next(number, i)) {
      values.push(...splitOutsideQuotes(this.#decode(i), ',').filter((value) => value !== ''));
    }
    return values;
  }

  /** First value of an extension header field by its name in any case; undefined if there is none. */
  custom(name: string): string | undefined {
    const [first] = this.findCustom(name);
    return first === undefined ? undefined : this.#decode(first);
  }

  /** Indexes of all extension header fields of a name, in any case. */
  findCustom(name: string): number[] {
    const wanted = name.toLowerCase();
    const found: number[] = [];
    for (let i = 0; i < this.fields.length; i++) {
      const { nameStart, nameEnd } = this.fields.place(i);
      if (nameEnd - nameStart !== name.length) continue;
      if (this.#text.slice(nameStart, nameEnd).toLowerCase() === wanted) found.push(i);
    }
    return found;
  }

  /** First value of that name as an address; undefined if there is none. @throws SipParseError */
  address(name: HeaderName): NameAddr | undefined {
    const index = this.fields.first(headerNumber(name));
    if (index < 0) return undefined;
    return parseNameAddr(splitOutsideQuotes(this.#decode(index), ',')[0] ?? '');
  }

  #decode(index: number): string {
    const text = decodeText(this.bytes, this.fields.startOf(index), this.fields.endOf(index));
    return text.includes('\n') ? text.replace(/\r?\n[ \t]+/g, ' ') : text;
  }

  #parameter(header: number, name: Uint8Array): string {
    const index = this.fields.first(header);
    if (index < 0) return '';
    const span = findParameter(this.bytes, this.fields.startOf(index), this.fields.endOf(index), name);
    return span < 0 ? '' : this.#text.slice(spanStart(span), spanEnd(span));
  }

  /** Reads the start line; returns the offset of the first header field. RFC 3261 §7.1, §7.2. */
  #readStartLine(start: number): number {
    const bytes = this.bytes;
    const lineFeed = bytes.indexOf(LF, start);
    const lineEnd = lineFeed < 0 ? bytes.length : lineFeed;
    let end = lineEnd;
    while (end > start && (bytes[end - 1] === CR || isBlank(bytes[end - 1]!))) end--;
    if (isVersion(bytes, start, end)) this.#readStatusLine(start, end, lineEnd);
    else this.#readRequestLine(start, end);
    return Math.min(lineEnd + 1, bytes.length);
  }

  #readStatusLine(start: number, end: number, lineEnd: number): void {
    const at = skipBlanks(this.bytes, start + 7, end);
    let codeEnd = at;
    while (codeEnd < end && isDigit(this.bytes[codeEnd]!)) codeEnd++;
    const code = codeEnd - at === 3 ? readNumber(this.bytes, at, codeEnd) : 0;
    if (at === start + 7 || code < 100 || code > 699) throw new SipParseError('status code of 100 to 699 expected', at);
    if (codeEnd < end && !isBlank(this.bytes[codeEnd]!))
      throw new SipParseError('space expected behind the status code', codeEnd);
    this.statusCode = code;
    this.#method = '';
    this.#targetStart = Math.min(codeEnd + 1, Math.min(end, lineEnd));
    this.#targetEnd = Math.max(end, this.#targetStart);
  }

  #readRequestLine(start: number, end: number): void {
    const bytes = this.bytes;
    let methodEnd = start;
    while (methodEnd < end && isTokenByte(bytes[methodEnd]!)) methodEnd++;
    if (methodEnd === start || bytes[methodEnd] !== SPACE)
      throw new SipParseError('method and space expected', methodEnd);
    const uri = skipBlanks(bytes, methodEnd, end);
    let uriEnd = uri;
    while (uriEnd < end && bytes[uriEnd]! > SPACE) uriEnd++;
    const version = skipBlanks(bytes, uriEnd, end);
    if (uriEnd === uri || version === uriEnd) throw new SipParseError('Request-URI and version expected', uri);
    if (end - version !== 7 || !isVersion(bytes, version, end))
      throw new SipParseError('version SIP/2.0 expected', version);
    if (!hasScheme(bytes, uri, uriEnd)) throw new SipParseError('Request-URI with a scheme expected', uri);
    this.statusCode = 0;
    this.#method = decodeMethod(bytes, start, methodEnd);
    this.#targetStart = uri;
    this.#targetEnd = uriEnd;
  }

  /** RFC 3261 §20.16: the number is below 2**31. */
  #readCSeq(): void {
    this.#cseq = -1;
    const index = this.fields.first(CSEQ);
    if (index < 0) return;
    const start = this.fields.startOf(index);
    const end = this.fields.endOf(index);
    let at = start;
    while (at < end && isDigit(this.bytes[at]!)) at++;
    const number = at === start ? NaN : readNumber(this.bytes, start, at);
    if (!(number < 2 ** 32)) throw new SipParseError('CSeq number below 2^32 expected', start);
    this.#checkCSeqMethod(skipLines(this.bytes, at, end), end);
    this.#cseq = number;
  }

  #checkCSeqMethod(start: number, end: number): void {
    const method = decodeMethod(this.bytes, start, end);
    if (!this.isRequest) this.#method = method;
    else if (method !== this.#method) {
      throw new SipParseError(`CSeq method ${method} in a ${this.#method} request`, start);
    }
  }

  #readBodyEnd(): void {
    this.#bodyEnd = this.bytes.length;
    this.#isTruncated = false;
    const index = this.fields.first(CONTENT_LENGTH);
    if (index < 0) return;
    const start = this.fields.startOf(index);
    const end = this.fields.endOf(index);
    for (let at = start; at < end; at++) if (!isDigit(this.bytes[at]!)) return;
    if (start === end) return;
    const bodyEnd = this.bodyStart + readNumber(this.bytes, start, end);
    this.#isTruncated = bodyEnd > this.bytes.length;
    if (!this.#isTruncated) this.#bodyEnd = bodyEnd;
  }
}

/** RFC 3261 §7.5: line ends before the start line are ignored. */
function skipEmptyLines(bytes: Uint8Array): number {
  let at = 0;
  while (at < bytes.length && (bytes[at] === CR || bytes[at] === LF)) at++;
  return at;
}

function skipBlanks(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}

/** Blanks and the line ends of folding. */
function skipLines(bytes: Uint8Array, at: number, end: number): number {
  while (at < end && bytes[at]! <= SPACE) at++;
  return at;
}

function readNumber(bytes: Uint8Array, from: number, end: number): number {
  let number = 0;
  for (let at = from; at < end; at++) number = number * 10 + bytes[at]! - 48;
  return number;
}

/** "SIP/2.0" in any case. */
function isVersion(bytes: Uint8Array, at: number, end: number): boolean {
  if (end - at < 7) return false;
  if ((bytes[at]! | 32) !== 115 || (bytes[at + 1]! | 32) !== 105 || (bytes[at + 2]! | 32) !== 112) return false;
  return bytes[at + 3] === 47 && bytes[at + 4] === 50 && bytes[at + 5] === 46 && bytes[at + 6] === 48;
}

/** RFC 3261 §25.1 token: letters, digits and -.!%*_+`'~ */
function isTokenByte(c: number): boolean {
  if ((c | 32) >= 97 && (c | 32) <= 122) return true;
  return isDigit(c) || (c > 32 && c < 127 && "-.!%*_+`'~".includes(String.fromCharCode(c)));
}

/** A letter, then letters, digits, `+`, `-` or `.`, then a colon: so `<sip:…>` is none. RFC 3986 §3.1. */
function hasScheme(bytes: Uint8Array, from: number, end: number): boolean {
  for (let at = from; at < end; at++) {
    const c = bytes[at]!;
    if (c === 58) return at > from;
    const letter = (c | 32) >= 97 && (c | 32) <= 122;
    if (!letter && (at === from || !(isDigit(c) || c === 43 || c === 45 || c === 46))) return false;
  }
  return false;
}
