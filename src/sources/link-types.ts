/** Where the network layer begins and its EtherType. */
export interface NetworkLayer {
  readonly at: number;
  readonly type: number;
}

type LinkLayer = (bytes: Buffer, start: number, end: number) => NetworkLayer;

const IPV4 = 0x0800;
const IPV6 = 0x86dd;

const byVersion = (bytes: Buffer, at: number): NetworkLayer => ({
  at,
  type: (bytes[at] ?? 0) >> 4 === 6 ? IPV6 : IPV4,
});
const rawIp: LinkLayer = (bytes, start) => byVersion(bytes, start);
/** Four bytes of address family, in the byte order of the machine or of the network: the IP version is surer. */
const loopback: LinkLayer = (bytes, start) => byVersion(bytes, start + 4);
const typeAt =
  (typeOffset: number, size: number): LinkLayer =>
  (bytes, start, end) => ({
    at: start + size,
    type: start + size <= end ? (bytes[start + typeOffset]! << 8) | bytes[start + typeOffset + 1]! : 0,
  });

/** PPP without PPPoE: flags are skipped where they are. RFC 1662 §3.1. */
const ppp: LinkLayer = (bytes, start, end) => {
  let at = start;
  if (bytes[at] === 0xff && bytes[at + 1] === 0x03) at += 2;
  const isShort = ((bytes[at] ?? 0) & 1) === 1;
  const protocol = isShort ? bytes[at]! : at + 2 <= end ? (bytes[at]! << 8) | bytes[at + 1]! : 0;
  const type = protocol === 0x21 ? IPV4 : protocol === 0x57 ? IPV6 : protocol === 0x281 ? 0x8847 : 0xffff;
  return { at: at + (isShort ? 1 : 2), type };
};

/** Link layers but Ethernet, by number. https://www.tcpdump.org/linktypes.html */
export const LINK_LAYERS: ReadonlyMap<number, LinkLayer> = new Map([
  [0, loopback],
  [108, loopback],
  [9, ppp],
  [50, ppp],
  [12, rawIp],
  [14, rawIp],
  [101, rawIp],
  [228, rawIp],
  [229, rawIp],
  [113, typeAt(14, 16)], // Linux cooked v1
  [276, typeAt(0, 20)], // Linux cooked v2
  [104, typeAt(2, 4)], // Cisco HDLC
]);
