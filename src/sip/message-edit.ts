import { headerNumber, type HeaderName } from './header-name.ts';
import type { SipMessage } from './message.ts';
import { closeQuote } from './parameter.ts';
import { checkUri } from './uri.ts';

interface Cut {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

/** Changes to a message that leave every other byte as it came. All text is one character a byte. */
export class MessageEdit {
  readonly #message: SipMessage;
  readonly #text: string;
  readonly #cuts: Cut[] = []; // in order

  /** The message must stay as it is until the edit is done. */
  constructor(message: SipMessage) {
    this.#message = message;
    this.#text = message.latin1;
  }

  /** @throws SipParseError for what would make another start line. */
  setTarget(uri: string): this {
    checkUri(uri);
    return this.replace(this.#message.targetStart, this.#message.targetEnd, uri);
  }

  /** Puts other text between two offsets. */
  replace(from: number, to: number, text: string): this {
    const cuts = this.#cuts;
    let at = cuts.length;
    for (; at > 0 && cuts[at - 1]!.from > from; at--) cuts[at] = cuts[at - 1]!;
    cuts[at] = { from, to, text };
    return this;
  }

  /** Puts whole lines, each with its line end, before all header fields. */
  prepend(lines: string): this {
    const first = this.#text.indexOf('\n', this.#message.targetEnd) + 1;
    return this.replace(first, first, lines);
  }

  /** Puts whole lines behind the field of that index; -1: before all. */
  insertBehind(index: number, lines: string): this {
    if (index < 0) return this.prepend(lines);
    const next = this.#text.indexOf('\n', this.#message.fields.endOf(index)) + 1;
    return this.replace(next, next, lines);
  }

  /** Puts whole lines behind the last header field. */
  append(lines: string): this {
    const { bodyStart } = this.#message;
    const text = this.#text;
    const end = text[bodyStart - 2] === '\r' ? bodyStart - 2 : bodyStart - 1;
    return this.replace(end, end, lines);
  }

  /** Sets the value of the first field of that name, or adds it. */
  set(name: HeaderName, value: string): this {
    const { fields } = this.#message;
    const index = fields.first(headerNumber(name));
    if (index < 0) return this.append(`${name}: ${value}\r\n`);
    return this.replace(fields.startOf(index), fields.endOf(index), value);
  }

  /** Takes a field away. */
  remove(index: number): this {
    const { nameStart, end } = this.#message.fields.place(index);
    return this.replace(nameStart, this.#text.indexOf('\n', end) + 1, '');
  }

  /** Takes the first value of a field away, and the field with it if that was all. */
  removeFirstValue(index: number): this {
    const { fields } = this.#message;
    const comma = findComma(this.#text, fields.startOf(index), fields.endOf(index));
    if (comma < 0) return this.remove(index);
    let end = comma + 1;
    while (this.#text.charCodeAt(end) <= 32) end++;
    return this.replace(fields.startOf(index), end, '');
  }

  toBuffer(): Buffer {
    let text = '';
    let at = 0;
    for (const cut of this.#cuts) {
      text += this.#text.slice(at, cut.from) + cut.text;
      at = Math.max(at, cut.to);
    }
    return Buffer.from(text + this.#text.slice(at), 'latin1');
  }
}

/** Offset of the comma that ends the first value of a list, or -1. */
export function findComma(text: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const c = text[at];
    if (c === ',') return at;
    if (c === '"') at = closeQuote(text, at) - 1;
    else if (c === '<') {
      const close = text.indexOf('>', at);
      if (close > at && close < end) at = close;
    }
  }
  return -1;
}
