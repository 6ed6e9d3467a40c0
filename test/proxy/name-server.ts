import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import type { Test } from 'tap';

/** What a name server knows: addresses by host, and services by name. */
export interface Zone {
  readonly hosts?: { readonly [name: string]: string };
  readonly services?: {
    readonly [name: string]: readonly [priority: number, weight: number, port: number, host: string][];
  };
}

const A = 1;
const SRV = 33;

const encodeName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255]);

/** One answer; its name points to that of the question. RFC 1035 §4.1.3. */
const encodeAnswer = (type: number, data: Buffer): Buffer =>
  Buffer.concat([u16(0xc00c), u16(type), u16(1), u16(0), u16(60), u16(data.length), data]);

function answersFor(zone: Zone, name: string, type: number): Buffer[] {
  const host = zone.hosts?.[name];
  if (type === A && host !== undefined) return [encodeAnswer(A, Buffer.from(host.split('.').map(Number)))];
  if (type !== SRV) return [];
  return (zone.services?.[name] ?? []).map(([priority, weight, port, target]) =>
    encodeAnswer(SRV, Buffer.concat([u16(priority), u16(weight), u16(port), encodeName(target)])),
  );
}

/** Starts a name server; returns its `ip:port`. */
export async function startNameServer(t: Test, zone: Zone): Promise<string> {
  const socket = createSocket('udp4');
  socket.on('message', (query, { address, port }) => {
    const labels: string[] = [];
    let at = 12;
    for (; query[at]! > 0; at += query[at]! + 1) labels.push(query.toString('latin1', at + 1, at + 1 + query[at]!));
    const question = query.subarray(12, at + 5);
    const answers = answersFor(zone, labels.join('.').toLowerCase(), query.readUInt16BE(at + 1));
    const status = answers.length > 0 ? 0x8180 : 0x8183;
    const head = Buffer.concat([query.subarray(0, 2), u16(status), u16(1), u16(answers.length), u16(0), u16(0)]);
    socket.send(Buffer.concat([head, question, ...answers]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => void socket.close());
  return `127.0.0.1:${socket.address().port}`;
}
