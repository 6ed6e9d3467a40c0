import { findHeaderNumber, HEADER_COUNT, hashNameByte } from './header-name.ts';
import { SipParseError } from './parse-error.ts';
import { isBlank } from './text.ts';

const CR = 13;
const LF = 10;
const COLON = 58;
const ROW = 5; // name number, name start, name end, value start, value end

/** More header fields than this are no message of a real device. */
export const MAX_FIELDS = 1000;

/** Places of one header field: offsets of its name, of its value and of the end of the value (without line end). */
export interface FieldPlace {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Where each header field of a message stands. Fields are located once, in order, and only as far as one is asked for:
 * what most messages are asked for stands in their first lines.
 */
export class FieldTable {
  #bytes: Uint8Array = new Uint8Array();
  #text = '';
  /** Where the next field begins, and whether that is the end of the header section. */
  #at = 0;
  #isComplete = true;
  #length = 0;
  #damagedLines = 0;
  #rows = new Int32Array(32 * ROW);
  readonly #first = new Int16Array(HEADER_COUNT);

  /** Begins with the header section at `from`. `text` is the same message as latin1 text, which is faster to search. */
  reset(bytes: Uint8Array, text: string, from: number): void {
    this.#bytes = bytes;
    this.#text = text;
    this.#at = from;
    this.#isComplete = false;
    this.#length = 0;
    this.#damagedLines = 0;
    this.#first.fill(-1);
  }

  /** Number of header fields. @throws SipParseError, as all that locates fields, for more than MAX_FIELDS of them. */
  get length(): number {
    this.#complete();
    return this.#length;
  }

  /** Lines that are no header field: no colon, or no name before it. */
  get damagedLines(): number {
    this.#complete();
    return this.#damagedLines;
  }

  /** Offset behind the empty line that ends the header section, or behind everything if there is none. RFC 3261 §7. */
  get end(): number {
    this.#complete();
    return this.#at;
  }

  /** Index of the first field with that number (see `headerNumber`), or -1. */
  first(number: number): number {
    while (this.#first[number] === -1 && !this.#isComplete) this.#locateNext();
    return this.#first[number]!;
  }

  /** Index of the next field of the same number behind `index`, or -1. */
  next(number: number, index: number): number {
    this.#complete();
    for (let i = index + 1; i < this.#length; i++) if (this.#rows[i * ROW] === number) return i;
    return -1;
  }

  startOf(index: number): number {
    return this.#rows[index * ROW + 3]!;
  }

  endOf(index: number): number {
    return this.#rows[index * ROW + 4]!;
  }

  place(index: number): FieldPlace {
    const row = index * ROW;
    return {
      nameStart: this.#rows[row + 1]!,
      nameEnd: this.#rows[row + 2]!,
      start: this.#rows[row + 3]!,
      end: this.#rows[row + 4]!,
    };
  }

  #complete(): void {
    while (!this.#isComplete) this.#locateNext();
  }

  /** Locates one field, folded lines included, or finds the end. RFC 3261 §7.3. */
  #locateNext(): void {
    const bytes = this.#bytes;
    const end = bytes.length;
    const from = this.#at;
    if (this.#findEmptyLine(from, end)) return;
    let at = from;
    let hash = 0;
    let c = bytes[at]!;
    while (c !== COLON && c > 32) {
      hash = hashNameByte(hash, c);
      if (++at === end) break;
      c = bytes[at]!;
    }
    const nameEnd = at;
    while (at < end && isBlank(bytes[at]!)) at++;
    this.#at = findFieldEnd(bytes, this.#text, at);
    if (at >= end || bytes[at] !== COLON || nameEnd === from) this.#damagedLines++;
    else this.#add(from, nameEnd, findHeaderNumber(hash, bytes, from, nameEnd), at + 1, this.#at);
  }

  #findEmptyLine(at: number, end: number): boolean {
    if (at < end && this.#bytes[at]! > CR) return false;
    if (at >= end) this.#isComplete = true;
    else if (this.#bytes[at] === LF) this.#at = at + 1;
    else if (this.#bytes[at] === CR && (at + 1 === end || this.#bytes[at + 1] === LF)) this.#at = Math.min(at + 2, end);
    else return false;
    this.#isComplete = true;
    return true;
  }

  #add(nameStart: number, nameEnd: number, number: number, valueStart: number, lineEnd: number): void {
    const bytes = this.#bytes;
    let start = valueStart;
    let end = lineEnd;
    while (end > start && bytes[end - 1]! <= 32) end--;
    while (start < end && bytes[start]! <= 32) start++;
    if (this.#length === MAX_FIELDS) throw new SipParseError(`more than ${MAX_FIELDS} header fields`, nameStart);
    const row = this.#length * ROW;
    if (row === this.#rows.length) this.#grow();
    const rows = this.#rows;
    rows[row] = number;
    rows[row + 1] = nameStart;
    rows[row + 2] = nameEnd;
    rows[row + 3] = start;
    rows[row + 4] = end;
    if (number >= 0 && this.#first[number] === -1) this.#first[number] = this.#length;
    this.#length++;
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
  }
}

/** Offset of the line behind the field: lines that begin with a blank continue it. RFC 3261 §7.3.1. */
function findFieldEnd(bytes: Uint8Array, text: string, from: number): number {
  let at = from;
  for (;;) {
    at = text.indexOf('\n', at) + 1;
    if (at === 0) return bytes.length;
    if (at >= bytes.length || !isBlank(bytes[at]!)) return at;
  }
}
