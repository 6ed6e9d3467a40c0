import fc from 'fast-check';
import t from 'tap';
import { SipMessage } from '../../src/sip/message.ts';
import { parseBodyParts } from '../../src/sip/multipart.ts';
import { SipParseError } from '../../src/sip/parse-error.ts';
import { parseReason } from '../../src/sip/reason.ts';
import { parseUri } from '../../src/sip/uri.ts';
import { parseVia } from '../../src/sip/via.ts';

const SEED = Buffer.from(
  [
    'INVITE sip:102@127.0.60.10;x="y?z" SIP/2.0',
    'Via: SIP/2.0/UDP [2001:db8::1]:5060;rport;branch=z9hG4bKPj1, SIP/2.0/TCP b;branch=2',
    'From: "A \\" <B>" <sip:101@127.0.60.10>;tag=061c',
    'To: <sip:102@127.0.60.10>',
    'i: 33588303@host',
    'CSeq: 25044 INVITE',
    'Contact: <sip:101@127.0.60.101:5060;ob>, *',
    'Reason: Q.850;cause=17;text="x"',
    'Subject: folded',
    ' line',
    'Content-Type: multipart/mixed;boundary=b',
    'Content-Length: 12',
    '',
    '--b\r\n\r\nx\r\n--b--',
  ].join('\r\n'),
);

/** Everything a user of the message may ask for. */
function readAll(bytes: Uint8Array): void {
  const message = SipMessage.parse(bytes);
  const reads: (() => unknown)[] = [
    () => [message.callId, message.fromTag, message.toTag, message.branch, message.reasonPhrase, message.body],
    () => message.from,
    () => message.to,
    () => parseUri(message.requestUri),
    () => message.values('Via').map(parseVia),
    () => message.values('Reason').map(parseReason),
    () => message.values('Contact'),
    () => message.address('Contact'),
    () => message.custom('X-Any'),
    () => parseBodyParts(message.text('Content-Type') ?? '', message.body),
  ];
  for (const read of reads) allowParseError(read);
}

function allowParseError(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
  }
}

const mutation = fc.array(
  fc.record({ at: fc.nat(SEED.length - 1), byte: fc.nat(255), how: fc.constantFrom('set', 'cut', 'insert', 'repeat') }),
  { minLength: 1, maxLength: 8 },
);

function mutate(steps: readonly { at: number; byte: number; how: string }[]): Buffer {
  let bytes = Buffer.from(SEED);
  for (const { at, byte, how } of steps) {
    const place = Math.min(at, bytes.length);
    if (how === 'set' && place < bytes.length) bytes[place] = byte;
    else if (how === 'cut') bytes = bytes.subarray(0, place);
    else if (how === 'insert')
      bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place)]);
    else bytes = Buffer.concat([bytes, bytes.subarray(place)]);
  }
  return bytes;
}

t.test('any bytes are read or refused with SipParseError', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => allowParseError(() => readAll(bytes))),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(mutation, (steps) => allowParseError(() => readAll(mutate(steps)))),
    { numRuns: 10_000 },
  );
  t.pass('no other exception');
  t.end();
});

t.test('long hostile values take linear time', (t) => {
  const hostile = [
    '<'.repeat(60_000),
    '"'.repeat(60_000),
    ';tag'.repeat(15_000),
    ','.repeat(60_000),
    '\\"<'.repeat(20_000),
    '%41'.repeat(20_000),
  ];
  for (const value of hostile) {
    const bytes = Buffer.from(
      `OPTIONS sip:a@b SIP/2.0\r\nFrom: ${value}\r\nTo: "${value}\r\nVia: ${value}\r\nContact: ${value}\r\nReason: ${value}\r\n\r\n`,
    );
    const before = process.cpuUsage();
    allowParseError(() => readAll(bytes));
    const { user } = process.cpuUsage(before);
    t.ok(user < 2_000_000, `"${value.slice(0, 4)}…" read in ${user} µs`);
  }
  t.end();
});
