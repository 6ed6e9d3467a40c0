import type { SourceCounts } from './source-counts.ts';

const FILE_HEADER = 24;
export const MAX_RECORD = 262_144 + 65_536; // tcpdump's largest snap length, and what some writers add

/** Takes one packet: its bytes between two offsets, the link type of its interface and its time in epoch ms. */
export type PacketSink = (bytes: Buffer, start: number, end: number, linkType: number, observedAt: number) => void;

/** Reads the records of a capture file from what is there of it. */
export interface RecordReader {
  /** Reads whole records from `at` on; returns the offset of the first that is not whole. */
  read(bytes: Buffer, at: number): number;
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

/** Reads a classic pcap file. draft-ietf-opsawg-pcap §4. */
export class PcapReader implements RecordReader {
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

  read(bytes: Buffer, at: number): number {
    if (!this.#format) {
      if (bytes.length - at < FILE_HEADER) return at;
      this.#format = readMagic(bytes.subarray(at))!;
      this.#linkType = this.#uint32(bytes, at + 20) & 0xffff; // the upper bits tell of a frame check sequence
      at += FILE_HEADER;
    }
    return this.#readRecords(bytes, at, this.#format);
  }

  #readRecords(bytes: Buffer, start: number, { recordHeader, perMs }: Format): number {
    let at = start;
    while (bytes.length - at >= recordHeader) {
      if (this.#isLost) at = this.#resync(bytes, at);
      if (this.#isLost) return at;
      const second = this.#uint32(bytes, at);
      const length = this.#uint32(bytes, at + 8);
      if (length > MAX_RECORD) {
        this.#counts.drop('damaged capture record');
        this.#isLost = true;
        at++;
        continue;
      }
      const end = at + recordHeader + length;
      if (end > bytes.length) return at;
      this.#lastSecond = second;
      this.#counts.packets++;
      this.#sink(bytes, at + recordHeader, end, this.#linkType, second * 1000 + this.#uint32(bytes, at + 4) / perMs);
      at = end;
    }
    return at;
  }

  /** The next offset at which two records in a row look sane; while lost, where to look on when there are more bytes. */
  #resync(bytes: Buffer, from: number): number {
    const { recordHeader } = this.#format!;
    let at = from;
    for (; at + recordHeader <= bytes.length; at++) {
      if (!this.#looksSane(bytes, at)) continue;
      const next = at + recordHeader + this.#uint32(bytes, at + 8);
      this.#isLost = next !== bytes.length && (next + recordHeader > bytes.length || !this.#looksSane(bytes, next));
      if (!this.#isLost || next + recordHeader > bytes.length) return at;
    }
    return at;
  }

  #looksSane(bytes: Buffer, at: number): boolean {
    const captured = this.#uint32(bytes, at + 8);
    const original = this.#uint32(bytes, at + 12);
    const second = this.#uint32(bytes, at);
    if (captured < 14 || captured > 65_600 || original < captured || original > MAX_RECORD) return false;
    if (this.#uint32(bytes, at + 4) >= this.#format!.perMs * 1000) return false;
    return this.#lastSecond === 0 || Math.abs(second - this.#lastSecond) < 86_400;
  }

  #uint32(bytes: Buffer, at: number): number {
    return this.#format!.isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }
}
