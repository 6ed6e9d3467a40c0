import type { PacketSink, RecordReader } from './pcap.ts';
import type { SourceCounts } from './source-counts.ts';

const SECTION_HEADER = 0x0a0d0d0a;
const BYTE_ORDER = 0x1a2b3c4d;
const MAX_BLOCK = 16 * 1024 * 1024;
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
  readonly #sink: PacketSink;
  readonly #counts: SourceCounts;
  #isLittle = true;
  #interfaces: Interface[] = [];
  #lastTime = 0;

  constructor(sink: PacketSink, counts: SourceCounts) {
    this.#sink = sink;
    this.#counts = counts;
  }

  read(bytes: Buffer, start: number): number {
    let at = start;
    while (bytes.length - at >= 12) {
      if (bytes.readUInt32BE(at) === SECTION_HEADER) this.#readByteOrder(bytes, at);
      const length = this.#uint32(bytes, at + 4);
      const isSane = length >= 12 && length <= MAX_BLOCK && length % 4 === 0;
      if (isSane && at + length > bytes.length) return at;
      if (isSane && this.#uint32(bytes, at + length - 4) === length) {
        this.#readBlock(bytes, at, at + length - 4);
        at += length;
      } else {
        this.#counts.drop('damaged capture record');
        at = this.#resync(bytes, at + 4);
      }
    }
    return at;
  }

  /** The next offset at which a block stands whole, its length told at both ends. */
  #resync(bytes: Buffer, from: number): number {
    let at = from;
    for (; at + 12 <= bytes.length; at++) {
      const length = this.#uint32(bytes, at + 4);
      if (this.#uint32(bytes, at) > 10 || length < 12 || length > MAX_BLOCK || at + length > bytes.length) continue;
      if (this.#uint32(bytes, at + length - 4) === length) return at;
    }
    return at;
  }

  #readByteOrder(bytes: Buffer, at: number): void {
    this.#isLittle = bytes.readUInt32LE(at + 8) === BYTE_ORDER;
    this.#interfaces = [];
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

/** Time units per ms: a power of ten, or of two where the highest bit is set. */
const readResolution = (value: number): number => ((value & 0x80) !== 0 ? 2 ** (value & 0x7f) : 10 ** value) / 1000;
