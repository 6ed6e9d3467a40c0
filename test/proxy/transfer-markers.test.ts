import t from 'tap';
import { keep, openUdpPhone } from './phones.ts';
import {
  calledDialog,
  callerDialog,
  makeInDialog,
  makeRequest,
  makeResponse,
  unique,
} from './support/wire-builders.ts';
import { bind, openStage, type Stage } from './stage.ts';
import type { Endpoint } from './support/relay.ts';
import type { Received, WirePhone } from './support/wire-phone.ts';

// What our proxy adds so that a leg is known again: a header towards the PBX, a parameter in the target of a REFER to a phone.

/** `call extension event status, correlation`, with the calls as letters; once the calls are over. */
function told({ events }: Stage): string[] {
  const all = events();
  const ids = [...new Set(all.map(({ params }) => params.CallAPIID))];
  return all
    .map(({ extension, event, params, extras: { Correlation: how, TransferredBy: by } }) =>
      [
        'ABCD'[ids.indexOf(params.CallAPIID)],
        extension.slice(-3),
        event,
        ...(event === 'hangup' ? [params.CallStatus] : []),
        ...(how === undefined ? [] : [`(${how})`]),
        ...(by === undefined ? [] : [`by ${String(by).slice(-3)}`]),
      ].join(' '),
    )
    .toSorted();
}

const uri = (user: string): string => `sip:${user}@acme.example.com`;

/** The phone answers whatever comes next with that method. */
async function accept(phone: WirePhone, method: string, udp: Endpoint, code = 200, user = 'x'): Promise<Received> {
  const request = await phone.next(method);
  await phone.send(makeResponse(request, code, { contact: `<sip:${user}@${phone.at}>` }), udp);
  return request;
}

t.test('a REFER to a phone is marked, and the INVITE it causes is known by that and passed on without', async (t) => {
  const [one, two, three] = [
    await keep(t, openUdpPhone()),
    await keep(t, openUdpPhone()),
    await keep(t, openUdpPhone()),
  ];
  const bindings = [bind('101', one), bind('102', two), bind('103', three)];
  const stage = await openStage(t, { bindings });
  const { udp } = stage;

  await one.send(makeRequest(one, { to: uri('102') }), udp);
  const called = calledDialog(await accept(two, 'INVITE', udp, 200, '102'));
  const caller = callerDialog(await one.next('200 INVITE'));
  await one.send(makeInDialog(one, caller, 'ACK', 1), udp);
  await two.next('ACK');

  const plain = `<${uri('103')};user=phone?Subject=x>`;
  await two.send(makeInDialog(two, called, 'REFER', 1, [`Refer-To: ${plain}`]), udp);
  const refer = await accept(one, 'REFER', udp, 202);
  await two.next('202 REFER');
  const target = refer.header('Refer-To')!;
  t.match(target, /^<sip:103@acme\.example\.com;user=phone;x-callapiid=[a-z0-9]{20}\?Subject=x>$/);

  const marked = /<([^?]*)/.exec(target)![1]!;
  await one.send(makeRequest(one, { to: marked, callId: unique() }), udp);
  const invite = await accept(three, 'INVITE', udp, 200, '103');
  t.notMatch(invite.uri, /x-callapiid/, 'who is called does not see it');
  const onward = callerDialog(await one.next((message) => message.code === 200 && message.callId === invite.callId));
  await one.send(makeInDialog(one, onward, 'ACK', 1), udp);
  await two.send(makeInDialog(two, called, 'BYE', 2), udp);
  await accept(one, 'BYE', udp);
  await two.next('200 BYE');
  await one.send(makeInDialog(one, onward, 'BYE', 2), udp);
  await accept(three, 'BYE', udp);
  await one.next('200 BYE');

  t.strictSame(told(stage), [
    'A 101 answer-out',
    'A 101 dial-out',
    'A 101 hangup ANSWER by 102',
    'A 102 answer-in',
    'A 102 dial-in',
    'A 102 hangup ANSWER',
    'A 103 answer-in (marker 1) by 102',
    'A 103 dial-in (marker 1) by 102',
    'A 103 hangup ANSWER (marker 1) by 102',
  ]);
});

t.test("targets that can't or need not be marked pass as they are", async (t) => {
  const [one, two] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
  const { udp } = await openStage(t, { bindings: [bind('101', one), bind('102', two)] });
  await one.send(makeRequest(one, { to: uri('102') }), udp);
  const called = calledDialog(await accept(two, 'INVITE', udp, 200, '102'));
  await one.next('200 INVITE');
  const targets = [
    'sip:103@acme.example.com',
    '<tel:+15551230001>',
    '<sip:103@acme.example.com?Replaces=c%3Bto-tag%3Da%3Bfrom-tag%3Db>',
  ];
  for (const [index, target] of targets.entries()) {
    await two.send(makeInDialog(two, called, 'REFER', index + 1, [`Refer-To: ${target}`]), udp);
    t.equal((await accept(one, 'REFER', udp, 202)).header('Refer-To'), target);
  }
});

t.test('a PBX that copies our header ties its leg to the call, whatever numbers it shows', async (t) => {
  const [pbx, one, two] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
  const place = { ip: pbx.ip, port: pbx.port };
  const stage = await openStage(t, { upstream: `sip:${pbx.at}`, trunks: [] }, [place]);
  const { udp } = stage;

  const forged = 'X-CallAPIID: aaaaaaaaaaaaaaaaaaaa';
  await one.send(makeRequest(one, { to: uri('777'), headers: [forged] }), udp);
  const inward = await pbx.next('INVITE');
  const marker = inward.header('X-CallAPIID')!;
  t.match(marker, /^[a-z0-9]{20}$/);
  t.not(marker, 'aaaaaaaaaaaaaaaaaaaa', 'what a phone claims does not count');

  const headers = [`X-CallAPIID: ${marker}`, `Route: <sip:${udp.ip}:${udp.port};lr>`];
  const outward = makeRequest(pbx, { to: `sip:102@${two.at}`, from: `sip:9999@${pbx.at}`, callId: unique(), headers });
  await pbx.send(outward, udp);
  const rung = await accept(two, 'INVITE', udp, 486);
  t.equal(rung.header('X-CallAPIID'), undefined, 'no phone is told');
  await pbx.next('486 INVITE');
  await pbx.send(makeResponse(inward, 486), udp);
  await one.next(486);

  t.strictSame(told(stage), [
    'A 101 dial-out',
    'A 101 hangup BUSY',
    'A 102 dial-in (marker 1)',
    'A 102 hangup BUSY (marker 1)',
  ]);
});
