import { join } from 'node:path';
import t from 'tap';
import { MirrorWatch, type MirrorState } from '../../src/proxy/drachtio/mirror-watch.ts';
import { Ringside } from '../commands/process.ts';
import { keep, openUdpPhone } from './phones.ts';
import { isDrachtio, SECRET, startDrachtio } from './support/drachtio.ts';
import { findProgram, freePort } from './support/ports.ts';
import { makeRequest } from './support/wire-builders.ts';

// A server that asks for routes and mirrors nothing: all would work, and nothing be told.

const seen = (text: string): Parameters<MirrorWatch['admit']>[0] => ({
  observedAt: 0,
  source: { ip: '127.0.0.1', port: 5060 },
  destination: { ip: '127.0.0.2', port: 5060 },
  transport: 'udp',
  bytes: Buffer.from(text),
});

const rows: [title: string, act: (watch: MirrorWatch) => readonly MirrorState[][], found: MirrorState[][]][] = [
  [
    'a mirror that shows what was asked',
    (watch) => {
      watch.expect('a', 'call-1', 0);
      watch.admit(seen('INVITE sip:x SIP/2.0\r\nCall-ID: call-1\r\n\r\n'));
      return [[...watch.check(60_000)]];
    },
    [[]],
  ],
  [
    'nothing at all, then something',
    (watch) => {
      watch.expect('a', 'call-1', 0);
      watch.admit(seen('INVITE sip:x SIP/2.0\r\nCall-ID: of-another\r\n\r\n'));
      const found = [[...watch.check(15_000)], [...watch.check(15_001)], [...watch.check(16_000)]];
      watch.expect('a', 'call-2', 20_000);
      watch.admit(seen('SIP/2.0 180 Ringing\r\nCall-ID: call-2\r\n\r\n'));
      return [...found, [...watch.check(20_001)]];
    },
    [[], [{ server: 'a', isSeen: false }], [], [{ server: 'a', isSeen: true }]],
  ],
  [
    'one server of two',
    (watch) => {
      watch.expect('a', 'call-1', 0);
      watch.expect('b', 'call-2', 0);
      watch.admit(seen('SIP/2.0 180 Ringing\r\nCall-ID: call-2\r\n\r\n'));
      return [[...watch.check(20_000)]];
    },
    [[{ server: 'a', isSeen: false }]],
  ],
];

t.test('what is found out', (t) => {
  for (const [title, act, found] of rows) t.strictSame(act(new MirrorWatch('proof')), found, title);
  t.end();
});

t.test('our own CANCEL is nothing that a caller did', (t) => {
  const watch = new MirrorWatch('proof');
  const cancel = 'CANCEL sip:x SIP/2.0\r\nCall-ID: call-1\r\n';
  t.equal(watch.admit(seen(`${cancel}X-Ringside-Ring-Limit: proof\r\n\r\n`)), false);
  t.equal(watch.admit(seen(`${cancel}X-Ringside-Ring-Limit: another\r\n\r\n`)), true, 'nobody can hide one');
  t.end();
});

const isThere = findProgram('drachtio') !== undefined && !isDrachtio;
const LONG = { timeout: 60_000 };

t.test('it is said with the line to add', { skip: !isThere, ...LONG }, async (t) => {
  const server = await startDrachtio(t, { mirrorPort: 0 });
  const port = await freePort();
  const folder = t.testdir({
    'ringside.yaml': `tenants: [{ domains: [acme.example.com], extensions: ["101", "102"] }]
hep: { listen: ["udp:127.0.0.1:${port}"] }
sip: { engine: drachtio, drachtio: { servers: [{ address: "tcp:127.0.0.1:${server.adminPort}", secret: "${SECRET}" }] } }`,
  });
  const ringside = new Ringside(t, ['run', '--config', join(folder, 'ringside.yaml')]);
  await ringside.waitFor(/Ctrl-C/);
  const phone = await keep(t, openUdpPhone());
  await phone.send(makeRequest(phone, { to: 'sip:102@acme.example.com' }), server.udp);
  await phone.next(407);
  const [line = ''] = await ringside.waitFor(/.*mirrors nothing to us.*/);
  const { server: name, line: toAdd } = JSON.parse(line) as { server: string; line: string };
  t.equal(name, `tcp:127.0.0.1:${server.adminPort}`);
  t.equal(toAdd, `<capture-server port="${port}" hep-version="3" id="101">127.0.0.1</capture-server>`);
});
