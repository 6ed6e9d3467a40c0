import t from 'tap';
import { changeOf, draftOf, emptyDraft, newRuleOf, problemAt } from '../../src/web/call-events/rule-draft.ts';
import { fits, makeFilter, readDeliveryQuery } from '../../src/web/deliveries/delivery-query.ts';
import { highest, latest, stackValues, weighedMean } from '../../src/web/overview/series.ts';
import { makeDelivery, makeRules } from './fake/fixtures.ts';

const NOW = 1_800_000_000_000;
const [rule] = makeRules(NOW);

t.test('a new rule as the API takes it', (t) => {
  const draft = { ...emptyDraft('0003*101'), url: ' https://a.example/x ', headers: 'X-A: 1:2\n\nX-B:', auth: 'basic' };
  const sent = newRuleOf({ ...draft, auth: 'basic', user: 'me', password: 'p w', extensions: '0003*101, 0003*1??;*' });
  t.strictSame(sent, {
    extensions: ['0003*101', '0003*1??', '*'],
    events: ['dial-in', 'hangup'],
    method: 'POST',
    url: 'https://a.example/x',
    note: '',
    enabled: true,
    body: 'form',
    extras: [],
    callFlow: 'upper',
    callId: 'sip',
    answeredHangup: 'ANSWER',
    omitEmpty: false,
    headers: { 'X-A': '1:2', 'X-B': '' },
    auth: { basic: { user: 'me', password: 'p w' } },
  });
  t.end();
});

t.test('a change says only what differs, and nothing of secrets that stay', (t) => {
  const before = draftOf(rule!);
  t.strictSame(changeOf(before, before), {});
  t.strictSame(changeOf({ ...before, note: 'n', events: ['hangup'] }, before), { note: 'n', events: ['hangup'] });
  t.strictSame(changeOf({ ...before, auth: 'none' }, before), { auth: null });
  t.strictSame(changeOf({ ...before, auth: 'bearer', token: 'x', secret: ' whsec_1 ' }, before), {
    auth: { bearer: 'x' },
    secret: 'whsec_1',
  });
  t.strictSame(changeOf({ ...before, dropHeaders: true, dropSecret: true }, before), { headers: {}, secret: null });
  t.end();
});

t.test('what is wrong with which field', (t) => {
  const problems = [
    { path: 'extensions[1]', text: 'a' },
    { path: 'auth.bearer', text: 'b' },
    { path: 'url', text: 'c' },
  ];
  const told = ['extensions', 'auth', 'url', 'events', 'urls'].map((field) => problemAt(problems, field));
  t.strictSame(told, ['a', 'b', 'c', undefined, undefined]);
  t.end();
});

t.test('filters of deliveries in the address', (t) => {
  const query = (text: string) => makeFilter(readDeliveryQuery(new URLSearchParams(text)), NOW);
  t.strictSame(query(''), {});
  t.strictSame(query('state=dead&extension=0003*101&rule=r1&call=c1&event=hangup&url=crm&status=0&last=1h'), {
    state: 'dead',
    extension: '0003*101',
    rule: 'r1',
    call: 'c1',
    event: 'hangup',
    url: 'crm',
    status: 0,
    from: new Date(NOW - 3_600_000).toISOString(),
  });
  t.strictSame(query('state=x&event=abc&status=2xx&last=constructor&other=1'), {}, 'what is not known is left out');
  t.end();
});

t.test('whether a delivery fits', (t) => {
  const delivery = { ...makeDelivery(7, NOW, makeRules(NOW)), state: 'dead' as const };
  t.ok(fits(delivery, {}));
  t.ok(fits(delivery, { status: delivery.status! }));
  t.ok(fits(delivery, { state: 'dead', event: delivery.event, url: 'TP', rule: delivery.rule, call: delivery.call }));
  for (const other of [
    { state: 'stale' as const },
    { status: 599 },
    { url: 'x.invalid' },
    { rule: 'x' },
    { call: 'x' },
    { extension: 'x' },
  ]) {
    t.notOk(fits(delivery, other), JSON.stringify(other));
  }
  t.end();
});

t.test('values of charts', (t) => {
  t.strictSame(
    stackValues([
      [1, null, 3],
      [10, 20, null],
    ]),
    [
      [1, 0, 3],
      [11, 20, 3],
    ],
  );
  t.strictSame([latest([1, 2, null]), latest([null])], [2, null]);
  t.strictSame([highest([1, 5, null, 2]), highest([])], [5, null]);
  t.strictSame([weighedMean([10, null, 40], [1, 5, 2]), weighedMean([10], [0])], [30, null]);
  t.end();
});
