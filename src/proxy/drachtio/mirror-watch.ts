import type { Observation } from '../../sip/observation.ts';
import { RING_LIMIT_HEADER } from './ring-limit.ts';

const PATIENCE_MS = 15_000;
const MAX_PROBES = 100;

interface Probe {
  readonly callId: Buffer;
  readonly since: number;
}

/** What a server's mirror turned out to be. */
export interface MirrorState {
  readonly server: string;
  readonly isSeen: boolean;
}

/** Notices a server that asks for routes and mirrors nothing: now and then a Call-ID of its is looked for in what is observed. */
export class MirrorWatch {
  readonly #probes = new Map<string, Probe>();
  readonly #proof: Buffer;
  readonly #seen = new Map<string, boolean>();
  readonly #news: MirrorState[] = [];

  /** `proof` stands in CANCELs of our own. */
  constructor(proof: string) {
    this.#proof = Buffer.from(`${RING_LIMIT_HEADER}: ${proof}`);
  }

  /** A server asked about a request: its mirror must show it soon. `now` in epoch ms. */
  expect(server: string, callId: string, now: number): void {
    if (this.#probes.has(server) || this.#probes.size >= MAX_PROBES) return;
    this.#probes.set(server, { callId: Buffer.from(callId, 'latin1'), since: now });
  }

  /** Takes note of what was observed; false for what we sent ourselves, which is nothing to be told. */
  admit({ bytes }: Observation): boolean {
    const message = bytes as Buffer;
    for (const [server, { callId }] of this.#probes) {
      if (message.includes(callId)) this.#settle(server, true);
    }
    return !(message[0] === LETTER_C && message.includes(this.#proof));
  }

  /** What was found out since the last time. */
  check(now: number): readonly MirrorState[] {
    for (const [server, { since }] of this.#probes) if (now - since > PATIENCE_MS) this.#settle(server, false);
    return this.#news.splice(0);
  }

  /** One that stays away is news each time, one that is there when it was not before. */
  #settle(server: string, isSeen: boolean): void {
    this.#probes.delete(server);
    if (!isSeen || this.#seen.get(server) === false) this.#news.push({ server, isSeen });
    this.#seen.set(server, isSeen);
  }
}

const LETTER_C = 67;
