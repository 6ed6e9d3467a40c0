import { findHeaderNumber, HEADER_COUNT, hashNameByte } from './header-name.ts';
import { SipParseError } from './parse-error.ts';
import { isBlank } from './text.ts';

const CR = 13;
const LF = 10;
const COLON = 58;
const ROW = 5;

/** More header fields than this are no message of a real device. */
export const MAX_FIELDS = 1000;

/** Places of one header field: offsets of its name, of its value and of the end of the value (without line end). */
export interface FieldPlace {
  readonly nameStart: number;
  readonly nameEnd: number;
  readonly start: number;
  readonly end: number;
}

/** Where each header field of a message stands: filled in one pass over the bytes, nothing decoded. */
export class FieldTable {
  /** Number of header fields. */
  length = 0;
  /** Lines that are no header field: no colon, or no name before it. */
  damagedLines = 0;
  #rows = new Int32Array(32 * ROW); // name number, name start, name end, value start, value end
  readonly #first = new Int16Array(HEADER_COUNT);

  /**
   * Locates the fields from `from` on, up to the empty line. Returns the offset behind that line, or `end` if there is none.
   *
   * `text` is the same message as latin1 text: the engine searches it for line ends faster than a loop over bytes.
   *
   * @throws SipParseError for more than MAX_FIELDS fields. RFC 3261 §7.3.
   */
  locate(bytes: Uint8Array, text: string, from: number): number {
    const end = bytes.length;
    this.length = 0;
    this.damagedLines = 0;
    this.#first.fill(-1);
    let at = from;
    while (at < end) {
      if (bytes[at] === LF) return at + 1;
      if (bytes[at] === CR && (at + 1 === end || bytes[at + 1] === LF)) return Math.min(at + 2, end);
      at = this.#locateField(bytes, text, at, end);
    }
    return end;
  }

  /** Index of the first field with that number (see `headerNumber`), or -1. */
  first(number: number): number {
    return this.#first[number]!;
  }

  /** Index of the next field of the same number behind `index`, or -1. */
  next(number: number, index: number): number {
    for (let i = index + 1; i < this.length; i++) if (this.#rows[i * ROW] === number) return i;
    return -1;
  }

  start(index: number): number {
    return this.#rows[index * ROW + 3]!;
  }

  end(index: number): number {
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

  /** Locates one field, folded lines included. Returns the offset of the next line. */
  #locateField(bytes: Uint8Array, text: string, from: number, end: number): number {
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
    const lineEnd = findFieldEnd(bytes, text, at);
    if (bytes[at] !== COLON || at >= end || nameEnd === from) this.damagedLines++;
    else this.#add(bytes, from, nameEnd, hash, at + 1, lineEnd);
    return lineEnd;
  }

  #add(bytes: Uint8Array, from: number, nameEnd: number, hash: number, valueStart: number, lineEnd: number): void {
    let start = valueStart;
    let end = lineEnd;
    while (end > start && bytes[end - 1]! <= 32) end--;
    while (start < end && bytes[start]! <= 32) start++;
    if (this.length === MAX_FIELDS) throw new SipParseError(`more than ${MAX_FIELDS} header fields`, from);
    const row = this.length * ROW;
    if (row === this.#rows.length) this.#grow();
    const number = findHeaderNumber(hash, bytes, from, nameEnd);
    const rows = this.#rows;
    rows[row] = number;
    rows[row + 1] = from;
    rows[row + 2] = nameEnd;
    rows[row + 3] = start;
    rows[row + 4] = end;
    if (number >= 0 && this.#first[number] === -1) this.#first[number] = this.length;
    this.length++;
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
