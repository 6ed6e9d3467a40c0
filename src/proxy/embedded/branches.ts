import { randomBytes } from 'node:crypto';
import type { SipMessage } from '../../sip/message.ts';
import { Tokens } from '../token.ts';

/** A short hash of texts in a row, for telling things apart: not against who wants it to collide. FNV-1a. */
export function hashText(...texts: readonly string[]): string {
  let hash = 0x811c9dc5;
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
    hash = Math.imul(hash ^ END_OF_TEXT, 0x01000193);
  }
  return (hash >>> 0).toString(36);
}

const END_OF_TEXT = 0xffff; // so that what ends one text and begins the next makes a difference

const POOL_BYTES = 4096;
const RANDOM_LENGTH = 12; // hexadecimal digits
const SIGNATURE_LENGTH = 8;
const MAX_SIGNED = 20_000;

/**
 * Makes the branches of our Vias: after the cookie what tells us apart from others (the same after a restart), what tells
 * our requests apart and nobody can guess, a signature of the way that responses go on from here, and a hash of all that
 * routing depends on, which tells a loop from a spiral. RFC 5393 §4.2.
 */
export class Branches {
  readonly prefix: string;
  readonly #tokens: Tokens;
  readonly #start: string;
  readonly #signatures = new Map<string, string>();
  #count = 0;
  #random = '';

  /** `secret` must outlast restarts; `now`: epoch ms of the start. */
  constructor(secret: string, now: number) {
    this.prefix = `z9hG4bKrs${hashText(`branch ${secret}`)}-`;
    this.#tokens = new Tokens(secret);
    this.#start = now.toString(36);
  }

  /** `way` on which the responses go on: one that comes back with another Via is none of ours. */
  next(loopHash: string, way: string): string {
    const count = (this.#count++).toString(36);
    return `${this.prefix}${this.#start}${count}${this.#draw()}${this.#sign(way)}.${loopHash}`;
  }

  /** Whether we made it for a request whose responses go that way. */
  isOurs(branch: string, way: string): boolean {
    const end = branch.lastIndexOf('.');
    return branch.startsWith(this.prefix) && branch.slice(end - SIGNATURE_LENGTH, end) === this.#sign(way);
  }

  /** Whether the request was here before with the same of all that routing depends on. RFC 3261 §16.3 step 4. */
  isLoop(message: SipMessage, loopHash: string): boolean {
    if (!message.latin1.includes(this.prefix)) return false;
    const suffix = `.${loopHash}`;
    return message.all('Via').some((via) => {
      const branch = /;\s*branch\s*=\s*([^;\s,]+)/i.exec(via)?.[1] ?? '';
      return branch.startsWith(this.prefix) && branch.endsWith(suffix);
    });
  }

  #draw(): string {
    if (this.#random.length < RANDOM_LENGTH) this.#random = randomBytes(POOL_BYTES).toString('hex');
    const drawn = this.#random.slice(0, RANDOM_LENGTH);
    this.#random = this.#random.slice(RANDOM_LENGTH);
    return drawn;
  }

  #sign(way: string): string {
    const known = this.#signatures.get(way);
    if (known !== undefined) return known;
    if (this.#signatures.size >= MAX_SIGNED) this.#signatures.clear();
    const signature = this.#tokens.seal(`responses to ${way}`, '');
    this.#signatures.set(way, signature);
    return signature;
  }
}

/** Hash of all that routing depends on. */
export function hashRouting(message: SipMessage, routes: readonly string[]): string {
  const { target, callId, fromTag, toTag, cseq } = message;
  return hashText(target, callId, fromTag, toTag, String(cseq), ...routes);
}
