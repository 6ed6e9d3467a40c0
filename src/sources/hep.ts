import { inflateSync, unzipSync } from 'node:zlib';
import { ByteQueue } from '../sip/byte-queue.ts';
import type { Observation, ObservationSink, Transport } from '../sip/observation.ts';
import { startsAsSip } from '../sip/start-line.ts';
import { formatIpv4, formatIpv6 } from './addresses.ts';
import type { SourceCounts } from './source-counts.ts';

const HEP3 = 0x48455033;
const MAX_PAYLOAD = 262_144;
const SIP = 1;
const TRANSPORTS: { readonly [protocol: number]: Transport } = { 6: 'tcp', 17: 'udp', 132: 'sctp', 22: 'tls' };

/** The observation in a HEP packet, or why there is none. */
export type HepResult = Observation | 'HEP packet damaged' | 'HEP packet without SIP';

export const isHep3 = (bytes: Buffer, at: number, end: number): boolean =>
  end - at >= 6 && bytes.readUInt32BE(at) === HEP3;

/** Whether the bytes look like a HEP packet of any version. */
export function looksLikeHep(bytes: Buffer, at: number, end: number): boolean {
  if (isHep3(bytes, at, end)) return true;
  return end - at > 28 && readOldHeader(bytes.subarray(at, end)) !== undefined;
}

/**
 * Reads a HEP packet, version 1, 2 or 3. `receivedAt` (epoch ms) counts where the packet tells no time.
 *
 * https://github.com/sipcapture/HEP: HEP3 network protocol specification, revision 26.
 */
export function parseHep(bytes: Buffer, receivedAt: number): HepResult {
  if (isHep3(bytes, 0, bytes.length)) return parseHep3(bytes, receivedAt);
  const header = readOldHeader(bytes);
  return header ? parseOld(bytes, header, receivedAt) : 'HEP packet damaged';
}

/** Values of the chunks, as far as they are known here. */
interface Chunks {
  protocol: number;
  sourceIp: string;
  destinationIp: string;
  sourcePort: number;
  destinationPort: number;
  second: number;
  microsecond: number;
  protocolType: number;
  correlationId: string;
  payload: Buffer | undefined;
}

function parseHep3(bytes: Buffer, receivedAt: number): HepResult {
  const end = bytes.readUInt16BE(4);
  if (end > bytes.length || end < 6) return 'HEP packet damaged';
  const chunks: Chunks = {
    protocol: 17,
    sourceIp: '',
    destinationIp: '',
    sourcePort: 0,
    destinationPort: 0,
    second: 0,
    microsecond: 0,
    protocolType: SIP,
    correlationId: '',
    payload: undefined,
  };
  for (let at = 6; at < end;) {
    if (end - at < 6) return 'HEP packet damaged';
    const length = bytes.readUInt16BE(at + 4);
    if (length < 6 || at + length > end) return 'HEP packet damaged';
    const isKnown = bytes.readUInt16BE(at) === 0; // of the generic vendor
    if (isKnown && !readChunk(chunks, bytes.readUInt16BE(at + 2), bytes.subarray(at + 6, at + length)))
      return 'HEP packet damaged';
    at += length;
  }
  return toObservation(chunks, receivedAt);
}

/** Smallest size of a chunk's value, by type. */
const CHUNK_SIZES: { readonly [type: number]: number } = {
  2: 1,
  3: 4,
  4: 4,
  5: 16,
  6: 16,
  7: 2,
  8: 2,
  9: 4,
  10: 4,
  11: 1,
};

/** False if the chunk is damaged. */
function readChunk(chunks: Chunks, type: number, value: Buffer): boolean {
  if (value.length < (CHUNK_SIZES[type] ?? 0)) return false;
  if (type === 2) chunks.protocol = value[0]!;
  else if (type === 3) chunks.sourceIp = formatIpv4(value.readUInt32BE(0));
  else if (type === 4) chunks.destinationIp = formatIpv4(value.readUInt32BE(0));
  else if (type === 5) chunks.sourceIp = formatIpv6(value, 0);
  else if (type === 6) chunks.destinationIp = formatIpv6(value, 0);
  else if (type === 7) chunks.sourcePort = value.readUInt16BE(0);
  else if (type === 8) chunks.destinationPort = value.readUInt16BE(0);
  else if (type === 9) chunks.second = value.readUInt32BE(0);
  else if (type === 10) chunks.microsecond = value.readUInt32BE(0);
  else if (type === 11) chunks.protocolType = value[0]!;
  else if (type === 15) chunks.payload = value;
  else if (type === 16) return (chunks.payload = inflate(value)) !== undefined;
  else if (type === 17) chunks.correlationId = value.toString('utf8', 0, 256);
  return true;
}

function inflate(value: Buffer): Buffer | undefined {
  for (const decompress of [unzipSync, inflateSync]) {
    try {
      return decompress(value, { maxOutputLength: MAX_PAYLOAD });
    } catch {
      // Not in this format, or larger than a message may be.
    }
  }
  return undefined;
}

function toObservation(chunks: Chunks, receivedAt: number): HepResult {
  const { payload, correlationId } = chunks;
  if (chunks.protocolType !== SIP || !payload) return 'HEP packet without SIP';
  const start = skipLineEnds(payload);
  if (!startsAsSip(payload, start)) return 'HEP packet without SIP';
  if (chunks.sourceIp === '' || chunks.destinationIp === '') return 'HEP packet damaged';
  return {
    observedAt: chunks.second > 0 ? chunks.second * 1000 + chunks.microsecond / 1000 : receivedAt,
    source: { ip: chunks.sourceIp, port: chunks.sourcePort },
    destination: { ip: chunks.destinationIp, port: chunks.destinationPort },
    transport: TRANSPORTS[chunks.protocol] ?? 'udp',
    bytes: payload.subarray(start),
    ...(correlationId !== '' && { correlationId }),
  };
}

function skipLineEnds(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === 13 || bytes[at] === 10) at++;
  return at;
}

/** Header of HEP 1 or 2: where its parts stand. */
interface OldHeader {
  readonly size: number;
  readonly isV6: boolean;
  readonly hasTime: boolean;
}

/** HEP 1 and 2 have no magic number: what the header says of itself must agree. */
function readOldHeader(bytes: Buffer): OldHeader | undefined {
  const version = bytes[0]!;
  if (version !== 1 && version !== 2) return undefined;
  const isV6 = bytes[2] === 10;
  if (!isV6 && bytes[2] !== 2) return undefined;
  const size = (isV6 ? 40 : 16) + (version === 2 ? 12 : 0);
  // The length some agents write leaves out the time.
  if (bytes.length <= size || (bytes[1] !== size && bytes[1] !== (isV6 ? 40 : 16)) || !(bytes[3]! in TRANSPORTS))
    return undefined;
  return startsAsSip(bytes, size) ? { size, isV6, hasTime: version === 2 } : undefined;
}

function parseOld(bytes: Buffer, { size, isV6, hasTime }: OldHeader, receivedAt: number): HepResult {
  const ip = (offset: number): string => (isV6 ? formatIpv6(bytes, offset) : formatIpv4(bytes.readUInt32BE(offset)));
  const time = isV6 ? 40 : 16;
  return {
    observedAt: hasTime ? readOldTime(bytes, time) : receivedAt,
    source: { ip: ip(8), port: bytes.readUInt16BE(4) },
    destination: { ip: ip(isV6 ? 24 : 12), port: bytes.readUInt16BE(6) },
    transport: TRANSPORTS[bytes[3]!]!,
    bytes: bytes.subarray(size),
  };
}

/** The time is in the byte order of the agent: little endian, unless that makes no time at all. */
function readOldTime(bytes: Buffer, at: number): number {
  const isLittle = bytes.readUInt32LE(at + 4) < 1_000_000;
  const second = isLittle ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  const microsecond = isLittle ? bytes.readUInt32LE(at + 4) : bytes.readUInt32BE(at + 4);
  return second * 1000 + microsecond / 1000;
}

/** Cuts a TCP stream into HEP3 packets by their length. */
export class HepFramer {
  readonly #sink: ObservationSink;
  readonly #counts: SourceCounts;
  readonly #queue = new ByteQueue();
  /** The stream holds something else: nothing more can be read from it. */
  isLost = false;

  constructor(sink: ObservationSink, counts: SourceCounts) {
    this.#sink = sink;
    this.#counts = counts;
  }

  push(bytes: Buffer, observedAt: number): void {
    if (this.isLost && !isHep3(bytes, 0, bytes.length)) return;
    this.isLost = false;
    this.#queue.add(bytes);
    while (this.#readPacket(observedAt));
  }

  resync(): void {
    this.#queue.drop(this.#queue.length);
    this.isLost = true;
  }

  #readPacket(observedAt: number): boolean {
    const { bytes } = this.#queue;
    if (bytes.length < 6) return false;
    const length = bytes.readUInt16BE(4);
    if (!isHep3(bytes, 0, 6) || length < 6) {
      this.#counts.drop('HEP packet damaged');
      this.resync();
      return false;
    }
    if (bytes.length < length) return false;
    this.#take(parseHep(bytes.subarray(0, length), observedAt));
    this.#queue.drop(length);
    return true;
  }

  #take(result: HepResult): void {
    if (typeof result === 'string') return this.#counts.drop(result);
    this.#counts.messages++;
    this.#sink(result);
  }
}
