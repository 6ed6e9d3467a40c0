import type { SourceCounts } from './source-counts.ts';

const MAX_DATAGRAMS = 1024;
const MAX_FRAGMENTS = 256;
const MAX_SIZE = 65_535;
const TIMEOUT_MS = 30_000;

interface Datagram {
  readonly firstAt: number;
  readonly parts: { readonly offset: number; readonly bytes: Buffer }[];
  /** Known once the last fragment came. */
  size: number;
}

/** Puts fragmented IP packets together again: in any order, with copies and overlaps, up to limits. RFC 815. */
export class Fragments {
  readonly #counts: SourceCounts;
  readonly #datagrams = new Map<string, Datagram>();

  constructor(counts: SourceCounts) {
    this.#counts = counts;
  }

  /** Adds a fragment; returns `head` and the whole payload once it is complete. */
  add(key: string, head: Buffer, offset: number, isLast: boolean, bytes: Buffer, at: number): Buffer | undefined {
    this.#expire(at);
    const end = offset + bytes.length;
    let datagram = this.#datagrams.get(key);
    if (!datagram) this.#datagrams.set(key, (datagram = { firstAt: at, parts: [], size: -1 }));
    if (end > MAX_SIZE || datagram.parts.length >= MAX_FRAGMENTS) {
      this.#datagrams.delete(key);
      this.#counts.drop('too many IP fragments');
      return undefined;
    }
    datagram.parts.push({ offset, bytes: Buffer.from(bytes) });
    if (isLast) datagram.size = end;
    const whole = join(datagram, head);
    if (whole) this.#datagrams.delete(key);
    return whole;
  }

  #expire(now: number): void {
    for (const [key, { firstAt }] of this.#datagrams) {
      if (Math.abs(now - firstAt) < TIMEOUT_MS && this.#datagrams.size < MAX_DATAGRAMS) return;
      this.#datagrams.delete(key);
      this.#counts.drop('IP fragments without the rest');
    }
  }
}

function join({ parts, size }: Datagram, head: Buffer): Buffer | undefined {
  if (size < 0) return undefined;
  const sorted = parts.toSorted((a, b) => a.offset - b.offset);
  let reached = 0;
  for (const { offset, bytes } of sorted) {
    if (offset > reached) return undefined;
    reached = Math.max(reached, offset + bytes.length);
  }
  if (reached < size) return undefined;
  const whole = Buffer.alloc(head.length + size);
  head.copy(whole);
  // Backwards, so that of overlapping fragments the one that came first in place wins.
  for (const { offset, bytes } of sorted.reverse()) bytes.copy(whole, head.length + offset);
  return whole;
}
