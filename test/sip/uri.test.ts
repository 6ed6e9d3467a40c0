import t from 'tap';
import { SipParseError } from '../../src/sip/parse-error.ts';
import { parseUri, userNumber } from '../../src/sip/uri.ts';
import { parseVia } from '../../src/sip/via.ts';
import { parseReason } from '../../src/sip/reason.ts';

t.test('URIs', (t) => {
  const rows: [
    text: string,
    user: string,
    host: string,
    port: number | undefined,
    parameters: Record<string, string>,
  ][] = [
    ['sip:102@127.0.60.10', '102', '127.0.60.10', undefined, {}],
    ['SIPS:Bob:secret@Example.COM:5061;transport=TLS;lr', 'Bob', 'example.com', 5061, { transport: 'TLS', lr: '' }],
    ['sip:example.com', '', 'example.com', undefined, {}],
    ['sip:0003*101@acme.example.com', '0003*101', 'acme.example.com', undefined, {}],
    ['sip:%30003%2A101@acme.example.com', '0003*101', 'acme.example.com', undefined, {}],
    ['sip:[2001:db8::10]:5070', '', '2001:db8::10', 5070, {}],
    ['sip:a@[2001:DB8::10];x', 'a', '2001:db8::10', undefined, { x: '' }],
    ['sip:9876@fe80:0:0::32E0', '9876', 'fe80:0:0::32e0', undefined, {}],
    ['sip:user;par=u%40example.net@example.com', 'user;par=u@example.net', 'example.com', undefined, {}],
    ['sip:a@b:5060;ob?Replaces=c%40d', 'a', 'b', 5060, { ob: '' }],
    ['sip:a@b:', 'a', 'b', undefined, {}],
    ['tel:+1-(555)-123.0001;phone-context=x', '+15551230001', '', undefined, { 'phone-context': 'x' }],
    ['urn:service:sos', '', '', undefined, {}],
  ];
  for (const [text, user, host, port, parameters] of rows) {
    const uri = parseUri(text);
    t.strictSame(
      [uri.user, uri.host, uri.port, Object.fromEntries(uri.parameters)],
      [user, host, port, parameters],
      text,
    );
  }
  t.equal(parseUri('sip:a@b:5060;ob?Replaces=c%40d').headers, 'Replaces=c%40d');
  t.equal(userNumber(parseUri('sip:+1555;phone-context=x@b')), '+1555');
  for (const bad of [
    '',
    '102',
    'sip:',
    'sip:a@',
    'sip:a@b:x',
    'sip:a@b:99999',
    'sip:a@b c',
    'sip:a@[::1',
    'sip:a@[::1]x',
  ]) {
    t.throws(() => parseUri(bad), SipParseError, `"${bad}" is refused`);
  }
  t.end();
});

t.test('Via', (t) => {
  const via = parseVia('SIP / 2.0 / udp first.Example.com : 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1');
  t.strictSame([via.transport, via.host, via.port], ['UDP', 'first.example.com', 4000]);
  t.strictSame(Object.fromEntries(via.parameters), { ttl: '16', maddr: '224.2.0.1', branch: 'z9hG4bKa7c6a8dlze.1' });
  t.equal(parseVia('SIP/2.0/TLS [2001:db8::1];rport').host, '2001:db8::1');
  t.throws(() => parseVia('SIP/3.0/UDP a'), SipParseError);
  t.end();
});

t.test('Reason', (t) => {
  t.strictSame(parseReason('Q.850 ;cause=17 ;text="User busy";location=U'), {
    protocol: 'Q.850',
    cause: 17,
    text: 'User busy',
    location: 'U',
  });
  t.strictSame(parseReason('SIP;text="x;cause=5"'), { protocol: 'SIP', cause: -1, text: 'x;cause=5', location: '' });
  t.end();
});
