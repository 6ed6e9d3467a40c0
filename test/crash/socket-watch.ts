import { readFileSync } from 'node:fs';
import type { UpTime } from './verify.ts';

const SAMPLE_MS = 5;
/** What was read is committed by then: it waits for its turn in memory, which the kernel does not see. */
const COMMIT_MS = 500;

/** Watches whether a UDP socket is read as fast as packets come, as the kernel says: what waits there a kill takes away. */
export class SocketWatch {
  readonly #suffix: string;
  readonly #from = Date.now();
  readonly #sampling: NodeJS.Timeout;
  /** Epoch ms since when packets wait; undefined if none do. */
  #behindSince: number | undefined;
  /** The last time that packets waited. */
  #lastBehind: { readonly from: number; readonly until: number } | undefined;

  constructor(port: number) {
    this.#suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    this.#sampling = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** The time in which all that was sent was taken in: none if packets were dropped. */
  stop(): UpTime {
    clearInterval(this.#sampling);
    const { drops } = this.#read();
    this.#sample();
    const now = Date.now();
    const last = this.#lastBehind;
    const until = last && last.until > now - COMMIT_MS ? last.from : now;
    return { from: this.#from, until: drops > 0 ? this.#from : until - COMMIT_MS };
  }

  #sample(): void {
    const now = Date.now();
    if (this.#read().waiting === 0) {
      this.#behindSince = undefined;
      return;
    }
    // A sample that came late itself tells nothing of the time before.
    this.#behindSince ??= now - SAMPLE_MS;
    this.#lastBehind = { from: this.#behindSince, until: now };
  }

  #read(): { waiting: number; drops: number } {
    const row = readFileSync('/proc/net/udp', 'latin1')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find(([, address]) => address?.endsWith(this.#suffix));
    return { waiting: parseInt(row?.[4]?.split(':')[1] ?? '0', 16), drops: Number(row?.at(-1) ?? 0) };
  }
}
