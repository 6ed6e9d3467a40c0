import t, { type Test } from 'tap';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import type { ListenAddress } from '../../src/sip/listen-address.ts';
import { openEngine, type Opened } from './harness.ts';
import { keep, openUdpPhone } from './phones.ts';
import { calledDialog, makeInDialog, makeRequest, makeResponse } from './support/wire-builders.ts';
import type { Endpoint } from './support/relay.ts';
import type { Received, WirePhone } from './support/wire-phone.ts';

// Two UDP sockets, as on a machine in two networks: NAT lets in only what comes from the one that a phone registered at.

const TO = 'sip:102@acme.example.com';

const listenAt = (...ports: readonly number[]): ListenAddress[] =>
  ports.map((port) => ({ transport: 'udp', ip: '127.0.0.1', port }));

interface Stage extends Opened {
  readonly first: Endpoint;
  readonly second: Endpoint;
  readonly pbx: WirePhone;
  readonly phone: WirePhone;
}

async function openStage(t: Test, options: Partial<EmbeddedOptions> = {}): Promise<Stage> {
  const [pbx, phone] = [await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
  const opened = await openEngine(t, { upstream: `sip:${pbx.at}`, listen: listenAt(0, 0), ...options });
  const [first, second] = opened.sockets as [Endpoint, Endpoint];
  return { ...opened, first, second, pbx, phone };
}

/** Registers the phone at a socket; returns the routes and the address by which the PBX calls it. */
async function register({ pbx, phone }: Stage, at: Endpoint, headers: string[]): Promise<[string[], string]> {
  const request = { method: 'REGISTER', to: 'sip:acme.example.com', from: TO, headers };
  await phone.send(makeRequest(phone, request), at);
  const passed = await pbx.next('REGISTER');
  await pbx.reply(passed, makeResponse(passed, 200, { contact: passed.header('Contact')! }));
  await phone.next(200);
  return [passed.headers('Path').map((path) => `Route: ${path}`), /<([^>]*)>/.exec(passed.header('Contact')!)![1]!];
}

const portOf = ({ from }: Received): number => from.port;

t.test('a phone is called from the socket that it registered at, also after a restart', async (t) => {
  for (const headers of [[], ['Supported: path']]) {
    const stage = await openStage(t);
    const { pbx, phone, first, second } = stage;
    for (const at of [first, second]) {
      const [routes, target] = await register(stage, at, headers);
      await pbx.send(makeRequest(pbx, { to: target, headers: routes }), first);
      t.equal(portOf(await phone.next('INVITE')), at.port, headers.join());
    }
    const [routes, target] = await register(stage, second, headers);
    await stage.stop();
    await openEngine(t, { upstream: `sip:${pbx.at}`, listen: listenAt(first.port, second.port) });
    await pbx.send(makeRequest(pbx, { to: target, headers: routes }), first);
    t.equal(portOf(await phone.next('INVITE')), second.port, `${headers.join()} after a restart`);
  }
});

t.test('in-dialog requests and responses come from it, too', async (t) => {
  const { pbx, phone, second } = await openStage(t);
  await phone.send(makeRequest(phone, { to: TO }).replace(';rport', ''), second);
  const invite = await pbx.next('INVITE');
  const answer = makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` });
  await pbx.reply(invite, answer);
  t.equal(portOf(await phone.next(200)), second.port, 'the answer');
  await pbx.reply(invite, answer);
  t.equal(portOf(await phone.next(200)), second.port, 'the answer once more');
  await pbx.send(makeInDialog(pbx, calledDialog(invite), 'BYE', 1), invite.from);
  t.equal(portOf(await phone.next('BYE')), second.port, 'a request of the other side');
});

t.test('a phone whose Via tells another port than it sends from', async (t) => {
  const { phone, pbx, second } = await openStage(t);
  const other = await keep(t, openUdpPhone());
  const text = makeRequest(phone, { to: TO }).replace(`UDP ${phone.at}`, `UDP ${other.at}`).replace(';rport', '');
  await phone.send(text, second);
  const invite = await pbx.next('INVITE');
  await pbx.reply(invite, makeResponse(invite, 486));
  t.equal(portOf(await other.next(486)), second.port);
});

t.test('a socket that is gone after a restart: any that is there', async (t) => {
  const stage = await openStage(t);
  const { pbx, phone, first, second } = stage;
  const [, target] = await register(stage, second, []);
  await stage.stop();
  await openEngine(t, { upstream: `sip:${pbx.at}`, listen: listenAt(first.port) });
  await pbx.send(makeRequest(pbx, { to: target.replace(`:${second.port}`, `:${first.port}`) }), first);
  t.equal(portOf(await phone.next('INVITE')), first.port);
});
