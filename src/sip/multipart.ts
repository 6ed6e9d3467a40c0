import { parseParameters } from './parameter.ts';
import { SipParseError } from './parse-error.ts';

/** One part of a multipart body: header fields by name in lower case, content as it came. */
export interface BodyPart {
  readonly headers: ReadonlyMap<string, string>;
  readonly content: Uint8Array;
}

const MAX_PARTS = 64;

/** Media type in lower case, without parameters. */
export function mediaType(contentType: string): string {
  return (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
}

/**
 * The parts of a body: those of a multipart body, or the body itself as the only one.
 *
 * @throws SipParseError for a multipart body without its boundary or with more than 64 parts. RFC 5621 §3, RFC 2046 §5.1.
 */
export function parseBodyParts(contentType: string, body: Uint8Array): BodyPart[] {
  if (!mediaType(contentType).startsWith('multipart/')) {
    return [{ headers: new Map([['content-type', contentType]]), content: body }];
  }
  const boundary = parseParameters(contentType.slice(contentType.indexOf(';') + 1)).get('boundary');
  if (!boundary) throw new SipParseError('multipart body without a boundary', 0);
  return splitParts(Buffer.from(body.buffer, body.byteOffset, body.length), `--${boundary}`);
}

function splitParts(body: Buffer, delimiter: string): BodyPart[] {
  const parts: BodyPart[] = [];
  let start = findDelimiter(body, delimiter, 0);
  if (start < 0) throw new SipParseError('multipart boundary not found', 0);
  for (;;) {
    const from = start + delimiter.length;
    if (body.toString('latin1', from, from + 2) === '--') return parts;
    const next = findDelimiter(body, delimiter, from);
    const end = next < 0 ? body.length : trimLineEnd(body, next);
    if (parts.length === MAX_PARTS) throw new SipParseError(`more than ${MAX_PARTS} body parts`, from);
    parts.push(parsePart(body.subarray(Math.min(body.indexOf('\n', from) + 1 || end, end), end)));
    if (next < 0) return parts;
    start = next;
  }
}

/** Next delimiter at the beginning of a line, or -1. */
function findDelimiter(body: Buffer, delimiter: string, from: number): number {
  let at = body.indexOf(delimiter, from, 'latin1');
  while (at > 0 && body[at - 1] !== 10) at = body.indexOf(delimiter, at + 1, 'latin1');
  return at;
}

/** The line end before a delimiter belongs to the delimiter. */
const trimLineEnd = (body: Buffer, at: number): number => (body[at - 2] === 13 ? at - 2 : at - 1);

function parsePart(part: Buffer): BodyPart {
  const text = part.toString('latin1');
  const blank = /^\r?\n|\r?\n\r?\n/.exec(text);
  const head = blank ? text.slice(0, blank.index) : '';
  const headers = new Map<string, string>();
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, content: part.subarray(blank ? blank.index + blank[0].length : 0) };
}
