import { ByteQueue } from '../sip/byte-queue.ts';
import { startsAsSip } from '../sip/start-line.ts';
import type { SourceCounts } from './source-counts.ts';

const MAX_MESSAGE = 1_048_576;
const MAX_HTTP_HEADER = 16_384;
const OPCODE_CONTINUATION = 0;
const OPCODE_TEXT = 1;
const OPCODE_BINARY = 2;

interface FrameHeader {
  readonly isFinal: boolean;
  readonly opcode: number;
  readonly mask: Buffer | undefined;
  readonly start: number;
  readonly length: number;
}

/** Whether the bytes begin an HTTP upgrade, or a frame whose payload is SIP. RFC 6455 §1.3, RFC 7118 §4. */
export function beginsAsWebSocket(bytes: Buffer): boolean {
  if (beginsAsUpgrade(bytes)) return true;
  const header = readFrameHeader(bytes);
  if (!header || (header.opcode !== OPCODE_TEXT && header.opcode !== OPCODE_BINARY) || header.length > MAX_MESSAGE)
    return false;
  return startsAsSip(unmask(bytes.subarray(header.start, header.start + Math.min(header.length, 64)), header.mask));
}

function beginsAsUpgrade(bytes: Buffer): boolean {
  const head = bytes.toString('latin1', 0, 4096);
  return (
    /^(GET [^\r\n]+ HTTP\/1\.1|HTTP\/1\.1 101[^\r\n]*)\r\n/.test(head) && /\r\nupgrade:[ \t]*websocket/i.test(head)
  );
}

/** RFC 6455 §5.2; undefined if more bytes are needed. */
function readFrameHeader(bytes: Buffer): FrameHeader | undefined {
  if (bytes.length < 2) return undefined;
  const first = bytes[0]!;
  const isMasked = (bytes[1]! & 0x80) !== 0;
  const short = bytes[1]! & 0x7f;
  const size = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + size + (isMasked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const length = size === 2 ? bytes.readUInt16BE(2) : size === 8 ? Number(bytes.readBigUInt64BE(2)) : short;
  const mask = isMasked ? bytes.subarray(2 + size, start) : undefined;
  return { isFinal: (first & 0x80) !== 0, opcode: first & 0x0f, mask, start, length };
}

function unmask(payload: Buffer, mask: Buffer | undefined): Buffer {
  const plain = Buffer.from(payload);
  if (mask) for (let i = 0; i < plain.length; i++) plain[i]! ^= mask[i & 3]!;
  return plain;
}

/** Reads one direction of a WebSocket connection, from its HTTP upgrade or from any frame on. */
export class WebSocketReader {
  readonly #emit: (message: Buffer, observedAt: number) => void;
  readonly #counts: SourceCounts;
  readonly #queue = new ByteQueue();
  #parts: Buffer[] = [];
  #partBytes = 0;
  #isUpgraded: boolean | undefined;
  #isLost = false;

  constructor(emit: (message: Buffer, observedAt: number) => void, counts: SourceCounts) {
    this.#emit = emit;
    this.#counts = counts;
  }

  push(bytes: Buffer, observedAt: number): void {
    if (this.#isLost && !beginsAsWebSocket(bytes)) return;
    this.#isLost = false;
    this.#queue.add(bytes);
    this.#isUpgraded ??= !beginsAsUpgrade(bytes);
    if (!this.#isUpgraded && !this.#passUpgrade()) return;
    while (this.#readFrame(observedAt));
  }

  resync(): void {
    this.#queue.drop(this.#queue.length);
    this.#parts = [];
    this.#partBytes = 0;
    this.#isUpgraded = true;
    this.#isLost = true;
  }

  #passUpgrade(): boolean {
    const { bytes } = this.#queue;
    const end = bytes.indexOf('\r\n\r\n');
    if (end < 0) {
      if (bytes.length > MAX_HTTP_HEADER) this.#lose();
      return false;
    }
    this.#queue.drop(end + 4);
    this.#isUpgraded = true;
    return true;
  }

  #readFrame(observedAt: number): boolean {
    const { bytes } = this.#queue;
    const header = readFrameHeader(bytes);
    if (!header) return false;
    if (header.length > MAX_MESSAGE) return this.#lose();
    if (bytes.length < header.start + header.length) return false;
    const payload = unmask(bytes.subarray(header.start, header.start + header.length), header.mask);
    this.#queue.drop(header.start + header.length);
    if (header.opcode <= OPCODE_BINARY) this.#addPart(header, payload, observedAt);
    return true;
  }

  /** RFC 6455 §5.4: continuation frames go on with what a text or binary frame began. */
  #addPart({ opcode, isFinal }: FrameHeader, payload: Buffer, observedAt: number): void {
    if (opcode !== OPCODE_CONTINUATION) {
      this.#parts = [];
      this.#partBytes = 0;
    }
    this.#partBytes += payload.length;
    if (this.#partBytes > MAX_MESSAGE) return void this.#lose();
    this.#parts.push(payload);
    if (!isFinal) return;
    const message = Buffer.concat(this.#parts);
    this.#parts = [];
    if (startsAsSip(message)) this.#emit(message, observedAt);
  }

  #lose(): false {
    this.#counts.drop('damaged WebSocket stream');
    this.resync();
    return false;
  }
}
