import type { SipMessage } from '../../sip/message.ts';

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

/**
 * Makes the branches of our Vias: after the cookie what tells us apart from others (the same after a restart), what tells
 * our requests apart, and a hash of all that routing depends on, which tells a loop from a spiral. RFC 5393 §4.2.
 */
export class Branches {
  readonly prefix: string;
  readonly #start: string;
  #count = 0;

  /** `now`: epoch ms of the start. */
  constructor(secret: string, now: number) {
    this.prefix = `z9hG4bKrs${hashText(`branch ${secret}`)}-`;
    this.#start = now.toString(36);
  }

  next(loopHash: string): string {
    return `${this.prefix}${this.#start}${(this.#count++).toString(36)}.${loopHash}`;
  }

  isOurs(branch: string): boolean {
    return branch.startsWith(this.prefix);
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
}

/** Hash of all that routing depends on. */
export function hashRouting(message: SipMessage, routes: readonly string[]): string {
  const { target, callId, fromTag, toTag, cseq } = message;
  return hashText(target, callId, fromTag, toTag, String(cseq), ...routes);
}
