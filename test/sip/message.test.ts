import t from 'tap';
import { SipMessage } from '../../src/sip/message.ts';
import { SipParseError } from '../../src/sip/parse-error.ts';

const lines = (...rows: string[]): Buffer => Buffer.from([...rows, '', ''].join('\r\n'));

const request = (...headers: string[]): SipMessage => SipMessage.parse(lines('OPTIONS sip:a@b SIP/2.0', ...headers));

t.test('start lines', (t) => {
  const rows: [line: string, isRequest: boolean, name: string, target: string][] = [
    ['INVITE sip:102@pbx SIP/2.0', true, 'INVITE', 'sip:102@pbx'],
    ['INVITE  sip:102@pbx   SIP/2.0  ', true, 'INVITE', 'sip:102@pbx'],
    ['FOO tel:+15551230001 sip/2.0', true, 'FOO', 'tel:+15551230001'],
    ['SIP/2.0 486 Busy Here', false, '486', 'Busy Here'],
    ['SIP/2.0 200', false, '200', ''],
    ['SIP/2.0 200 ', false, '200', ''],
    ['SIP/2.0 480 Téléphone éteint', false, '480', 'Téléphone éteint'],
  ];
  for (const [line, isRequest, name, target] of rows) {
    const message = SipMessage.parse(lines(line));
    t.equal(message.isRequest, isRequest, line);
    t.equal(isRequest ? message.method : String(message.statusCode), name, line);
    t.equal(isRequest ? message.requestUri : message.reasonPhrase, target, line);
  }
  t.end();
});

t.test('what is no SIP message is refused, with the place', (t) => {
  const rows: [text: string, error: string][] = [
    ['', 'method and space expected at offset 0'],
    ['\r\n\r\n', 'method and space expected at offset 4'],
    ['GET / HTTP/1.1\r\n\r\n', 'version SIP/2.0 expected at offset 6'],
    ['INVITE sip:a@b SIP/3.0\r\n\r\n', 'version SIP/2.0 expected at offset 15'],
    ['INVITE sip:a@b\r\n\r\n', 'Request-URI and version expected at offset 7'],
    ['INVITE <sip:a@b> SIP/2.0\r\n\r\n', 'Request-URI with a scheme expected at offset 7'],
    ['SIP/2.0 99 Low\r\n\r\n', 'status code of 100 to 699 expected at offset 8'],
    ['SIP/2.0 4040 High\r\n\r\n', 'status code of 100 to 699 expected at offset 8'],
    ['SIP/2.0 200OK\r\n\r\n', 'space expected behind the status code at offset 11'],
    ['BYE sip:a@b SIP/2.0\r\nCSeq: x BYE\r\n\r\n', 'CSeq number below 2^32 expected at offset 27'],
    ['BYE sip:a@b SIP/2.0\r\nCSeq: 1 ACK\r\n\r\n', 'CSeq method ACK in a BYE request at offset 29'],
    [`BYE sip:a@b SIP/2.0\r\n${'a:b\r\n'.repeat(1001)}\r\n`, 'more than 1000 header fields at offset 5021'],
  ];
  for (const [text, message] of rows) {
    t.throws(
      () => SipMessage.parse(Buffer.from(text)),
      new SipParseError(message.replace(/ at offset.*/, ''), Number(/\d+$/.exec(message)![0])),
    );
  }
  t.end();
});

t.test('header fields', (t) => {
  const rows: [title: string, header: string, read: (message: SipMessage) => unknown, value: unknown][] = [
    ['compact form', 'i: abc@host', (m) => m.callId, 'abc@host'],
    ['any case', 'CALL-id: abc', (m) => m.callId, 'abc'],
    ['blanks before the colon', 'Call-ID \t : abc ', (m) => m.callId, 'abc'],
    ['folded', 'Subject: one\r\n two\r\n\tthree', (m) => m.text('Subject'), 'one two three'],
    ['folded before the value', 'Call-ID:\r\n abc', (m) => m.callId, 'abc'],
    ['UTF-8', 'Subject: Grüße ☎', (m) => m.text('Subject'), 'Grüße ☎'],
    ['tag', 'From: "A;tag=x" <sip:a@b;tag=y>;Tag = z ', (m) => m.fromTag, 'z'],
    ['tag of an addr-spec', 'To: sip:a@b;tag=z', (m) => m.toTag, 'z'],
    ['tag on a folded line', 'To: sip:a@b\r\n ;\r\n tag = z', (m) => m.toTag, 'z'],
    ['no tag', 'To: "tag=q" <sip:a@b>', (m) => m.toTag, ''],
    ['escaped quote', 'From: "A \\" ;tag=x" <sip:a@b>;tag=z', (m) => m.fromTag, 'z'],
    ['branch of the first Via only', 'Via: SIP/2.0/UDP a, SIP/2.0/UDP b;branch=z9hG4bKb', (m) => m.branch, ''],
    ['branch', 'v: SIP / 2.0 / UDP a;x="b,c" ; branch=z9hG4bKa;y', (m) => m.branch, 'z9hG4bKa'],
    [
      'comma list',
      'Contact: <sip:a@b,c>, "d, e" <sip:f@g>',
      (m) => m.values('Contact'),
      ['<sip:a@b,c>', '"d, e" <sip:f@g>'],
    ],
    [
      'several fields',
      'Route: <sip:a>, <sip:b>\r\nX: y\r\nRoute: <sip:c>',
      (m) => m.values('Route'),
      ['<sip:a>', '<sip:b>', '<sip:c>'],
    ],
    ['extension header', 'X-Test-It:  yes ', (m) => m.custom('x-test-IT'), 'yes'],
    ['no such header', 'X: y', (m) => m.custom('X-Y'), undefined],
    ['a line that is none', 'nonsense\r\nCall-ID: abc', (m) => [m.callId, m.fields.damagedLines], ['abc', 1]],
    ['CSeq', 'CSeq:  0009   OPTIONS', (m) => m.cseq, 9],
  ];
  for (const [title, header, read, value] of rows) t.strictSame(read(request(header)), value, title);
  t.end();
});

t.test('addresses', (t) => {
  const rows: [text: string, name: string, uri: string, parameters: Record<string, string>][] = [
    ['sip:101@pbx;tag=1', '', 'sip:101@pbx', { tag: '1' }],
    ['<sip:101@pbx;user=phone>;tag=1', '', 'sip:101@pbx;user=phone', { tag: '1' }],
    ['Anna Maria <sip:101@pbx>', 'Anna Maria', 'sip:101@pbx', {}],
    ['"M\\"x; <y>" <sip:101@pbx>;a;b="c;d"', 'M"x; <y>', 'sip:101@pbx', { a: '', b: 'c;d' }],
    ['caller<sip:caller@example.com>', 'caller', 'sip:caller@example.com', {}],
  ];
  for (const [text, name, uri, parameters] of rows) {
    const from = request(`From: ${text}`).from!;
    t.strictSame([from.displayName, from.uri, Object.fromEntries(from.parameters)], [name, uri, parameters], text);
  }
  t.throws(() => request('From: "A" <sip:a@b').from, SipParseError);
  t.throws(() => request('From: "A" sip:a@b').from, SipParseError);
  t.end();
});

t.test('bodies', (t) => {
  const rows: [header: string, body: string, read: string, truncated: boolean][] = [
    ['Content-Length: 3', 'abcdef', 'abc', false],
    ['l: 0', 'abc', '', false],
    ['X: y', 'abc', 'abc', false],
    ['Content-Length: 9', 'abc', 'abc', true],
    ['Content-Length: -3', 'abc', 'abc', false],
    ['Content-Length: 99999999999999999999', 'abc', 'abc', true],
  ];
  for (const [header, body, read, truncated] of rows) {
    const message = SipMessage.parse(Buffer.from(`OPTIONS sip:a@b SIP/2.0\r\n${header}\r\n\r\n${body}`));
    t.strictSame([Buffer.from(message.body).toString(), message.truncated], [read, truncated], header);
  }
  t.end();
});

t.test('lines that end in LF alone', (t) => {
  const message = SipMessage.parse(Buffer.from('\n\nSIP/2.0 180 Ringing\ni: abc\nCSeq: 2 INVITE\n\nbody'));
  t.strictSame([message.statusCode, message.callId, message.cseq, message.method], [180, 'abc', 2, 'INVITE']);
  t.equal(Buffer.from(message.body).toString(), 'body');
  t.end();
});

t.test('one object reads many messages', (t) => {
  const message = new SipMessage();
  message.read(lines('OPTIONS sip:a@b SIP/2.0', 'Call-ID: one', 'Subject: s', 'CSeq: 1 OPTIONS'));
  message.read(lines('SIP/2.0 200 OK', 'Call-ID: two'));
  t.strictSame([message.callId, message.has('Subject'), message.cseq, message.method], ['two', false, -1, '']);
  t.end();
});
