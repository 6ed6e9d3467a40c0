import t, { type Test } from 'tap';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { openEngine, type Opened } from './harness.ts';
import { keep, openTcpPhone, openUdpPhone, openWebPhone } from './phones.ts';
import { calledDialog, callerDialog, makeInDialog, makeRequest, makeResponse } from './support/wire-builders.ts';
import type { WirePhone } from './support/wire-phone.ts';

// Phones that register with a PBX through us, and how its calls find them.

interface Stage extends Opened {
  readonly pbx: WirePhone;
}

const listen = (['udp', 'tcp', 'ws'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 }));

async function openStage(t: Test, options: Partial<EmbeddedOptions> = {}): Promise<Stage> {
  const pbx = await keep(t, openUdpPhone());
  return { ...(await openEngine(t, { upstream: `sip:${pbx.at}`, listen, ...options })), pbx };
}

const WEB_CONTACT = '<sip:tina@u7h3.invalid;transport=ws>';

/** Registers a phone; returns the address at which the PBX calls it. The PBX lists other addresses of the account, too. */
async function register(
  { pbx, places, udp }: Stage,
  phone: WirePhone,
  aor: string,
  contact: string,
  others: readonly string[] = [],
): Promise<string> {
  const to = `sip:${aor.split('@')[1]}`;
  await phone.send(
    makeRequest(phone, { method: 'REGISTER', to, from: `sip:${aor}`, contact }),
    places[phone.transport],
  );
  const request = await pbx.next('REGISTER');
  const contacts = [request.header('Contact')!, ...others.map((uri) => `<${uri}>`)];
  await pbx.send(makeResponse(request, 200, { contact: contacts.join(', ') }), udp);
  t.match((await phone.next(200)).header('Contact'), contact.replace(/[<>]/g, ''));
  return /<([^>]*)>/.exec(request.header('Contact')!)![1]!;
}

t.test('a phone that connects anew is called over its new connection', async (t) => {
  const stage = await openStage(t);
  const openings: [string, () => Promise<WirePhone>][] = [
    ['ws', () => openWebPhone(stage.places['ws']!)],
    ['tcp', () => openTcpPhone(stage.places['tcp']!)],
  ];
  for (const [name, opening] of openings) {
    const first = await opening();
    const contact = `<sip:tina@u7h3.invalid;transport=${name}>`;
    const target = await register(stage, first, '102@acme.example.com', contact);
    await first.close();
    const second = await keep(t, opening());
    await register(stage, second, '102@acme.example.com', contact);
    await stage.pbx.send(makeRequest(stage.pbx, { to: target }), stage.udp);
    t.equal((await second.next('INVITE')).uri, contact.replace(/[<>]/g, ''), name);
  }
});

t.test('a call of a browser goes on when it has connected anew, whoever called', async (t) => {
  const stage = await openStage(t);
  const { pbx, places, udp } = stage;
  const contact = WEB_CONTACT.replace('>', ';ob>');
  const open = async (): Promise<[WirePhone, string]> => {
    const phone = await keep(t, openWebPhone(places['ws']!));
    return [phone, await register(stage, phone, '102@acme.example.com', WEB_CONTACT)];
  };
  const [first, target] = await open();
  await first.send(makeRequest(first, { to: 'sip:103@acme.example.com', contact }));
  const outgoing = await pbx.next('INVITE');
  await pbx.send(makeResponse(outgoing, 200, { contact: `<sip:103@${pbx.at}>` }), udp);
  await first.next(200);
  await pbx.send(makeRequest(pbx, { to: target, callId: 'incoming' }), udp);
  await first.send(makeResponse(await first.next('INVITE'), 200, { contact }));
  const incoming = callerDialog(await pbx.next(200));
  await first.close();
  const [second] = await open();
  await pbx.send(makeInDialog(pbx, calledDialog(outgoing), 'BYE', 1), udp);
  await second.next('BYE');
  await pbx.send(makeInDialog(pbx, incoming, 'BYE', 2), udp);
  t.equal((await second.next('BYE')).callId, 'incoming');
});

t.test('a call of a phone that comes back from another port of its own goes on', async (t) => {
  const stage = await openStage(t);
  const { pbx, places, udp } = stage;
  const contactOf = (place: string): string => `<sip:102@${place};transport=tcp>`;
  const open = async (place: string, ...others: string[]): Promise<[WirePhone, string]> => {
    const phone = await keep(t, openTcpPhone(places['tcp']!));
    return [phone, await register(stage, phone, '102@acme.example.com', contactOf(place), others)];
  };
  const [first, target] = await open('192.168.1.20:49152');
  await pbx.send(makeRequest(pbx, { to: target }), udp);
  const invite = await first.next('INVITE');
  await first.send(makeResponse(invite, 200, { contact: contactOf('192.168.1.20:49152') }));
  const call = callerDialog(await pbx.next(200));
  await first.close();
  const [second, targetOfSecond] = await open('192.168.1.20:49153', target);
  const [other] = await open('192.168.1.21:49152', target, targetOfSecond);
  await pbx.send(makeInDialog(pbx, call, 'BYE', 2), udp);
  await second.next('BYE');
  t.equal(other.count('BYE'), 0);
});

t.test('the contact of another account, written under an own one, brings no calls of the other', async (t) => {
  const stage = await openStage(t);
  const victim = await keep(t, openWebPhone(stage.places['ws']!));
  const target = await register(stage, victim, '102@acme.example.com', WEB_CONTACT);
  const thief = await keep(t, openWebPhone(stage.places['ws']!));
  for (const aor of ['666@acme.example.com', '102@thieves.example.com']) {
    await register(stage, thief, aor, WEB_CONTACT);
    await stage.pbx.send(makeRequest(stage.pbx, { to: target }), stage.udp);
    await victim.next('INVITE');
    t.equal(thief.count('INVITE'), 0, aor);
  }
});

t.test('a number that two domains have: each keeps its own phone', async (t) => {
  const stage = await openStage(t);
  const { pbx, udp, bindings } = stage;
  const [acme, beta] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
  await register(stage, acme, '102@acme.example.com', `<sip:102@${acme.at}>`);
  await pbx.send(makeRequest(pbx, { to: `sip:102@${udp.ip}:${udp.port}` }), udp);
  await acme.next('INVITE');
  await register(stage, beta, '102@beta.example.com', `<sip:102@${beta.at}>`);
  t.strictSame([...bindings.keys()], ['102@acme.example.com', '102@beta.example.com']);
  for (const [domain, phone] of [
    ['acme.example.com', acme],
    ['beta.example.com', beta],
  ] as const) {
    const text = makeRequest(pbx, { to: `sip:102@${domain}` });
    await pbx.send(text.replace(/^INVITE \S+/, `INVITE sip:102@${udp.ip}:${udp.port}`), udp);
    t.equal((await phone.next('INVITE')).header('To'), `<sip:102@${domain}>`);
  }
  await pbx.send(makeRequest(pbx, { to: `sip:102@${udp.ip}:${udp.port}` }), udp);
  await pbx.next(404);
  t.equal(acme.count('INVITE') + beta.count('INVITE'), 3, 'nobody is called where it is not told whom');
});
