import type { Endpoint } from './relay.ts';

const COMPACT: Readonly<Record<string, string>> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  e: 'content-encoding',
  s: 'subject',
  k: 'supported',
  o: 'event',
  r: 'refer-to',
  b: 'referred-by',
  u: 'allow-events',
  x: 'session-expires',
};

/** Fields whose values may share a line, set apart by commas. */
const LISTS = new Set('via route record-route path service-route contact supported require allow'.split(' '));

const MANDATORY = ['Via', 'From', 'To', 'Call-ID', 'CSeq'];

const fullName = (name: string): string => COMPACT[name.toLowerCase()] ?? name.toLowerCase();

/** A SIP message as text, read with no code of the project: what it says stands against what the project says. */
export class Received {
  readonly text: string;
  readonly from: Endpoint;
  readonly startLine: string;
  readonly body: string;
  readonly #fields: (readonly [name: string, value: string])[];

  constructor(text: string, from: Endpoint = { ip: '', port: 0 }) {
    const end = /\r?\n\r?\n/.exec(text);
    const head = end ? text.slice(0, end.index) : text;
    const [startLine = '', ...lines] = head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/);
    this.text = text;
    this.from = from;
    this.startLine = startLine;
    this.body = end ? text.slice(end.index + end[0].length) : '';
    this.#fields = lines.map((line) => {
      const colon = line.indexOf(':');
      return [fullName(line.slice(0, colon).trim()), line.slice(colon + 1).trim()];
    });
  }

  get isRequest(): boolean {
    return !this.startLine.startsWith('SIP/2.0 ');
  }

  /** Of a request its own, of a response that of its CSeq. */
  get method(): string {
    return this.isRequest ? this.startLine.split(' ')[0]! : (this.header('CSeq')?.split(/\s+/)[1] ?? '');
  }

  /** Request-URI; empty for a response. */
  get uri(): string {
    return this.isRequest ? (this.startLine.split(' ')[1] ?? '') : '';
  }

  /** Status of a response; 0 for a request. */
  get code(): number {
    return this.isRequest ? 0 : Number(this.startLine.split(' ')[1]);
  }

  get callId(): string {
    return this.header('Call-ID') ?? '';
  }

  get cseq(): number {
    return Number.parseInt(this.header('CSeq') ?? '', 10);
  }

  get fromTag(): string | undefined {
    return tagOf(this.header('From') ?? '');
  }

  get toTag(): string | undefined {
    return tagOf(this.header('To') ?? '');
  }

  /** Branch of the topmost Via. */
  get branch(): string | undefined {
    return /;\s*branch=([^;,\s]+)/i.exec(this.headers('Via')[0] ?? '')?.[1];
  }

  /** The URI of the Contact, without brackets. */
  get contactUri(): string | undefined {
    const contact = this.headers('Contact')[0];
    return contact === undefined ? undefined : uriOf(contact);
  }

  /** First value of a field, by either form of its name. */
  header(name: string): string | undefined {
    return this.headers(name)[0];
  }

  /** Whether every field is there that a message must have. RFC 3261 §8.1.1. */
  get isWhole(): boolean {
    return MANDATORY.every((name) => this.header(name) !== undefined);
  }

  /** All values of a field in order; a line with several routes or contacts counts as several. */
  headers(name: string): string[] {
    const wanted = fullName(name);
    const values = this.#fields.filter(([name]) => name === wanted).map(([, value]) => value);
    return LISTS.has(wanted) ? values.flatMap(splitList) : values;
  }
}

const tagOf = (value: string): string | undefined => /;\s*tag=([^;\s]+)/i.exec(value.replace(/<[^>]*>/, ''))?.[1];

/** The URI in a From, To, Contact or Route. */
export const uriOf = (value: string): string => /<([^>]*)>/.exec(value)?.[1] ?? value.split(';')[0]!.trim();

/** The number or name that a From, To, Contact or URI has. */
export const userOf = (value: string): string => /^(?:sips?|tel):([^@;]*)/.exec(uriOf(value))?.[1] ?? '';

/** Splits at commas that stand in no quotes and no brackets. */
function splitList(value: string): string[] {
  const parts = value.match(/(?:"(?:\\.|[^"\\])*"|<[^>]*>|[^,"<])+/g) ?? [];
  return parts.map((part) => part.trim());
}

/** Takes in a message in whichever form there is. */
export const readWire = (message: string | Received): Received =>
  typeof message === 'string' ? new Received(message) : message;

/** One line that tells a message from others. */
export function tellMessage(message: Received): string {
  const { ip, port } = message.from;
  return `${message.startLine} (CSeq ${message.header('CSeq')}, Call-ID ${message.callId}, from ${ip}:${port})`;
}
