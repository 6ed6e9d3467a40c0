import { parse } from 'node:querystring';
import fc from 'fast-check';
import t from 'tap';
import { EXTRA_NAMES, type ExtraName } from '../../src/calls/event.ts';
import { formatRequest } from '../../src/deliveries/request.ts';
import { makeEvent, makeRule, PARAMS, PARAMS_FORM, PLAIN_STYLE, T0 } from './harness.ts';

const HOST = 'http://crm.example.com';

t.test('GET: the ten parameters are appended to the query, which stays', (t) => {
  const table: [url: string, expected: string][] = [
    ['/hook', `/hook?${PARAMS_FORM}`],
    ['', `?${PARAMS_FORM}`],
    ['/', `/?${PARAMS_FORM}`],
    ['/hook?src=pbx', `/hook?src=pbx&${PARAMS_FORM}`],
    ['/hook?src=pbx&a=%20b+c', `/hook?src=pbx&a=%20b+c&${PARAMS_FORM}`],
    ['/hook?', `/hook?${PARAMS_FORM}`],
    ['/hook?src=pbx&', `/hook?src=pbx&${PARAMS_FORM}`],
    ['/hook#top', `/hook?${PARAMS_FORM}`],
    ['/hook?src=pbx#a?b&c', `/hook?src=pbx&${PARAMS_FORM}`],
    ['/hook#a?b', `/hook?${PARAMS_FORM}`],
    ['/hook?back=/x?y', `/hook?back=/x?y&${PARAMS_FORM}`],
  ];
  for (const [url, expected] of table) {
    const request = formatRequest(makeEvent(), makeRule({ url: HOST + url }));
    const whole = { method: 'GET', url: HOST + expected, contentType: undefined, body: undefined };
    t.strictSame(request, whole, url || 'no path');
  }
  t.end();
});

t.test('POST: the query stays on the URL, the parameters are the body', (t) => {
  const rule = makeRule({ method: 'POST', url: `${HOST}/hook?src=pbx#top` });
  t.strictSame(formatRequest(makeEvent(), rule), {
    method: 'POST',
    url: `${HOST}/hook?src=pbx`,
    contentType: 'application/x-www-form-urlencoded',
    body: PARAMS_FORM,
  });
  t.end();
});

t.test('POST as JSON: the ten parameters, then the extras, numbers as numbers', (t) => {
  const rule = makeRule({ method: 'POST', body: 'json', url: `${HOST}/hook?src=pbx`, extras: ['Sequence', 'Detail'] });
  const CallerIDName = 'Zoë "Z" \u2028\r\n\0';
  const request = formatRequest(makeEvent({ params: { CallerIDName }, extras: { Sequence: 7 } }), rule);
  t.equal(request.url, `${HOST}/hook?src=pbx`);
  t.equal(request.contentType, 'application/json');
  const body = JSON.parse(request.body!) as object;
  t.strictSame(body, { ...PARAMS, CallerIDName, Sequence: 7, Detail: '' });
  t.strictSame(Object.keys(body), [...Object.keys(PARAMS), 'Sequence', 'Detail'], 'in their order');
  t.end();
});

t.test('a GET has no body, whatever the rule says of it', (t) => {
  const request = formatRequest(makeEvent(), makeRule({ body: 'json', url: `${HOST}/` }));
  t.strictSame(request, {
    method: 'GET',
    url: `${HOST}/?${PARAMS_FORM}`,
    contentType: undefined,
    body: undefined,
  });
  t.end();
});

t.test('every value that is not plain is percent-encoded as UTF-8', (t) => {
  const table: [value: string, encoded: string][] = [
    ['AZaz09-._~', 'AZaz09-._~'],
    ['a b', 'a%20b'],
    ['+4930', '%2B4930'],
    ['0003*101', '0003%2A101'],
    ['a&b=c?d#e/f', 'a%26b%3Dc%3Fd%23e%2Ff'],
    [`'"()!`, '%27%22%28%29%21'],
    ['100%', '100%25'],
    ['a;b,c:d@e$[f]', 'a%3Bb%2Cc%3Ad%40e%24%5Bf%5D'],
    ['Zoë', 'Zo%C3%AB'],
    ['日本 📞', '%E6%97%A5%E6%9C%AC%20%F0%9F%93%9E'],
    ['\r\nX-Injected: 1', '%0D%0AX-Injected%3A%201'],
    ['\0\t\x7f\x85', '%00%09%7F%C2%85'],
    ['half \ud83d', 'half%20%EF%BF%BD'],
    ['', ''],
  ];
  for (const [CallerIDName, encoded] of table) {
    const { url } = formatRequest(makeEvent({ params: { CallerIDName } }), makeRule());
    t.equal(/&CallerIDName=([^&]*)&CalledDID=/.exec(url)?.[1], encoded, JSON.stringify(CallerIDName));
  }
  t.end();
});

/** Reads a form as PHP does: `+` is a space, then %XX are bytes. Knows nothing of how it was written. */
const decodeForm = (form: string): string[][] =>
  form.split('&').map((pair) =>
    pair.split('=').map((part) => {
      const bytes: number[] = [];
      for (let i = 0; i < part.length; i++) {
        if (part[i] !== '%') {
          bytes.push(part[i] === '+' ? 0x20 : part.charCodeAt(i));
          continue;
        }
        bytes.push(parseInt(part.slice(i + 1, i + 3), 16));
        i += 2;
      }
      return Buffer.from(bytes).toString('utf8');
    }),
  );

t.test('whatever a value is, form decoders and URI decoders read it alike', (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: fc.constantFrom('+', '*', '%', '&', '=', ' ', "'", '\ud83d'), maxLength: 10 }),
  );
  const rule = makeRule({ method: 'POST' });
  fc.assert(
    fc.property(text, text, (CallerIDName, CallID) => {
      const body = formatRequest(makeEvent({ params: { CallerIDName, CallID } }), rule).body!;
      const sent = { CallID: CallID.toWellFormed(), CallerIDName: CallerIDName.toWellFormed() };
      const expected = JSON.stringify(Object.entries({ ...PARAMS, ...sent }));
      const asUri = body.split('&').map((pair) => pair.split('=').map(decodeURIComponent));
      const read = [decodeForm(body), asUri, [...new URLSearchParams(body)], Object.entries(parse(body))];
      return /^[\w\-.~%=&]*$/.test(body) && read.every((pairs) => JSON.stringify(pairs) === expected);
    }),
    { numRuns: 300 },
  );
  t.pass('300 of them');
  t.end();
});

t.test('extras come after the ten, in their own order, once, empty where unknown', (t) => {
  const extras: ExtraName[] = ['Detail', 'EventID', 'DurationMs', 'SipReason', 'EventID'];
  const event = makeEvent({ event: 'hangup', extras: { DurationMs: 0, Detail: 'ring_timeout' } });
  const { url } = formatRequest(event, makeRule({ extras, url: HOST }));
  const id = 'abcdefghij0123456789';
  t.equal(
    url.slice(url.indexOf('&CallAPIID')),
    `&CallAPIID=${id}&EventID=${id}-1-hangup&DurationMs=0&SipReason=&Detail=ring_timeout`,
  );
  const all = formatRequest(makeEvent(), makeRule({ extras: [...EXTRA_NAMES].reverse(), url: HOST })).url;
  t.strictSame([...new URL(all).searchParams.keys()], [...Object.keys(PARAMS), ...EXTRA_NAMES]);
  t.end();
});

t.test('no extra is sent that was not asked for', (t) => {
  const { url } = formatRequest(makeEvent({ extras: { Sequence: 1 } }), makeRule({ url: HOST }));
  t.strictSame([...new URL(url).searchParams.keys()], Object.keys(PARAMS));
  t.end();
});

t.test('styles of receivers made for variants', (t) => {
  const read = (style: object, more: Parameters<typeof makeEvent>[0] = {}): URLSearchParams =>
    new URL(formatRequest(makeEvent(more), makeRule({ url: HOST, style: { ...PLAIN_STYLE, ...style } })).url)
      .searchParams;
  t.equal(read({ callFlow: 'lower' }).get('CallFlow'), 'in');
  t.equal(read({ callFlow: 'lower' }, { params: { CallFlow: 'OUT' } }).get('CallFlow'), 'out');

  const hangup = (CallStatus: 'ANSWER' | 'BUSY') => ({ event: 'hangup' as const, params: { CallStatus } });
  t.equal(read({ answeredHangup: 'HANGUP' }, hangup('ANSWER')).get('CallStatus'), 'HANGUP');
  t.equal(read({ answeredHangup: 'HANGUP' }, hangup('BUSY')).get('CallStatus'), 'BUSY');
  t.equal(read({}, hangup('ANSWER')).get('CallStatus'), 'ANSWER');
  const answer = { event: 'answer-in' as const, params: { CallStatus: 'ANSWER' as const } };
  t.equal(read({ answeredHangup: 'HANGUP' }, answer).get('CallStatus'), 'ANSWER', 'an Answer is no Hangup');

  t.strictSame(
    [...read({ omitEmpty: true }, { params: { CalledDID: '' } }).keys()],
    ['CallID', 'CallerIDNum', 'CallerIDName', 'CalledExtension', 'CallStatus', 'CallFlow', 'CalledNumber', 'CallAPIID'],
  );
  t.end();
});

t.test('empty parameters are left out of JSON, too; a zero is not empty', (t) => {
  const style = { ...PLAIN_STYLE, omitEmpty: true };
  const rule = makeRule({ method: 'POST', body: 'json', extras: ['DurationMs', 'Detail'], style });
  const body = JSON.parse(formatRequest(makeEvent({ extras: { DurationMs: 0 } }), rule).body!) as object;
  const filled = Object.entries(PARAMS).filter(([name]) => name !== 'CallerExtension');
  t.strictSame(body, { ...Object.fromEntries(filled), DurationMs: 0 });
  t.end();
});

t.test('CallID as epoch: the second of the Dial, the same in all events of the party, another for another', (t) => {
  const rule = makeRule({ url: HOST, style: { ...PLAIN_STYLE, callId: 'epoch' } });
  const idOf = (more: Parameters<typeof makeEvent>[0]) =>
    new URL(formatRequest(makeEvent(more), rule).url).searchParams.get('CallID');
  const ids = (['dial-in', 'answer-in', 'hangup'] as const).map((event) => idOf({ event }));
  t.match(ids[0], new RegExp(`^${T0 / 1000 + 1}\\.\\d{1,8}$`));
  t.strictSame(new Set(ids).size, 1);
  t.not(idOf({ params: { CallID: 'other@pc33.example.com' } }), ids[0]);
  t.end();
});

t.test('each rule gets what it asked for', (t) => {
  const event = makeEvent();
  const [a, b] = [makeRule({ url: `${HOST}/a` }), makeRule({ url: `${HOST}/b?c=d`, extras: ['EventType'] })];
  for (let round = 0; round < 2; round++) {
    t.equal(formatRequest(event, a).url, `${HOST}/a?${PARAMS_FORM}`);
    t.equal(formatRequest(event, b).url, `${HOST}/b?c=d&${PARAMS_FORM}&EventType=dial-in`);
  }
  t.end();
});
