import type { Address } from '../sip/observation.ts';

const MAX_KNOWN = 65_536;

/** Addresses as text, which is made once: packets repeat the same few. */
export class Addresses {
  readonly #v4 = new Map<number, string>();
  readonly #v6 = new Map<string, string>();

  /** An IPv4 address, as a 32-bit number, with a port. */
  v4(number: number, port: number): Address {
    const key = number | 0; // a small integer for the engine, which a number above 2^31 is not
    let ip = this.#v4.get(key);
    if (ip === undefined) {
      if (this.#v4.size >= MAX_KNOWN) this.#v4.clear();
      this.#v4.set(key, (ip = formatIpv4(number)));
    }
    return { ip, port };
  }

  /** The IPv6 address in the 16 bytes at `at`, with a port. */
  v6(bytes: Uint8Array, at: number, port: number): Address {
    const key = Buffer.from(bytes.buffer, bytes.byteOffset + at, 16).toString('latin1');
    let ip = this.#v6.get(key);
    if (ip === undefined) {
      if (this.#v6.size >= MAX_KNOWN) this.#v6.clear();
      this.#v6.set(key, (ip = formatIpv6(bytes, at)));
    }
    return { ip, port };
  }
}

export const formatIpv4 = (ip: number): string => `${ip >>> 24}.${(ip >>> 16) & 255}.${(ip >>> 8) & 255}.${ip & 255}`;

/** The 16 bytes at `at` as text in its canonical form; an IPv4-mapped address as IPv4. RFC 5952 §4. */
export function formatIpv6(bytes: Uint8Array, at: number): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((bytes[at + i]! << 8) | bytes[at + i + 1]!);
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return formatIpv4(((groups[6]! << 16) | groups[7]!) >>> 0);
  }
  const { start, length } = findZeros(groups);
  const text = (from: number, to: number): string =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(':');
  return length < 2 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`;
}

/** The longest run of zero groups, the first of several. */
function findZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < 8; start++) {
    let end = start;
    while (end < 8 && groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}
