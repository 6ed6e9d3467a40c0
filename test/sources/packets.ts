/** Packets made by hand, layer by layer: what a test is about stands in its row, everything else is as usual. */

export const SIP = (callId: string, body = ''): Buffer =>
  Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\nCall-ID: ${callId}\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);
const u32 = (value: number): Buffer =>
  Buffer.from([value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]);

export const udp = (payload: Buffer, from = 5060, to = 5061): Buffer =>
  Buffer.concat([u16(from), u16(to), u16(8 + payload.length), u16(0), payload]);

const V4 = Buffer.from([192, 0, 2, 1, 192, 0, 2, 2]);

export interface Ipv4Options {
  readonly protocol?: number;
  readonly id?: number;
  /** In bytes. */
  readonly offset?: number;
  readonly more?: boolean;
}

export function ipv4(payload: Buffer, { protocol = 17, id = 1, offset = 0, more = false }: Ipv4Options = {}): Buffer {
  const flags = (more ? 0x2000 : 0) | (offset / 8);
  const head = Buffer.concat([
    Buffer.from([0x45, 0]),
    u16(20 + payload.length),
    u16(id),
    u16(flags),
    Buffer.from([64, protocol]),
    u16(0),
    V4,
  ]);
  return Buffer.concat([head, payload]);
}

const V6 = Buffer.from('20010db800000000000000000000000120010db8000000000000000000000002', 'hex');

export const ipv6 = (payload: Buffer, next = 17): Buffer =>
  Buffer.concat([Buffer.from([0x60, 0, 0, 0]), u16(payload.length), Buffer.from([next, 64]), V6, payload]);

export const ipv6Fragment = (payload: Buffer, offset: number, more: boolean, next = 17): Buffer =>
  ipv6(Buffer.concat([Buffer.from([next, 0]), u16(offset | (more ? 1 : 0)), u32(7), payload]), 44);

export const ethernet = (payload: Buffer, type = 0x0800): Buffer =>
  Buffer.concat([Buffer.alloc(12), u16(type), payload]);

export const vlan = (payload: Buffer, type = 0x0800): Buffer => Buffer.concat([u16(5), u16(type), payload]);

export const mpls = (payload: Buffer, ...labels: number[]): Buffer =>
  Buffer.concat([
    ...labels.map((label, i) => u32((label << 12) | (i === labels.length - 1 ? 0x100 : 0) | 64)),
    payload,
  ]);

export const pppoe = (payload: Buffer, protocol = 0x21): Buffer =>
  Buffer.concat([Buffer.from([0x11, 0]), u16(1), u16(payload.length + 2), u16(protocol), payload]);

export const gre = (payload: Buffer, type: number, flags = 0, options = Buffer.alloc(0)): Buffer =>
  Buffer.concat([u16(flags), u16(type), options, payload]);

export const vxlan = (payload: Buffer): Buffer =>
  udp(Buffer.concat([u32(0x08000000), u32(42 << 8), payload]), 40000, 4789);

export interface TcpOptions {
  readonly flags?: number;
  readonly from?: number;
  readonly to?: number;
}

export const SYN = 2;
export const FIN = 1;
export const RST = 4;

export const tcp = (
  sequence: number,
  payload: Buffer | string = '',
  { flags = 0x10, from = 5060, to = 5061 }: TcpOptions = {},
): Buffer =>
  Buffer.concat([
    u16(from),
    u16(to),
    u32(sequence >>> 0),
    u32(0),
    Buffer.from([0x50, flags]),
    u16(1000),
    u32(0),
    Buffer.from(payload),
  ]);

/** A WebSocket frame; masked as a client's. */
export function frame(payload: Buffer, { opcode = 1, final = true, mask = 0 } = {}): Buffer {
  const length =
    payload.length < 126 ? Buffer.from([payload.length]) : Buffer.concat([Buffer.from([126]), u16(payload.length)]);
  const key = u32(mask);
  if (mask !== 0) length[0]! |= 0x80;
  const body = mask === 0 ? payload : Buffer.concat([key, payload.map((byte, i) => byte ^ key[i & 3]!)]);
  return Buffer.concat([Buffer.from([(final ? 0x80 : 0) | opcode]), length, body]);
}

export interface PcapOptions {
  readonly linkType?: number;
  readonly order?: 'BE' | 'LE';
  readonly nanoseconds?: boolean;
}

/** Seconds of the first packet of `pcap`. */
export const T0 = 1_700_000_000;

/** A pcap file with one packet a second, half a second after the full one. */
export function pcap(
  packets: readonly Buffer[],
  { linkType = 1, order = 'LE', nanoseconds = false }: PcapOptions = {},
): Buffer {
  const n32 = (value: number): Buffer => (order === 'BE' ? u32(value) : u32(value).reverse());
  const n16 = (value: number): Buffer => (order === 'BE' ? u16(value) : u16(value).reverse());
  const head = Buffer.concat([
    n32(nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4),
    n16(2),
    n16(4),
    n32(0),
    n32(0),
    n32(65535),
    n32(linkType),
  ]);
  const records = packets.map((packet, i) =>
    Buffer.concat([
      n32(T0 + i),
      n32(nanoseconds ? 500_000_000 : 500_000),
      n32(packet.length),
      n32(packet.length),
      packet,
    ]),
  );
  return Buffer.concat([head, ...records]);
}

/** A block of a pcapng file. */
export function block(type: number, body: Buffer, order: 'BE' | 'LE' = 'LE'): Buffer {
  const n32 = (value: number): Buffer => (order === 'BE' ? u32(value) : u32(value).reverse());
  const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
  const length = n32(12 + padded.length);
  return Buffer.concat([n32(type), length, padded, length]);
}

export const chunk = (type: number, value: Buffer, vendor = 0): Buffer =>
  Buffer.concat([u16(vendor), u16(type), u16(6 + value.length), value]);

/** A HEP3 packet around a payload; `more` replaces or adds chunks. */
export function hep3(payload: Buffer, more: readonly Buffer[] = []): Buffer {
  const body = Buffer.concat([
    chunk(1, Buffer.from([2])),
    chunk(2, Buffer.from([17])),
    chunk(3, V4.subarray(0, 4)),
    chunk(4, V4.subarray(4)),
    chunk(7, u16(5060)),
    chunk(8, u16(5061)),
    chunk(9, u32(1000)),
    chunk(10, u32(500_000)),
    chunk(11, Buffer.from([1])),
    ...more,
    chunk(15, payload),
  ]);
  return Buffer.concat([Buffer.from('HEP3'), u16(6 + body.length), body]);
}

export { u16, u32 };
