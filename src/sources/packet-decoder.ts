import { Addresses } from './addresses.ts';
import type { ObservationSink } from '../sip/observation.ts';
import { Fragments } from './fragments.ts';
import { LINK_LAYERS } from './link-types.ts';
import type { SourceCounts } from './source-counts.ts';
import { Transports } from './transports.ts';

const MAX_DEPTH = 8;
const IPV4 = 0x0800;
const IPV6 = 0x86dd;

/** Takes packets apart, from the link layer to the SIP messages in them; tunnels are followed a few levels deep. */
export class PacketDecoder {
  readonly #counts: SourceCounts;
  readonly #addresses = new Addresses();
  readonly #fragments: Fragments;
  readonly #transports: Transports;
  #observedAt = 0;
  #depth = 0;

  constructor(sink: ObservationSink, counts: SourceCounts) {
    this.#counts = counts;
    this.#fragments = new Fragments(counts);
    this.#transports = new Transports(sink, counts, (bytes, at, end) => this.#decodeFrame(bytes, at, end));
  }

  /** Decodes one packet. `linkType` is a number of tcpdump's list, `observedAt` epoch ms. */
  decode(bytes: Buffer, start: number, end: number, linkType: number, observedAt: number): void {
    this.#observedAt = observedAt;
    this.#depth = 0;
    if (linkType === 1) return this.#decodeEthernet(bytes, start, end);
    const layer = LINK_LAYERS.get(linkType);
    if (!layer) return this.#counts.drop(`link type ${linkType} is not supported`);
    const { at, type } = layer(bytes, start, end);
    if (at > end) return this.#counts.drop('packet too short');
    this.#decodeType(bytes, at, end, type);
  }

  /** No more packets come. */
  end(): void {
    this.#transports.end();
  }

  #decodeEthernet(bytes: Buffer, at: number, end: number): void {
    if (end - at < 14) return this.#counts.drop('packet too short');
    this.#decodeType(bytes, at + 14, end, (bytes[at + 12]! << 8) | bytes[at + 13]!);
  }

  /** By EtherType; below 1536 it is the length of an LLC frame. */
  #decodeType(bytes: Buffer, start: number, end: number, etherType: number): void {
    let at = start;
    let type = etherType;
    while ((type === 0x8100 || type === 0x88a8 || type === 0x9100) && end - at >= 4) {
      type = (bytes[at + 2]! << 8) | bytes[at + 3]!;
      at += 4;
    }
    switch (type) {
      case IPV4:
        return this.#decodeIpv4(bytes, at, end);
      case IPV6:
        return this.#decodeIpv6(bytes, at, end);
      case 0x8864: // PPPoE session: six bytes of header, then PPP
        return this.#decodePpp(bytes, at + 6, end);
      case 0x8847:
      case 0x8848:
        return this.#decodeMpls(bytes, at, end);
      default:
        if (type < 1536 && bytes[at] === 0xaa && bytes[at + 1] === 0xaa && end - at >= 8) {
          if (++this.#depth > MAX_DEPTH) return this.#counts.drop('tunnel too deep or cut off');
          return this.#decodeType(bytes, at + 8, end, (bytes[at + 6]! << 8) | bytes[at + 7]!);
        }
        this.#counts.otherTraffic++;
    }
  }

  #decodePpp(bytes: Buffer, start: number, end: number): void {
    let at = start;
    if (bytes[at] === 0xff && bytes[at + 1] === 0x03) at += 2; // address and control of HDLC framing
    const isShort = (bytes[at]! & 1) === 1;
    const protocol = isShort ? bytes[at]! : (bytes[at]! << 8) | bytes[at + 1]!;
    at += isShort ? 1 : 2;
    if (protocol === 0x21) this.#decodeIpv4(bytes, at, end);
    else if (protocol === 0x57) this.#decodeIpv6(bytes, at, end);
    else this.#counts.otherTraffic++;
  }

  /** Down to the bottom of the label stack; what is below is told by its first bits. RFC 3032 §2.1. */
  #decodeMpls(bytes: Buffer, start: number, end: number): void {
    let at = start;
    while (end - at >= 4) {
      const isBottom = (bytes[at + 2]! & 1) === 1;
      at += 4;
      if (isBottom) return this.#decodeIp(bytes, at, end);
    }
    this.#counts.drop('packet too short');
  }

  #decodeIp(bytes: Buffer, at: number, end: number): void {
    const version = at < end ? bytes[at]! >> 4 : 0;
    if (version === 4) this.#decodeIpv4(bytes, at, end);
    else if (version === 6) this.#decodeIpv6(bytes, at, end);
    else this.#counts.otherTraffic++;
  }

  /** RFC 791 §3.1. */
  #decodeIpv4(bytes: Buffer, at: number, packetEnd: number): void {
    if (packetEnd - at < 20) return this.#counts.drop('packet too short');
    const header = (bytes[at]! & 15) * 4;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const end = length >= header ? Math.min(packetEnd, at + length) : packetEnd; // 0 with segmentation offload
    if (header < 20 || at + header > end) return this.#counts.drop('damaged IP header');
    const fragment = (bytes[at + 6]! << 8) | bytes[at + 7]!;
    const protocol = bytes[at + 9]!;
    const payload = at + header;
    if ((fragment & 0x3fff) === 0) return this.#decodeProtocol(bytes, payload, end, protocol, at + 12, 4);
    const key = `${bytes.toString('latin1', at + 12, at + 20)}${protocol},${(bytes[at + 4]! << 8) | bytes[at + 5]!}`;
    const isLast = (fragment & 0x2000) === 0;
    this.#join(key, (fragment & 0x1fff) * 8, isLast, bytes, payload, end, protocol, at + 12, 4);
  }

  /** RFC 8200 §4. */
  #decodeIpv6(bytes: Buffer, at: number, packetEnd: number): void {
    if (packetEnd - at < 40) return this.#counts.drop('packet too short');
    const length = (bytes[at + 4]! << 8) | bytes[at + 5]!;
    const end = length > 0 ? Math.min(packetEnd, at + 40 + length) : packetEnd;
    let next = bytes[at + 6]!;
    let payload = at + 40;
    while (isExtension(next) && end - payload >= 8) {
      const size = next === 51 ? (bytes[payload + 1]! + 2) * 4 : (bytes[payload + 1]! + 1) * 8;
      next = bytes[payload]!;
      payload += size;
    }
    if (next !== 44) return this.#decodeProtocol(bytes, payload, end, next, at + 8, 16);
    if (end - payload < 8) return this.#counts.drop('packet too short');
    const fragment = (bytes[payload + 2]! << 8) | bytes[payload + 3]!;
    const key = `${bytes.toString('latin1', at + 8, at + 40)}${bytes.readUInt32BE(payload + 4)}`;
    const isLast = (fragment & 1) === 0;
    this.#join(key, fragment & 0xfff8, isLast, bytes, payload + 8, end, bytes[payload]!, at + 8, 16);
  }

  #join(
    key: string,
    offset: number,
    isLast: boolean,
    bytes: Buffer,
    start: number,
    end: number,
    protocol: number,
    addresses: number,
    size: 4 | 16,
  ): void {
    // The addresses stand in front of the joined payload, so that what decodes it finds them as in a packet.
    const head = bytes.subarray(addresses, addresses + 2 * size);
    const whole = this.#fragments.add(key, head, offset, isLast, bytes.subarray(start, end), this.#observedAt);
    if (whole) this.#decodeProtocol(whole, 2 * size, whole.length, protocol, 0, size);
  }

  /** `addresses`: where source and destination stand, `size` bytes each. */
  #decodeProtocol(bytes: Buffer, at: number, end: number, protocol: number, addresses: number, size: 4 | 16): void {
    switch (protocol) {
      case 17:
      case 6:
      case 132:
        return this.#decodeTransport(bytes, at, end, protocol, addresses, size);
      case 4:
        return this.#decodeInner(bytes, at, end);
      case 41:
        return this.#decodeInner(bytes, at, end);
      case 47:
        return this.#decodeGre(bytes, at, end);
      default:
        this.#counts.otherTraffic++;
    }
  }

  #decodeTransport(bytes: Buffer, at: number, end: number, protocol: number, addresses: number, size: 4 | 16): void {
    if (end - at < (protocol === 6 ? 20 : protocol === 17 ? 8 : 12)) return this.#counts.drop('packet too short');
    const sourcePort = (bytes[at]! << 8) | bytes[at + 1]!;
    const destinationPort = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    const source =
      size === 4
        ? this.#addresses.v4(bytes.readUInt32BE(addresses), sourcePort)
        : this.#addresses.v6(bytes, addresses, sourcePort);
    const destination =
      size === 4
        ? this.#addresses.v4(bytes.readUInt32BE(addresses + 4), destinationPort)
        : this.#addresses.v6(bytes, addresses + 16, destinationPort);
    this.#transports.decode(bytes, at, end, protocol, source, destination, this.#observedAt);
  }

  /** RFC 2784 §2, RFC 2890 §2; version 1 is PPTP's (RFC 2637 §4.1). */
  #decodeGre(bytes: Buffer, start: number, end: number): void {
    if (end - start < 4) return this.#counts.drop('packet too short');
    const flags = bytes[start]!;
    const version = bytes[start + 1]! & 7;
    const type = (bytes[start + 2]! << 8) | bytes[start + 3]!;
    let at = start + 4;
    if ((flags & 0x80) !== 0) at += 4; // checksum and offset
    if ((flags & 0x20) !== 0) at += 4; // key
    const hasSequence = (flags & 0x10) !== 0;
    if (hasSequence) at += 4;
    if (version === 1 && (bytes[start + 1]! & 0x80) !== 0) at += 4; // acknowledgement
    if (at >= end || ++this.#depth > MAX_DEPTH) return this.#counts.drop('tunnel too deep or cut off');
    if (type === 0x88be) return this.#decodeEthernet(bytes, hasSequence ? at + 8 : at, end); // ERSPAN II, I
    if (type === 0x22eb) return this.#decodeErspan3(bytes, at, end);
    if (type === 0x6558) return this.#decodeEthernet(bytes, at, end);
    if (type === 0x880b) return this.#decodePpp(bytes, at, end);
    this.#decodeType(bytes, at, end, type);
  }

  /** Twelve bytes of header, and eight more where the last bit says so. draft-foschiano-erspan §4.3. */
  #decodeErspan3(bytes: Buffer, at: number, end: number): void {
    if (end - at < 12) return this.#counts.drop('packet too short');
    this.#decodeEthernet(bytes, at + 12 + ((bytes[at + 11]! & 1) === 1 ? 8 : 0), end);
  }

  /** An IP packet within the packet. */
  #decodeInner(bytes: Buffer, at: number, end: number): void {
    if (++this.#depth > MAX_DEPTH) return this.#counts.drop('tunnel too deep or cut off');
    this.#decodeIp(bytes, at, end);
  }

  /** An Ethernet frame within the packet. */
  #decodeFrame(bytes: Buffer, at: number, end: number): void {
    if (++this.#depth > MAX_DEPTH) return this.#counts.drop('tunnel too deep or cut off');
    this.#decodeEthernet(bytes, at, end);
  }
}

/** Hop-by-hop, routing, authentication, destination options, mobility. */
const isExtension = (next: number): boolean => next === 0 || next === 43 || next === 51 || next === 60 || next === 135;
