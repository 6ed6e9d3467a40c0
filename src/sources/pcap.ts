import type { SourceCounts } from './source-counts.ts';

const FILE_HEADER = 24;
export const MAX_RECORD = 262_144 + 65_536; // tcpdump's largest snap length, and what some writers add

/** Takes one packet: its bytes between two offsets, the link type of its interface and its time in epoch ms. */
export type PacketSink = (bytes: Buffer, start: number, end: number, linkType: number, observedAt: number) => void;

/** Reads the records of a capture file from what is there of it. */
export interface RecordReader {
  /** Bytes it takes, from the offset that `read` returned on, to read on; 0 if that can't be told. */
  readonly needed: number;
  /** Reads whole records from `at` on; returns the offset of the first that is not whole. `isLast`: no bytes follow. */
  read(bytes: Buffer, at: number, isLast: boolean): number;
}

/** Whether the bytes begin a pcap file; both byte orders, µs, ns and the modified format. */
export const isPcap = (bytes: Buffer): boolean => bytes.length >= 4 && readMagic(bytes) !== undefined;

interface Format {
  readonly isLittle: boolean;
  /** Fractions of a second per ms. */
  readonly perMs: number;
  readonly recordHeader: 16 | 24;
}

function readMagic(bytes: Buffer): Format | undefined {
  const big = bytes.readUInt32BE(0);
  const little = bytes.readUInt32LE(0);
  for (const [magic, isLittle] of [
    [big, false],
    [little, true],
  ] as const) {
    if (magic === 0xa1b2c3d4) return { isLittle, perMs: 1000, recordHeader: 16 };
    if (magic === 0xa1b23c4d) return { isLittle, perMs: 1_000_000, recordHeader: 16 };
    if (magic === 0xa1b2cd34) return { isLittle, perMs: 1000, recordHeader: 24 };
  }
  return undefined;
}

const MIN_SANE = 14;
const MAX_SANE = 65_600;
const DAY_S = 86_400;

/** Reads a classic pcap file. draft-ietf-opsawg-pcap §4. */
export class PcapReader implements RecordReader {
  needed = FILE_HEADER;
  readonly #sink: PacketSink;
  readonly #counts: SourceCounts;
  #format: Format | undefined;
  #linkType = 0;
  #lastSecond = 0;
  #isLost = false;

  constructor(sink: PacketSink, counts: SourceCounts) {
    this.#sink = sink;
    this.#counts = counts;
  }

  read(bytes: Buffer, start: number, isLast: boolean): number {
    let at = start;
    if (!this.#format) {
      if (bytes.length - at < FILE_HEADER) return at;
      this.#format = readMagic(bytes.subarray(at))!;
      this.#linkType = this.#uint32(bytes, at + 20) & 0xffff; // the upper bits tell of a frame check sequence
      at += FILE_HEADER;
    }
    at = this.#readRecords(bytes, at, this.#format, isLast);
    while (isLast && bytes.length - at >= this.#format.recordHeader && !this.#isLost) {
      // What seems to be cut off may be a record whose length is damaged, and whole ones follow.
      const next = this.#resync(bytes, at + 1, true);
      if (this.#isLost) return at;
      this.#counts.drop('damaged capture record');
      at = this.#readRecords(bytes, next, this.#format, true);
    }
    return at;
  }

  #readRecords(bytes: Buffer, start: number, { recordHeader, perMs }: Format, isLast: boolean): number {
    let at = start;
    while (bytes.length - at >= recordHeader) {
      if (this.#isLost) at = this.#resync(bytes, at, isLast);
      this.needed = 0;
      if (this.#isLost) return at;
      const second = this.#uint32(bytes, at);
      const fraction = this.#uint32(bytes, at + 4);
      const length = this.#uint32(bytes, at + 8);
      const end = at + recordHeader + length;
      const isDoubtful = length !== this.#uint32(bytes, at + 12) || fraction >= perMs * 1000;
      if (length > MAX_RECORD || (isDoubtful && this.#isFollowedByGarbage(bytes, end, second))) {
        this.#counts.drop('damaged capture record');
        this.#isLost = true;
        at++;
        continue;
      }
      // A doubtful record waits for the one behind it, which tells whether its length is right.
      this.needed = recordHeader + length + (isDoubtful && !isLast ? recordHeader : 0);
      if (at + this.needed > bytes.length) return at;
      this.#lastSecond = second;
      this.#counts.packets++;
      this.#sink(bytes, at + recordHeader, end, this.#linkType, second * 1000 + fraction / perMs);
      at = end;
    }
    this.needed = recordHeader;
    return at;
  }

  #isFollowedByGarbage(bytes: Buffer, at: number, second: number): boolean {
    if (at + this.#format!.recordHeader > bytes.length) return false;
    return !this.#looksSane(bytes, at, 0) || Math.abs(this.#uint32(bytes, at) - second) >= DAY_S;
  }

  /** The next offset at which two records in a row look sane; while lost, where to look on when there are more bytes. */
  #resync(bytes: Buffer, from: number, isLast: boolean): number {
    const { recordHeader } = this.#format!;
    let at = from;
    for (; at + recordHeader <= bytes.length; at++) {
      if (!this.#looksSane(bytes, at, MIN_SANE)) continue;
      const next = at + recordHeader + this.#uint32(bytes, at + 8);
      this.#isLost = !this.#isConfirmed(bytes, at, next);
      if (!this.#isLost || (next + recordHeader > bytes.length && !isLast)) return at;
    }
    this.#isLost = true;
    return at;
  }

  /** Whether a record that looks sane is one, by what stands behind it. */
  #isConfirmed(bytes: Buffer, at: number, next: number): boolean {
    const second = this.#uint32(bytes, at);
    if (next === bytes.length) return this.#lastSecond === 0 || Math.abs(second - this.#lastSecond) < DAY_S;
    return next + this.#format!.recordHeader <= bytes.length && !this.#isFollowedByGarbage(bytes, next, second);
  }

  #looksSane(bytes: Buffer, at: number, minLength: number): boolean {
    const captured = this.#uint32(bytes, at + 8);
    const original = this.#uint32(bytes, at + 12);
    if (captured < minLength || captured > MAX_SANE || original < captured || original > MAX_RECORD) return false;
    return this.#uint32(bytes, at + 4) < this.#format!.perMs * 1000;
  }

  #uint32(bytes: Buffer, at: number): number {
    return this.#format!.isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }
}
