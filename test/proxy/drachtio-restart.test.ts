import t, { type Test } from 'tap';
import { keep, openUdpPhone } from './phones.ts';
import { startProduct, type Product } from './product.ts';
import { isDrachtio } from './support/drachtio.ts';
import { ownFolder } from './support/own-folder.ts';
import { until } from './support/ports.ts';
import { callerDialog, makeInDialog, makeRequest, makeResponse, type Dialog } from './support/wire-builders.ts';
import type { Received, WirePhone } from './support/wire-phone.ts';

// Server and application are killed and started again in the middle of calls: every party gets its Dial and its Hangup.

const TO = 'sip:102@acme.example.com';
const TENANT = 'sensor: trunk';
const DIALS = ['0003*101 dial-out CALLING', '0003*102 dial-in CALLING'];
const ANSWERS = ['0003*101 answer-out ANSWER', '0003*102 answer-in ANSWER'];
const HANGUPS = ['0003*101 hangup ANSWER', '0003*102 hangup ANSWER'];
const LONG = { skip: !isDrachtio, timeout: 90_000 };

interface Place {
  readonly caller: WirePhone;
  readonly pbx: WirePhone;
  readonly sip: string;
}

async function openPlace(t: Test): Promise<Place> {
  const [caller, pbx] = [await keep(t, openUdpPhone('127.0.0.101')), await keep(t, openUdpPhone('127.0.0.10'))];
  return { caller, pbx, sip: `upstream: "sip:${pbx.at}"` };
}

async function ring({ caller, pbx }: Place, { udp }: Product): Promise<Received> {
  await caller.send(makeRequest(caller, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 180), udp);
  await caller.next(180);
  return invite;
}

async function answer({ caller, pbx }: Place, { udp }: Product, invite: Received): Promise<Dialog> {
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  const dialog = callerDialog(await caller.next('200 INVITE'));
  await caller.send(makeInDialog(caller, dialog, 'ACK', 1), udp);
  await pbx.next('ACK');
  return dialog;
}

async function hangUp({ caller, pbx }: Place, { udp }: Product, dialog: Dialog): Promise<void> {
  await caller.send(makeInDialog(caller, dialog, 'BYE', 2), udp);
  await pbx.send(makeResponse(await pbx.next('BYE'), 200), udp);
  await caller.next('200 BYE');
}

/** Until requests are decided again: OPTIONS is answered by Ringside, else refused by the server. */
async function untilConnected({ caller }: Place, { udp }: Product): Promise<void> {
  await until(async () => {
    await caller.send(makeRequest(caller, { method: 'OPTIONS', to: `sip:${udp.ip}` }), udp);
    return caller.next('200 OPTIONS', 500).then(
      () => true,
      () => false,
    );
  }, 'the connection');
}

t.test('the server is killed in mid-call', LONG, async (t) => {
  const place = await openPlace(t);
  const product = await startProduct(t, { sip: place.sip, tenant: TENANT });
  const dialog = await answer(place, product, await ring(place, product));
  await product.events(4);
  await product.drachtio!.stop('SIGKILL');
  await product.drachtio!.start();
  await untilConnected(place, product);
  await hangUp(place, product, dialog);
  t.strictSame((await product.events(6)).toSorted(), [...DIALS, ...ANSWERS, ...HANGUPS].toSorted());
});

t.test('the server is killed while it rings: nobody hears of the call again', LONG, async (t) => {
  const place = await openPlace(t);
  const product = await startProduct(t, { sip: place.sip, tenant: TENANT, calls: 'ringLimit: 10s' });
  await ring(place, product);
  await product.events(2);
  await product.drachtio!.stop('SIGKILL');
  await product.drachtio!.start();
  const ends = ['0003*101 hangup NOANSWER', '0003*102 hangup NOANSWER'];
  await until(() => product.told.length >= 4, 'the Hangups', 60_000);
  t.strictSame((await product.events(4)).toSorted(), [...DIALS, ...ends].toSorted());
});

t.test('Ringside is killed while it rings: the call goes on', LONG, async (t) => {
  const place = await openPlace(t);
  const folder = ownFolder(t);
  const options = { sip: place.sip, tenant: TENANT, folder };
  const first = await startProduct(t, options);
  const invite = await ring(place, first);
  await first.events(2);
  first.process.child.kill('SIGKILL');
  await first.process.finished;
  await place.caller.send(makeRequest(place.caller, { to: TO }), first.udp);
  await place.caller.next(503); // what begins now is refused by the server
  const second = await startProduct(t, options);
  const dialog = await answer(place, second, invite);
  await hangUp(place, second, dialog);
  t.strictSame((await second.events(4)).toSorted(), [...ANSWERS, ...HANGUPS].toSorted());
});

t.test('a call that is answered and ended while Ringside is down', LONG, async (t) => {
  const place = await openPlace(t);
  const folder = ownFolder(t);
  const options = { sip: place.sip, tenant: TENANT, folder, calls: 'ringLimit: 10s, longestCall: 1m' };
  const first = await startProduct(t, options);
  const invite = await ring(place, first);
  await first.events(2);
  first.process.child.kill('SIGKILL');
  await first.process.finished;
  await hangUp(place, first, await answer(place, first, invite));
  const second = await startProduct(t, options);
  await until(() => second.told.length >= 2, 'the Hangups', 60_000);
  const ends = ['0003*101 hangup NOANSWER', '0003*102 hangup NOANSWER']; // its answer was never seen
  t.strictSame((await second.events(2)).toSorted(), ends);
});
