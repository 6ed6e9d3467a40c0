/** Header fields that the parser knows by number; the compact form follows the name. RFC 3261 §20, §7.3.3. */
const KNOWN = [
  ['Via', 'v'],
  ['From', 'f'],
  ['To', 't'],
  ['Call-ID', 'i'],
  ['CSeq'],
  ['Contact', 'm'],
  ['Content-Length', 'l'],
  ['Content-Type', 'c'],
  ['Max-Forwards'],
  ['Record-Route'],
  ['Route'],
  ['Path'],
  ['Expires'],
  ['Min-Expires'],
  ['Reason'],
  ['Require'],
  ['Proxy-Require'],
  ['Supported', 'k'],
  ['Allow'],
  ['User-Agent'],
  ['Server'],
  ['Authorization'],
  ['Proxy-Authorization'],
  ['WWW-Authenticate'],
  ['Proxy-Authenticate'],
  ['P-Asserted-Identity'],
  ['P-Preferred-Identity'],
  ['Remote-Party-ID'],
  ['Privacy'],
  ['Diversion'],
  ['History-Info'],
  ['Refer-To', 'r'],
  ['Referred-By', 'b'],
  ['Replaces'],
  ['Join'],
  ['Target-Dialog'],
  ['Session-ID'],
  ['Session-Expires', 'x'],
  ['Min-SE'],
  ['Event', 'o'],
  ['Subscription-State'],
  ['Subject', 's'],
  ['Content-Encoding', 'e'],
  ['Allow-Events', 'u'],
  ['Accept-Contact', 'a'],
  ['Reject-Contact', 'j'],
  ['Request-Disposition', 'd'],
  ['Identity', 'y'],
  ['Retry-After'],
  ['RSeq'],
  ['RAck'],
  ['P-Called-Party-ID'],
  ['X-CallAPIID'],
] as const;

export type HeaderName = (typeof KNOWN)[number][0];

export const HEADER_COUNT = KNOWN.length;

const numbers = new Map<string, number>();
const canonical = new Map<string, number>(); // as our own code spells them
KNOWN.forEach((names, number) => {
  canonical.set(names[0], number);
  names.forEach((name) => numbers.set(name.toLowerCase(), number));
});

/** Number of a known header field by its name or compact form in any case, or -1. */
export const headerNumber = (name: string): number => canonical.get(name) ?? numbers.get(name.toLowerCase()) ?? -1;

// Open addressing over a hash that the scanner computes while it looks for the colon.
const SLOTS = 512;
const slotNumber = new Int16Array(SLOTS).fill(-1);
const slotName: (Uint8Array | undefined)[] = new Array<undefined>(SLOTS);

/** One step of the name hash; start at 0. Letters count in any case. */
export const hashNameByte = (hash: number, byte: number): number => (Math.imul(hash, 31) + (byte | 32)) | 0;

for (const [name, number] of numbers) {
  const bytes = Buffer.from(name, 'latin1');
  let slot = bytes.reduce(hashNameByte, 0) & (SLOTS - 1);
  while (slotName[slot]) slot = (slot + 1) & (SLOTS - 1);
  slotName[slot] = bytes;
  slotNumber[slot] = number;
}

/** Number of the known header field whose name stands at `from`, given its hash, or -1. */
export function findHeaderNumber(hash: number, bytes: Uint8Array, from: number, end: number): number {
  for (let slot = hash & (SLOTS - 1); slotName[slot]; slot = (slot + 1) & (SLOTS - 1)) {
    if (sameName(slotName[slot]!, bytes, from, end)) return slotNumber[slot]!;
  }
  return -1;
}

function sameName(name: Uint8Array, bytes: Uint8Array, from: number, end: number): boolean {
  if (name.length !== end - from) return false;
  for (let i = 0; i < name.length; i++) if (name[i] !== (bytes[from + i]! | 32)) return false;
  return true;
}
