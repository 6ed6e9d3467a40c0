import t from 'tap';
import { parseBodyParts } from '../../src/sip/multipart.ts';
import { SipParseError } from '../../src/sip/parse-error.ts';

const read = (type: string, body: string): [Record<string, string>, string][] =>
  parseBodyParts(type, Buffer.from(body)).map(({ headers, content }) => [
    Object.fromEntries(headers),
    Buffer.from(content).toString(),
  ]);

t.test('parts of a body', (t) => {
  const body = [
    'preamble',
    '--b1',
    'Content-Type: application/sdp',
    '',
    'v=0',
    'o=--b1',
    '--b1',
    'content-type: application/isup;',
    ' version=x',
    '',
    '\x01\x02',
    '--b1--',
    'epilogue',
  ].join('\r\n');
  t.strictSame(read('multipart/mixed; boundary="b1"', body), [
    [{ 'content-type': 'application/sdp' }, 'v=0\r\no=--b1'],
    [{ 'content-type': 'application/isup; version=x' }, '\x01\x02'],
  ]);
  t.strictSame(read('application/sdp', 'v=0'), [[{ 'content-type': 'application/sdp' }, 'v=0']]);
  t.strictSame(read('multipart/mixed;boundary=b', '--b\n\nno headers'), [[{}, 'no headers']], 'not closed, LF only');
  t.throws(() => read('multipart/mixed', '--b'), SipParseError, 'no boundary told');
  t.throws(() => read('multipart/mixed;boundary=c', '--b'), SipParseError, 'boundary not there');
  t.throws(() => read('multipart/mixed;boundary=b', '--b\r\n\r\n\r\n'.repeat(65)), SipParseError, 'too many parts');
  t.end();
});
