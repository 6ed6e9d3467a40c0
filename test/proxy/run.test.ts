import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { Ringside, ringside } from '../commands/process.ts';
import { keep } from './phones.ts';
import { startProduct } from './product.ts';
import { callerDialog, makeInDialog, makeRequest, makeResponse } from './support/wire-builders.ts';
import { ownFolder } from './support/own-folder.ts';
import { until } from './support/ports.ts';
import type { Endpoint } from './support/relay.ts';
import { openUdpPhone } from './phones.ts';
import type { WirePhone } from './support/wire-phone.ts';

// What operators do with it: start it twice, stop it in mid-call, have scripts that hang.

const TO = 'sip:102@acme.example.com';

async function phones(t: Test): Promise<[phone: WirePhone, pbx: WirePhone]> {
  return [await keep(t, openUdpPhone()), await keep(t, openUdpPhone())];
}

async function answer(phone: WirePhone, pbx: WirePhone, udp: Endpoint): Promise<ReturnType<typeof callerDialog>> {
  await phone.send(makeRequest(phone, { to: TO }), udp);
  const invite = await pbx.next('INVITE');
  await pbx.send(makeResponse(invite, 200, { contact: `<sip:102@${pbx.at}>` }), udp);
  return callerDialog(await phone.next(200));
}

async function hangUp(
  phone: WirePhone,
  pbx: WirePhone,
  dialog: ReturnType<typeof callerDialog>,
  udp: Endpoint,
): Promise<void> {
  await phone.send(makeInDialog(phone, dialog, 'BYE', 2), udp);
  await pbx.send(makeResponse(await pbx.next('BYE'), 200), udp);
  await phone.next(200);
}

t.test('an address that is taken', async (t) => {
  const taken = await keep(t, openUdpPhone());
  const file = join(ownFolder(t), 'ringside.yaml');
  writeFileSync(file, `sip: { listen: ["udp:${taken.at}"] }\n`);
  const { code, err } = await ringside(t, 'run', '--config', file);
  t.equal(code, 2);
  t.match(err, `can't listen on udp:${taken.at}: the address is in use by another program`);
  writeFileSync(file, `sip: { listen: ["tls:127.0.0.1:0"], tls: { cert: no.pem, key: no.key } }\n`);
  const missing = await ringside(t, 'run', '--config', file);
  t.match(missing, { code: 2, err: /sip\.tls\.cert: no\.pem can't be read: ENOENT/ });
});

t.test('stopped or killed in mid-call: call and events go on after the next start', async (t) => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const [phone, pbx] = await phones(t);
    const folder = ownFolder(t);
    const tenant = 'sensor: trunk';
    const first = await startProduct(t, { sip: `upstream: "sip:${pbx.at}"`, tenant, folder });
    const dialog = await answer(phone, pbx, first.udp);
    await first.events(4);
    first.process.child.kill(signal);
    await first.process.finished;
    const sip = `upstream: "sip:${pbx.at}"\n  listen: ["udp:127.0.0.1:${first.udp.port}"]`;
    const second = await startProduct(t, { sip, tenant, folder, isListenGiven: true });
    await hangUp(phone, pbx, dialog, second.udp);
    t.strictSame((await second.events(2)).sort(), ['0003*101 hangup ANSWER', '0003*102 hangup ANSWER'], signal);
    const [ids, callIds, synthesised] = (['CallAPIID', 'CallID', 'Synthesised'] as const).map(
      (name) => new Set([...first.told, ...second.told].map((event) => event[name])),
    );
    t.strictSame([ids!.size, callIds!.size, [...synthesised!]], [1, 1, ['']], 'one call, and nothing by timer');
  }
});

t.test('scripts that hang, and no disk to store on: calls go on', async (t) => {
  const [phone, pbx] = await phones(t);
  const script = createServer(() => {}); // takes requests and never answers
  await new Promise<void>((done) => script.listen(0, '127.0.0.1', done));
  t.teardown(() => void script.closeAllConnections());
  t.teardown(() => void script.close());
  const file = join(ownFolder(t), 'ringside.yaml');
  const url = `http://127.0.0.1:${(script.address() as AddressInfo).port}/`;
  writeFileSync(
    file,
    `tenants: [{ extensions: ["*"], sensor: trunk }]
callEvents: [{ extension: "*", event: [dial-in, dial-out, answer-in, answer-out, hangup], url: "${url}" }]
sip: { listen: ["udp:127.0.0.1:0"], upstream: "sip:${pbx.at}" }
log: { level: warn }
`,
  );
  const server = new Ringside(t, ['run', '--config', file]);
  const [, port] = await server.waitFor(/udp:127\.0\.0\.1:(\d+)[^]*Ctrl-C/);
  const udp = { ip: '127.0.0.1', port: Number(port) };
  for (let i = 0; i < 30; i++) await hangUp(phone, pbx, await answer(phone, pbx, udp), udp);
  t.equal(phone.count(503), 0);
});

t.test('rules and tenants change while calls are up', async (t) => {
  const [phone, pbx] = await phones(t);
  const { process, udp, events } = await startProduct(t, { sip: `upstream: "sip:${pbx.at}"`, tenant: 'sensor: trunk' });
  const dialog = await answer(phone, pbx, udp);
  process.child.kill('SIGHUP');
  await hangUp(phone, pbx, dialog, udp);
  t.equal((await events(6)).length, 6);
});

t.test('a trunk that is added or taken away while Ringside runs', async (t) => {
  const folder = ownFolder(t);
  const { udp } = await startProduct(t, { folder, sip: 'trusted: [127.0.0.8]' });
  const file = join(folder, 'ringside.yaml');
  const [trunk, server] = [await keep(t, openUdpPhone('127.0.0.9')), await keep(t, openUdpPhone('127.0.0.8'))];
  const answers = async (phone: WirePhone, code: number): Promise<boolean> => {
    await phone.send(makeRequest(phone, { to: TO }), udp);
    return (await phone.next((message) => message.code > 100)).code === code;
  };
  t.ok(await answers(trunk, 407), 'whoever is unknown has to say who it is');
  t.ok(await answers(server, 480), 'whoever is known has not');
  const text = readFileSync(file, 'utf8').replace('extensions:', 'trunks: [127.0.0.9]\n    extensions:');
  writeFileSync(file, text.replace('trusted: [127.0.0.8]', ''));
  await until(() => answers(trunk, 480), 'the trunk is known', 5000);
  t.ok(await answers(server, 407), 'the server is not any more');
});
