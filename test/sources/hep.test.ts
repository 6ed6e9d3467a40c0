import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { deflateSync, gzipSync } from 'node:zlib';
import t from 'tap';
import type { Observation } from '../../src/sip/observation.ts';
import { parseHep } from '../../src/sources/hep.ts';
import { ListenError, parseListenAddress } from '../../src/sip/listen-address.ts';
import { HepListener } from '../../src/sources/hep-listener.ts';
import { SourceCounts } from '../../src/sources/source-counts.ts';
import { chunk, hep3, SIP, u16, u32 } from './packets.ts';

const sip = SIP('c');

/** HEP 1 or 2: header, and with version 2 the time in the agent's byte order. */
function hepOld(version: 1 | 2, order: 'LE' | 'BE' = 'LE'): Buffer {
  const n32 = (value: number): Buffer => (order === 'BE' ? u32(value) : u32(value).reverse());
  const time = version === 2 ? [n32(1_700_000_000), n32(250_000), u16(7), u16(0)] : [];
  const size = version === 2 ? 28 : 16;
  const head = [Buffer.from([version, size, 2, 17]), u16(5060), u16(5061), Buffer.from([192, 0, 2, 1, 192, 0, 2, 2])];
  return Buffer.concat([...head, ...time, sip]);
}

const tell = (result: ReturnType<typeof parseHep>): unknown =>
  typeof result === 'string'
    ? result
    : [
        result.observedAt,
        `${result.source.ip}:${result.source.port}`,
        `${result.destination.ip}:${result.destination.port}`,
        result.transport,
        Buffer.from(result.bytes).equals(sip),
        result.correlationId,
      ];

t.test('HEP packets of every version', (t) => {
  const v6 = Buffer.from('20010db8000000000000000000000001', 'hex');
  const good = [1000500, '192.0.2.1:5060', '192.0.2.2:5061', 'udp', true, undefined];
  const rows: [title: string, packet: Buffer, told: unknown][] = [
    ['version 3', hep3(sip), good],
    ['with a correlation id', hep3(sip, [chunk(17, Buffer.from('abc'))]), [...good.slice(0, 5), 'abc']],
    [
      'chunks of other vendors and unknown ones',
      hep3(sip, [chunk(15, Buffer.from('x'), 9), chunk(99, Buffer.from('y'))]),
      good,
    ],
    ['TCP', hep3(sip, [chunk(2, Buffer.from([6]))]), [...good.slice(0, 3), 'tcp', true, undefined]],
    [
      'IPv6',
      hep3(sip, [chunk(5, v6), chunk(6, v6)]),
      [good[0], '2001:db8::1:5060', '2001:db8::1:5061', ...good.slice(3)],
    ],
    ['no time: that of arrival', hep3(sip, [chunk(9, u32(0))]), [77, ...good.slice(1)]],
    ['compressed by deflate', hep3(Buffer.alloc(0), [chunk(16, deflateSync(sip))]), 'HEP packet without SIP'],
    ['version 1', hepOld(1), [77, ...good.slice(1)]],
    ['version 2', hepOld(2), [1_700_000_000_250, ...good.slice(1)]],
    ['version 2, big endian', hepOld(2, 'BE'), [1_700_000_000_250, ...good.slice(1)]],
    ['not SIP by its type', hep3(sip, [chunk(11, Buffer.from([5]))]), 'HEP packet without SIP'],
    ['not SIP by its content', hep3(Buffer.from('{"rtcp":1}')), 'HEP packet without SIP'],
    ['no addresses', Buffer.concat([Buffer.from('HEP3'), u16(12 + sip.length), chunk(15, sip)]), 'HEP packet damaged'],
    ['cut off', hep3(sip).subarray(0, -1), 'HEP packet damaged'],
    ['a chunk without room for its value', hep3(sip, [chunk(7, Buffer.from([1]))]), 'HEP packet damaged'],
    ['garbage', Buffer.from('hello world, this is no HEP'), 'HEP packet damaged'],
    ['nothing', Buffer.alloc(0), 'HEP packet damaged'],
  ];
  for (const [title, packet, told] of rows) t.strictSame(tell(parseHep(packet, 77)), told, title);
  const body = hep3(sip).subarray(6, -6 - sip.length);
  for (const packed of [deflateSync(sip), gzipSync(sip)]) {
    const packet = Buffer.concat([
      Buffer.from('HEP3'),
      u16(6 + body.length + 6 + packed.length),
      body,
      chunk(16, packed),
    ]);
    t.strictSame(tell(parseHep(packet, 77)), good, 'a compressed payload');
  }
  t.end();
});

t.test('damaged packets: a result, never an exception', (t) => {
  const packet = hep3(sip, [chunk(17, Buffer.from('id'))]);
  for (let at = 0; at < packet.length; at++) {
    for (const value of [0, 1, 0x7f, 0xff]) {
      const copy = Buffer.from(packet);
      copy[at] = value;
      parseHep(copy, 0);
      parseHep(copy.subarray(0, at), 0);
    }
  }
  t.pass('none');
  t.end();
});

class Collector {
  readonly seen: string[] = [];
  #waiting: (() => void)[] = [];

  take = ({ bytes }: Observation): void => {
    this.seen.push(/Call-ID: (.*)\r/.exec(Buffer.from(bytes).toString())![1]!);
    for (const wake of this.#waiting.splice(0)) wake();
  };

  async waitFor(count: number): Promise<void> {
    while (this.seen.length < count) await new Promise<void>((done) => this.#waiting.push(done));
  }
}

const portOf = (address: string): number => Number(/\d+$/.exec(address)![0]);

t.test('a listener over UDP and TCP', async (t) => {
  const collector = new Collector();
  const counts = new SourceCounts();
  const listener = new HepListener(collector.take, counts, Date.now);
  const bound = await listener.listen([parseListenAddress('udp:127.0.0.1:0')!, parseListenAddress('tcp:127.0.0.1:0')!]);
  t.match(bound, [/^udp:127\.0\.0\.1:\d+$/, /^tcp:127\.0\.0\.1:\d+$/]);
  const socket = createSocket('udp4');
  socket.send(Buffer.from('no HEP'), portOf(bound[0]!), '127.0.0.1');
  socket.send(hep3(SIP('a')), portOf(bound[0]!), '127.0.0.1');
  await collector.waitFor(1);
  const stream = Buffer.concat([hep3(SIP('b')), hep3(SIP('c'))]);
  const connection = connect(portOf(bound[1]!), '127.0.0.1');
  connection.write(stream.subarray(0, 50));
  connection.write(stream.subarray(50));
  await collector.waitFor(3);
  t.strictSame(collector.seen, ['a', 'b', 'c']);
  t.strictSame([counts.messages, Object.fromEntries(counts.drops)], [3, { 'HEP packet damaged': 1 }]);
  const closed = new Promise((done) => connection.once('close', done));
  connection.write('garbage that is no HEP');
  await closed;
  socket.close();
  await listener.close();
});

t.test("an address that can't be had", async (t) => {
  const sink = (): void => {};
  const first = new HepListener(sink, new SourceCounts(), Date.now);
  for (const transport of ['udp', 'tcp'] as const) {
    const [bound] = await first.listen([{ transport, ip: '127.0.0.1', port: 0 }]);
    const second = new HepListener(sink, new SourceCounts(), Date.now);
    await t.rejects(
      second.listen([parseListenAddress(bound!)!]),
      new ListenError(`can't listen on ${bound}: the address is in use by another program`),
    );
  }
  await first.close();
});

t.test('addresses as configured', (t) => {
  t.strictSame(parseListenAddress('tcp:[::1]:9060'), { transport: 'tcp', ip: '::1', port: 9060 });
  for (const bad of ['9060', 'udp:9060', 'udp:1.2.3.4:99999', 'sctp:1.2.3.4:5', 'udp:::1:9060'])
    t.equal(parseListenAddress(bad), undefined, bad);
  t.end();
});
