import t from 'tap';
import { type FramerLimits, StreamFramer } from '../../src/sip/stream-framer.ts';

const message = (name: string, body = '', header = `Content-Length: ${body.length}`): string =>
  `MESSAGE sip:${name}@b SIP/2.0\r\nCall-ID: ${name}\r\n${header}\r\n\r\n${body}`;

function frame(stream: string, size = stream.length || 1, limits?: FramerLimits) {
  const messages: string[] = [];
  const framer = new StreamFramer((bytes) => messages.push(bytes.toString()), limits);
  const bytes = Buffer.from(stream);
  for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size));
  return { messages, framer };
}

const A = message('a');
const B = message('b', 'body: INVITE sip:x@y SIP/2.0\r\n\r\n');

const ROWS: [title: string, stream: string, messages: string[]][] = [
  ['one message', A, [A]],
  ['several at once', A + B + A, [A, B, A]],
  ['keep-alives between', `\r\n\r\n${A}\r\n${B}\r\n\r\n`, [A, B]],
  ['compact Content-Length in any case, folded', message('c', 'xyz', 'L :\r\n 3'), [message('c', 'xyz', 'L :\r\n 3')]],
  ['no Content-Length: no body', message('d', '', 'X: y') + A, [message('d', '', 'X: y'), A]],
  ['LF only', A.replaceAll('\r\n', '\n') + B, [A.replaceAll('\r\n', '\n'), B]],
  ['garbage before', `half a message\r\nVia: x\r\n\r\n${A}${B}`, [A, B]],
  [
    'garbage between',
    `${A}\x16\x03\x01 no SIP at all, and a good deal of it, more than a start line takes\r\n${B}`,
    [A, B],
  ],
  [
    'Content-Length that is no number',
    message('e', '', 'Content-Length: x') + A,
    [message('e', '', 'Content-Length: x'), A],
  ],
  ['cut at the end', A + B.slice(0, -5), [A]],
];

t.test('messages on a stream, in pieces of any size', (t) => {
  for (const [title, stream, messages] of ROWS) {
    for (const size of [1, 2, 7, 64, stream.length])
      t.strictSame(frame(stream, size).messages, messages, `${title}, by ${size}`);
  }
  t.equal(frame(`\r\n\r\n${A}`).framer.pings, 1);
  t.equal(frame(`\r\n${A}`).framer.pings, 0);
  t.end();
});

t.test('limits', (t) => {
  const limits = { maxHeaderBytes: 200, maxBodyBytes: 50 };
  const big = message('big', 'x'.repeat(51));
  for (const size of [1, 10, 1000]) {
    const { messages, framer } = frame(A + big + B, size, limits);
    t.strictSame(messages, [A, B], 'the neighbours of a large body are read');
    t.strictSame([framer.oversized, framer.skippedBytes], [1, big.length]);
    const long = frame(`${A}${message('h', '', `X: ${'y'.repeat(300)}`)}${B}`, size, limits);
    t.strictSame(long.messages, [A, B], 'and those of a large header section');
    t.equal(long.framer.oversized, 1);
  }
  t.end();
});

t.test('a gap', (t) => {
  const { messages, framer } = frame(B.slice(0, 40));
  framer.resync();
  framer.push(Buffer.from(A));
  t.strictSame(messages, [A]);
  t.equal(framer.skippedBytes, 40);
  t.end();
});
