import t from 'tap';
import { SipMessage } from '../../src/sip/message.ts';
import { CaptureReader } from '../../src/sources/capture-reader.ts';
import { SourceCounts } from '../../src/sources/source-counts.ts';
import {
  block,
  ethernet,
  FIN,
  frame,
  gre,
  hep3,
  ipv4,
  ipv6,
  ipv6Fragment,
  mpls,
  pcap,
  type PcapOptions,
  pppoe,
  RST,
  SIP,
  SYN,
  T0,
  tcp,
  u16,
  u32,
  udp,
  vlan,
  vxlan,
} from './packets.ts';

interface Read {
  /** `callId transport source>destination at` */
  readonly seen: string[];
  readonly drops: Record<string, number>;
  readonly isCapture: boolean;
  readonly counts: SourceCounts;
}

/** Times of `pcap` count from 1,000,000 ms on. */
const sinceStart = (at: number): number => (at >= T0 * 1000 ? at - T0 * 1000 + 1_000_000 : at);

function read(file: Buffer, pieces = file.length): Read {
  const seen: string[] = [];
  const counts = new SourceCounts();
  const reader = new CaptureReader(({ bytes, transport, source, destination, observedAt }) => {
    const { callId } = SipMessage.parse(bytes);
    seen.push(
      `${callId} ${transport} ${source.ip}:${source.port}>${destination.ip}:${destination.port} ${sinceStart(observedAt)}`,
    );
  }, counts);
  for (let at = 0; at < file.length; at += pieces) reader.push(file.subarray(at, at + pieces));
  const isCapture = reader.end();
  return { seen, drops: Object.fromEntries(counts.drops), isCapture, counts };
}

const V4 = '192.0.2.1:5060>192.0.2.2:5061';
const V6 = '2001:db8::1:5060>2001:db8::2:5061';
const plain = ipv4(udp(SIP('c')));

t.test('link layers and tunnels', (t) => {
  const inner = ethernet(plain);
  const rows: [title: string, linkType: number, packet: Buffer, addresses?: string][] = [
    ['Ethernet', 1, ethernet(plain)],
    ['Ethernet, IPv6', 1, ethernet(ipv6(udp(SIP('c'))), 0x86dd), V6],
    ['VLAN', 1, ethernet(vlan(plain), 0x8100)],
    ['QinQ', 1, ethernet(vlan(vlan(plain), 0x8100), 0x88a8)],
    ['LLC/SNAP', 1, ethernet(Buffer.concat([Buffer.from([0xaa, 0xaa, 3, 0, 0, 0, 8, 0]), plain]), 8 + plain.length)],
    ['Linux cooked v1', 113, Buffer.concat([Buffer.alloc(14), u16(0x0800), plain])],
    ['Linux cooked v2', 276, Buffer.concat([u16(0x0800), Buffer.alloc(18), plain])],
    ['raw IP', 101, plain],
    ['raw IPv4', 228, plain],
    ['raw IPv6', 229, ipv6(udp(SIP('c'))), V6],
    ['null', 0, Buffer.concat([Buffer.from([2, 0, 0, 0]), plain])],
    ['loop, IPv6', 108, Buffer.concat([Buffer.from([0, 0, 0, 30]), ipv6(udp(SIP('c')))]), V6],
    ['PPP', 9, Buffer.concat([Buffer.from([0xff, 3, 0, 0x21]), plain])],
    ['PPPoE', 1, ethernet(pppoe(plain), 0x8864)],
    ['PPPoE, IPv6', 1, ethernet(pppoe(ipv6(udp(SIP('c'))), 0x57), 0x8864), V6],
    ['MPLS', 1, ethernet(mpls(plain, 16, 17, 18), 0x8847)],
    ['IP in IP', 1, ethernet(ipv4(plain, { protocol: 4 }))],
    ['IPv6 in IPv4', 1, ethernet(ipv4(ipv6(udp(SIP('c'))), { protocol: 41 })), V6],
    ['GRE', 1, ethernet(ipv4(gre(plain, 0x0800), { protocol: 47 }))],
    [
      'GRE with checksum, key and sequence',
      1,
      ethernet(ipv4(gre(plain, 0x0800, 0xb000, Buffer.alloc(12)), { protocol: 47 })),
    ],
    ['GRE, Ethernet inside', 1, ethernet(ipv4(gre(inner, 0x6558), { protocol: 47 }))],
    ['ERSPAN I', 1, ethernet(ipv4(gre(inner, 0x88be), { protocol: 47 }))],
    [
      'ERSPAN II',
      1,
      ethernet(ipv4(gre(Buffer.concat([Buffer.alloc(8), inner]), 0x88be, 0x1000, Buffer.alloc(4)), { protocol: 47 })),
    ],
    [
      'ERSPAN III',
      1,
      ethernet(ipv4(gre(Buffer.concat([Buffer.alloc(12), inner]), 0x22eb, 0x1000, Buffer.alloc(4)), { protocol: 47 })),
    ],
    ['VXLAN', 1, ethernet(ipv4(vxlan(inner)))],
    ...[0x40, 0x45, 0x60, 0x64].map((mac): [string, number, Buffer] => [
      `VXLAN, a hardware address that begins as an IP packet does: ${mac}`,
      1,
      ethernet(ipv4(vxlan(Buffer.concat([Buffer.from([mac]), inner.subarray(1)])))),
    ]),
    [
      'IPv6 with extension headers',
      1,
      ethernet(
        ipv6(
          Buffer.concat([Buffer.from([60, 0]), Buffer.alloc(6), Buffer.from([17, 0]), Buffer.alloc(6), udp(SIP('c'))]),
          0,
        ),
        0x86dd,
      ),
      V6,
    ],
    ['leading line ends', 1, ethernet(ipv4(udp(Buffer.concat([Buffer.from('\r\n\r\n'), SIP('c')]))))],
  ];
  for (const [title, linkType, packet, addresses = V4] of rows) {
    t.strictSame(read(pcap([packet], { linkType })).seen, [`c udp ${addresses} 1000500`], title);
  }
  t.end();
});

t.test('pcap: byte orders, resolutions, any piece size', (t) => {
  const packets = ['a', 'b', 'c'].map((id) => ethernet(ipv4(udp(SIP(id)))));
  const expected = ['a', 'b', 'c'].map((id, i) => `${id} udp ${V4} ${1000500 + i * 1000}`);
  const options: PcapOptions[] = [{}, { order: 'BE' }, { nanoseconds: true }, { order: 'BE', nanoseconds: true }];
  for (const option of options) {
    const file = pcap(packets, option);
    for (const pieces of [1, 7, 100, file.length])
      t.strictSame(read(file, pieces).seen, expected, `${JSON.stringify(option)} by ${pieces}`);
  }
  t.end();
});

t.test('pcapng: blocks, sections, interfaces, time resolution', (t) => {
  const packet = (id: string): Buffer => ethernet(ipv4(udp(SIP(id))));
  for (const order of ['LE', 'BE'] as const) {
    const n32 = (value: number): Buffer => (order === 'BE' ? u32(value) : u32(value).reverse());
    const n16 = (value: number): Buffer => (order === 'BE' ? u16(value) : u16(value).reverse());
    const section = block(
      0x0a0d0d0a,
      Buffer.concat([n32(0x1a2b3c4d), n16(1), n16(0), n32(0xffffffff), n32(0xffffffff)]),
      order,
    );
    const options = (...list: (readonly [code: number, value: Buffer])[]): Buffer =>
      Buffer.concat([
        ...list.map(([code, value]) =>
          Buffer.concat([n16(code), n16(value.length), value, Buffer.alloc((4 - (value.length % 4)) % 4)]),
        ),
        n32(0),
      ]);
    const describe = (linkType: number, extra: Buffer = Buffer.alloc(0)): Buffer =>
      block(1, Buffer.concat([n16(linkType), n16(0), n32(0), extra]), order);
    const enhanced = (on: number, high: number, low: number, bytes: Buffer): Buffer =>
      block(6, Buffer.concat([n32(on), n32(high), n32(low), n32(bytes.length), n32(bytes.length), bytes]), order);
    const file = Buffer.concat([
      section,
      describe(1), // µs
      describe(101, options([9, Buffer.from([3])])), // ms
      describe(
        1,
        options(
          [9, Buffer.from([0x80 | 10])],
          [14, Buffer.concat(order === 'BE' ? [u32(0), u32(5)] : [n32(5), n32(0)])],
        ),
      ), // 1/1024 s, 5 s later
      enhanced(0, 0, 1_000_500_000, packet('a')),
      block(0x0bad, Buffer.from('unknown'), order),
      enhanced(1, 0, 1_000_501, plain),
      enhanced(2, 0, 1000 * 1024, packet('d')),
      block(3, Buffer.concat([n32(packet('e').length), packet('e')]), order),
      block(
        2,
        Buffer.concat([
          n16(0),
          n16(0),
          n32(0),
          n32(1_000_900_000),
          n32(packet('f').length),
          n32(packet('f').length),
          packet('f'),
        ]),
        order,
      ),
      section,
      describe(101),
      enhanced(0, 0, 1_001_000_000, plain),
    ]);
    const expected = ['a 1000500', 'c 1000501', 'd 1005000', 'e 1005000', 'f 1000900', 'c 1001000'].map((row) =>
      row.replace(' ', ` udp ${V4} `),
    );
    for (const pieces of [3, 50, file.length]) t.strictSame(read(file, pieces).seen, expected, `${order} by ${pieces}`);
  }
  t.end();
});

t.test('IP fragments: in any order, twice, overlapping, IPv4 and IPv6', (t) => {
  const whole = udp(SIP('c', 'x'.repeat(60)));
  const cut = (from: number, to?: number): Buffer => whole.subarray(from, to);
  const v4 = [
    ipv4(cut(0, 48), { offset: 0, more: true }),
    ipv4(cut(48, 96), { offset: 48, more: true }),
    ipv4(cut(96), { offset: 96 }),
  ].map((packet) => ethernet(packet));
  const [a, b, c] = v4 as [Buffer, Buffer, Buffer];
  const overlap = ethernet(ipv4(cut(40, 96), { offset: 40, more: true }));
  const v6 = [ipv6Fragment(cut(0, 80), 0, true), ipv6Fragment(cut(80), 80, false)].map((packet) =>
    ethernet(packet, 0x86dd),
  );
  for (const packets of [
    [a, b, c],
    [c, a, b],
    [a, a, c, c, b],
    [a, overlap, c],
  ]) {
    t.match(read(pcap(packets)).seen, [/^c udp 192/]);
  }
  t.match(read(pcap(v6.toReversed())).seen, [/^c udp 2001/]);
  t.strictSame(read(pcap([a, c])).seen, [], 'one is missing');
  const flood = Array.from({ length: 1100 }, (_, id) => ethernet(ipv4(cut(0, 48), { id, more: true })));
  t.ok(read(pcap(flood)).drops['IP fragments without the rest'], 'a flood of first fragments is bounded');
  t.end();
});

t.test('TCP streams', (t) => {
  const stream = Buffer.concat([SIP('a'), Buffer.from('\r\n\r\n'), SIP('b', 'body'), SIP('c')]);
  const part = (start: number, from: number, to?: number): Buffer => tcp(start + 1 + from, stream.subarray(from, to));
  const syn = (start: number): Buffer => tcp(start, '', { flags: SYN });
  const rows: [title: string, segments: Buffer[], callIds: string][] = [
    ['in order', [syn(0), part(0, 0, 50), part(0, 50)], 'abc'],
    ['byte by byte', [syn(0), ...[...stream].map((_, i) => part(0, i, i + 1))], 'abc'],
    ['start line cut', [syn(0), part(0, 0, 3), part(0, 3)], 'abc'],
    ['out of order', [syn(0), part(0, 100), part(0, 0, 50), part(0, 50, 100)], 'abc'],
    ['retransmitted and overlapping', [syn(0), part(0, 0, 60), part(0, 0, 60), part(0, 30, 90), part(0, 90)], 'abc'],
    ['sequence numbers that wrap', [syn(2 ** 32 - 40), part(2 ** 32 - 40, 0, 50), part(2 ** 32 - 40, 50)], 'abc'],
    ['start in mid-stream', [part(0, SIP('a').length), syn(5)], 'bc'],
    ['a segment that was never captured', [syn(0), part(0, 0, 10), part(0, SIP('a').length + 4)], 'bc'],
    [
      'FIN with data, then more of before',
      [syn(0), part(0, 50), tcp(1 + stream.length, '', { flags: FIN }), part(0, 0, 50)],
      'abc',
    ],
    [
      'sent again behind the FIN',
      [syn(0), part(0, 0), tcp(1 + stream.length, '', { flags: FIN }), part(0, 0), part(0, 0, SIP('a').length)],
      'abc',
    ],
    [
      'another connection between the same ports, its SYN missed',
      [syn(0), part(0, 0), tcp(2 ** 31 - 9, SIP('d')), tcp(2 ** 30, SIP('e'))],
      'abcde',
    ],
    [
      'a Content-Length beyond all measure',
      [tcp(1, 'OPTIONS sip:a SIP/2.0\r\nCall-ID: x\r\nContent-Length: 99999999\r\n\r\n'), tcp(69, stream)],
      'abc',
    ],
    ['a reset', [syn(0), part(0, 0, 20), tcp(0, '', { flags: RST }), part(0, 20)], ''],
    [
      'something else on the connection',
      [syn(0), tcp(1, 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3'.repeat(3)), tcp(200, 'x')],
      '',
    ],
  ];
  for (const [title, segments, callIds] of rows) {
    const { seen } = read(pcap(segments.map((segment) => ethernet(ipv4(segment, { protocol: 6 })))));
    t.equal(seen.map((row) => row[0]).join(''), callIds, title);
    t.ok(
      seen.every((row) => row.includes(` tcp ${V4} `)),
      title,
    );
  }
  t.end();
});

t.test('a gap in a TCP stream is given up while other traffic goes on', (t) => {
  const segments = [
    tcp(0, '', { flags: SYN }),
    tcp(1, SIP('a').subarray(0, 20)),
    tcp(200, SIP('b')),
    ...[1, 2, 3, 4].map((i) => tcp(1, SIP(`other${i}`), { from: 7000 + i })),
  ];
  const seen = read(pcap(segments.map((segment) => ethernet(ipv4(segment, { protocol: 6 }))))).seen;
  t.strictSame(
    seen.map((row) => row.split(' ')[0]),
    ['other1', 'other2', 'b', 'other3', 'other4'],
  );
  t.end();
});

t.test('SIP over WebSocket', (t) => {
  const upgrade = 'GET / HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nSec-WebSocket-Protocol: sip\r\n\r\n';
  const a = frame(SIP('a'), { mask: 0x12345678 });
  const long = frame(SIP('b', 'x'.repeat(300)));
  const pieces = Buffer.concat([
    frame(SIP('c').subarray(0, 20), { final: false }),
    frame(Buffer.from('ping'), { opcode: 9 }),
    frame(SIP('c').subarray(20), { opcode: 0 }),
  ]);
  const from = (sequence: number, bytes: Buffer | string): Buffer =>
    ethernet(ipv4(tcp(sequence, bytes), { protocol: 6 }));
  const syn = ethernet(ipv4(tcp(0, '', { flags: SYN }), { protocol: 6 }));
  const stream = Buffer.concat([Buffer.from(upgrade), a, long, pieces]);
  const split = [
    syn,
    from(1, stream.subarray(0, 30)),
    from(31, stream.subarray(30, 200)),
    from(201, stream.subarray(200)),
  ];
  t.strictSame(
    read(pcap(split)).seen.map((row) => row.slice(0, 4)),
    ['a ws', 'b ws', 'c ws'],
    'from the upgrade on',
  );
  t.strictSame(
    read(pcap([from(77, a), from(77 + a.length, long)])).seen.map((row) => row.slice(0, 4)),
    ['a ws', 'b ws'],
    'in mid-stream',
  );
  t.end();
});

t.test('SCTP', (t) => {
  const data = (flags: number, tsn: number, bytes: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from([0, flags]),
      u16(16 + bytes.length),
      u32(tsn),
      u32(0),
      u32(0),
      bytes,
      Buffer.alloc((4 - (bytes.length % 4)) % 4),
    ]);
  const head = Buffer.concat([u16(5060), u16(5061), u32(1), u32(0)]);
  const packet = (...chunks: Buffer[]): Buffer => ethernet(ipv4(Buffer.concat([head, ...chunks]), { protocol: 132 }));
  const b = SIP('b');
  const file = pcap([
    packet(data(3, 1, SIP('a')), data(2, 2, b.subarray(0, 30))),
    packet(data(1, 3, b.subarray(30)), data(1, 9, b)),
  ]);
  t.strictSame(
    read(file).seen.map((row) => row.slice(0, 6)),
    ['a sctp', 'b sctp'],
  );
  t.end();
});

t.test('HEP inside packets', (t) => {
  const { seen } = read(
    pcap([
      ethernet(ipv4(udp(hep3(SIP('a')), 40_000, 9060))),
      ethernet(ipv4(tcp(1, Buffer.concat([hep3(SIP('b')), hep3(SIP('c'))])), { protocol: 6 })),
    ]),
  );
  t.strictSame(
    seen,
    ['a', 'b', 'c'].map((id) => `${id} udp ${V4} 1000500`),
  );
  t.end();
});

t.test('what carries no SIP', (t) => {
  const icmp = Buffer.concat([Buffer.from([3, 3, 0, 0, 0, 0, 0, 0]), plain]);
  const deep = Array.from({ length: 20 }).reduce<Buffer>((packet) => ipv4(packet, { protocol: 4 }), plain);
  const snap = Buffer.from([0xaa, 0xaa, 3, 0, 0, 0, 0, 8]);
  const rows: [title: string, packet: Buffer][] = [
    ['LLC in LLC in LLC', ethernet(Buffer.concat(Array.from({ length: 8000 }, () => snap)), 8)],
    ['SIP quoted in ICMP', ethernet(ipv4(icmp, { protocol: 1 }))],
    ['ARP', ethernet(Buffer.alloc(28), 0x0806)],
    ['RTP', ethernet(ipv4(udp(Buffer.from([0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]))))],
    ['HTTP', ethernet(ipv4(udp(Buffer.from('GET / HTTP/1.1\r\n\r\n'))))],
    ['a tunnel without end', ethernet(deep)],
    ['nothing', Buffer.alloc(0)],
    ['cut in the IP header', ethernet(plain.subarray(0, 12))],
    ['cut in the UDP header', ethernet(ipv4(Buffer.alloc(5)))],
  ];
  for (const [title, packet] of rows) {
    const { seen } = read(pcap([packet, ethernet(ipv4(udp(SIP('next'))))]));
    t.match(seen, [/^next /], title);
    t.equal(seen.length, 1, title);
  }
  t.strictSame(read(pcap([plain], { linkType: 147 })).drops, { 'link type 147 is not supported': 1 });
  t.end();
});

t.test('a damaged record costs itself, not its neighbours', (t) => {
  const packets = ['a', 'b', 'c', 'd'].map((id) => ethernet(ipv4(udp(SIP(id)))));
  const size = 16 + packets[0]!.length;
  const file = pcap(packets);
  file.writeUInt32LE(0xfffffff0, 24 + size + 8); // the length of the second record
  for (const pieces of [11, file.length]) {
    const { seen, drops } = read(file, pieces);
    t.strictSame(
      seen.map((row) => row[0]),
      ['a', 'c', 'd'],
      `by ${pieces}`,
    );
    t.strictSame(drops, { 'damaged capture record': 1 });
  }
  const cut = read(pcap(packets).subarray(0, -20));
  t.strictSame([cut.seen.map((row) => row[0]).join(''), cut.drops], ['abc', { 'capture cut off at its end': 1 }]);
  t.end();
});

t.test('a damaged length costs one record, whatever it tells and in whatever pieces the file comes', (t) => {
  const packets = ['a', 'b', 'c', 'd', 'e'].map((id) => ethernet(ipv4(udp(SIP(id)))));
  const size = 16 + packets[0]!.length;
  const n32 = (value: number): Buffer => u32(value).reverse();
  const blocks = packets.map((packet) =>
    block(6, Buffer.concat([n32(0), n32(0), n32(1e9), n32(packet.length), n32(packet.length), packet])),
  );
  const head = Buffer.concat([
    block(0x0a0d0d0a, Buffer.concat([n32(0x1a2b3c4d), n32(1), n32(0xffffffff), n32(0xffffffff)])),
    block(1, Buffer.concat([n32(1), n32(0)])),
  ]);
  const files: [name: string, file: Buffer, lengthAt: number][] = [
    ['pcap', pcap(packets), 24 + size + 8],
    ['pcapng', Buffer.concat([head, ...blocks]), head.length + blocks[0]!.length + 4],
  ];
  for (const [name, good, at] of files) {
    const right = good.readUInt32LE(at);
    for (const wrong of [right - 4, right + 4, right + 40, 4096, 65_000, 1_000_000, 0xfffffff0]) {
      const file = Buffer.from(good);
      file.writeUInt32LE(wrong, at);
      for (const pieces of [1, 64, 200, file.length]) {
        const { seen, drops } = read(file, pieces);
        t.match(seen.map((row) => row[0]).join(''), /^ab?cde$/, `${name}: ${wrong} by ${pieces}`);
        t.strictSame(Object.keys(drops), ['damaged capture record']);
      }
    }
  }
  t.end();
});

t.test('mutated captures: no exception, and it ends', (t) => {
  const packets = ['a', 'b', 'c', 'd'].map((id) => ethernet(ipv4(udp(SIP(id)))));
  const stream = ethernet(ipv4(tcp(1, SIP('e')), { protocol: 6 }));
  const file = pcap([
    ...packets,
    stream,
    ethernet(ipv4(udp(hep3(SIP('f'))))),
    ethernet(ipv4(gre(plain, 0x0800), { protocol: 47 })),
  ]);
  let seed = 1;
  const random = (limit: number): number => (seed = (seed * 48_271) % 2_147_483_647) % limit;
  for (let round = 0; round < 800; round++) {
    const copy = Buffer.from(file);
    for (let i = random(6); i >= 0; i--) copy[24 + random(copy.length - 24)] = random(256);
    const seen: number[] = [];
    const reader = new CaptureReader(({ bytes }) => seen.push(bytes.length), new SourceCounts());
    reader.push(copy.subarray(0, random(4) === 0 ? random(copy.length) : copy.length));
    reader.end();
    if (seen.length > 40) t.fail('more messages than there are');
  }
  t.pass('none');
  t.end();
});
