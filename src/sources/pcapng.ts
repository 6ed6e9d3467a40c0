import type { PacketSink, RecordReader } from './pcap.ts';
import type { SourceCounts } from './source-counts.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const MIN_BLOCK = 12;
const MAX_BLOCK = 4 * 1024 * 1024;
const MAX_SANE = 524_288; // of a block that is taken for one after damage
const MAX_INTERFACES = 4096;
const OPTION_END = 0;
const OPTION_TSRESOL = 9;
const OPTION_TSOFFSET = 14;

interface Interface {
  readonly linkType: number;
  readonly snapLength: number;
  /** Time units per ms. */
  readonly perMs: number;
  readonly offsetMs: number;
}

export const isPcapng = (bytes: Buffer): boolean => bytes.length >= 4 && bytes.readUInt32BE(0) === SECTION_HEADER;

/** Reads a pcapng file: every block that carries packets, any number of sections and interfaces. draft-ietf-opsawg-pcapng §4. */
export class PcapngReader implements RecordReader {
  needed = MIN_BLOCK;
  readonly #sink: PacketSink;
  readonly #counts: SourceCounts;
  #isLittle = true;
  #interfaces: Interface[] = [];
  #lastTime = 0;
  #isLost = false;

  constructor(sink: PacketSink, counts: SourceCounts) {
    this.#sink = sink;
    this.#counts = counts;
  }

  read(bytes: Buffer, start: number, isLast: boolean): number {
    let at = start;
    while (bytes.length - at >= MIN_BLOCK) {
      if (this.#isLost) at = this.#resync(bytes, at, isLast);
      this.needed = 0;
      if (this.#isLost) return at;
      const isOrdered = this.#uint32(bytes, at) !== SECTION_HEADER || this.#readByteOrder(bytes, at);
      const length = this.#uint32(bytes, at + 4);
      const isSane = isOrdered && isLength(length, MAX_BLOCK);
      if (isSane && at + length > bytes.length && !(isLast && this.#isFollowed(bytes, at + 4))) {
        this.needed = length;
        return at;
      }
      if (isSane && at + length <= bytes.length && this.#uint32(bytes, at + length - 4) === length) {
        this.#readBlock(bytes, at, at + length - 4);
        at += length;
      } else {
        this.#counts.drop('damaged capture record');
        this.#isLost = true;
        at += 4;
      }
    }
    this.needed = this.#isLost ? 0 : MIN_BLOCK;
    return at;
  }

  /** Whether a whole block stands anywhere behind: what seems to be cut off is a block whose length is damaged then. */
  #isFollowed(bytes: Buffer, from: number): boolean {
    this.#resync(bytes, from, true);
    const isFollowed = !this.#isLost;
    this.#isLost = false;
    return isFollowed;
  }

  /** The next offset at which a block stands whole, its length told at both ends; while lost, where to look on later. */
  #resync(bytes: Buffer, from: number, isLast: boolean): number {
    this.#isLost = true;
    let at = from;
    for (; at + MIN_BLOCK <= bytes.length; at++) {
      const isLittle = this.#orderOf(bytes, at);
      if (isLittle === undefined) continue;
      const length = isLittle ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
      const end = at + length;
      if (!isLength(length, MAX_SANE)) continue;
      if (end > bytes.length) {
        if (isLast) continue;
        return at;
      }
      this.#isLost = length !== (isLittle ? bytes.readUInt32LE(end - 4) : bytes.readUInt32BE(end - 4));
      if (!this.#isLost) return at;
    }
    return at;
  }

  /** Whether a block that may begin here is little endian; undefined if none of a known type does. */
  #orderOf(bytes: Buffer, at: number): boolean | undefined {
    if (bytes.readUInt32BE(at) === SECTION_HEADER) return readOrder(bytes, at);
    const type = this.#uint32(bytes, at);
    return type >= 1 && type <= 6 ? this.#isLittle : undefined;
  }

  /** False if the section header tells no byte order. */
  #readByteOrder(bytes: Buffer, at: number): boolean {
    const isLittle = readOrder(bytes, at);
    if (isLittle === undefined) return false;
    this.#isLittle = isLittle;
    this.#interfaces = [];
    return true;
  }

  #readBlock(bytes: Buffer, at: number, end: number): void {
    switch (this.#uint32(bytes, at)) {
      case 1:
        return this.#readInterface(bytes, at, end);
      case 2: // obsolete Packet Block: interface and drop count share four bytes
        return this.#readPacket(bytes, at, end, this.#uint16(bytes, at + 8));
      case 3:
        return this.#readSimple(bytes, at, end);
      case 6:
        return this.#readPacket(bytes, at, end, this.#uint32(bytes, at + 8));
    }
  }

  #readInterface(bytes: Buffer, at: number, end: number): void {
    if (end - at < 16 || this.#interfaces.length >= MAX_INTERFACES) return this.#counts.drop('damaged capture record');
    let perMs = 1000;
    let offsetMs = 0;
    for (let option = at + 16; option + 4 <= end;) {
      const code = this.#uint16(bytes, option);
      const length = this.#uint16(bytes, option + 2);
      if (code === OPTION_END || option + 4 + length > end) break;
      if (code === OPTION_TSRESOL && length >= 1) perMs = readResolution(bytes[option + 4]!);
      if (code === OPTION_TSOFFSET && length >= 8) offsetMs = this.#int64(bytes, option + 4) * 1000;
      option += 4 + Math.ceil(length / 4) * 4;
    }
    this.#interfaces.push({
      linkType: this.#uint16(bytes, at + 8),
      snapLength: this.#uint32(bytes, at + 12),
      perMs,
      offsetMs,
    });
  }

  #readPacket(bytes: Buffer, at: number, end: number, number: number): void {
    const place = this.#interfaces[number];
    const captured = end - at < 28 ? NaN : this.#uint32(bytes, at + 20);
    if (!place || !(at + 28 + captured <= end)) return this.#counts.drop('damaged capture record');
    const units = this.#uint32(bytes, at + 12) * 2 ** 32 + this.#uint32(bytes, at + 16);
    this.#lastTime = units / place.perMs + place.offsetMs;
    this.#counts.packets++;
    this.#sink(bytes, at + 28, at + 28 + captured, place.linkType, this.#lastTime);
  }

  /** A Simple Packet Block has no time: the last one's is the nearest there is. */
  #readSimple(bytes: Buffer, at: number, end: number): void {
    const place = this.#interfaces[0];
    if (!place || end - at < 12) return this.#counts.drop('damaged capture record');
    const original = this.#uint32(bytes, at + 8);
    const captured = Math.min(original, place.snapLength || original, end - at - 12);
    this.#counts.packets++;
    this.#sink(bytes, at + 12, at + 12 + captured, place.linkType, this.#lastTime);
  }

  #uint16(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  #uint32(bytes: Buffer, at: number): number {
    return this.#isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #int64(bytes: Buffer, at: number): number {
    return Number(this.#isLittle ? bytes.readBigInt64LE(at) : bytes.readBigInt64BE(at));
  }
}

function readOrder(bytes: Buffer, at: number): boolean | undefined {
  if (bytes.readUInt32LE(at + 8) === BYTE_ORDER) return true;
  return bytes.readUInt32BE(at + 8) === BYTE_ORDER ? false : undefined;
}

const isLength = (length: number, limit: number): boolean => length >= MIN_BLOCK && length <= limit && length % 4 === 0;

/** Time units per ms: a power of ten, or of two where the highest bit is set. */
const readResolution = (value: number): number => ((value & 0x80) !== 0 ? 2 ** (value & 0x7f) : 10 ** value) / 1000;
