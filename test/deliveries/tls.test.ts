import { once } from 'node:events';
import { createServer, type Server, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import t, { type Test } from 'tap';
import { formatRequest } from '../../src/deliveries/request.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import type { RuleTls } from '../../src/rules/rule.ts';
import { makeCertificate } from '../proxy/support/certificate.ts';
import { makeEvent, makeRule, SENDING } from './harness.ts';

const server = makeCertificate('localhost', '127.0.0.1');
const client = makeCertificate('client.example');

let identities = 0;
const tlsOf = (options: SecureContextOptions): RuleTls => ({
  id: String(identities++),
  context: createSecureContext(options),
});

/** A script over TLS; `clients` are the subjects of the certificates that were shown to it. */
async function openScript(t: Test, options: ServerOptions = {}) {
  const clients: string[] = [];
  const sockets = new Set<unknown>();
  const script: Server = createServer({ ...server, ...options }, ({ socket }, response) => {
    sockets.add(socket);
    clients.push((socket as TLSSocket).getPeerX509Certificate()?.fingerprint256 ?? 'none');
    response.end();
  });
  script.listen(0, '127.0.0.1');
  await once(script, 'listening');
  t.teardown(() => (script.close(), script.closeAllConnections()));
  return { port: (script.address() as AddressInfo).port, clients, sockets };
}

function openSender(t: Test) {
  const sender = new HttpSender(SENDING);
  t.teardown(() => sender.close());
  return (url: string, tls?: RuleTls) => {
    const rule = makeRule({ url, tls });
    return sender.send(formatRequest(makeEvent(), rule), rule, 'id-1');
  };
}

t.test('certificates are checked, whatever the environment says', async (t) => {
  const { port, clients } = await openScript(t);
  const send = openSender(t);
  const url = `https://localhost:${port}/`;
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
  t.teardown(() => delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']);
  t.match(await send(url), { error: /self.signed certificate/ }, 'nobody known signed it');
  t.match(await send(url, tlsOf({ ca: client.cert })), { error: /self.signed certificate/ }, 'another did');
  t.strictSame(clients, []);
  t.strictSame(await send(url, tlsOf({ ca: server.cert })), { status: 200 });
  t.strictSame(await send(url.replace('localhost', '127.0.0.1'), tlsOf({ ca: server.cert })), { status: 200 });
});

t.test('the name has to be that of the certificate', async (t) => {
  const { cert, key } = makeCertificate('crm.example.com');
  const { port, clients } = await openScript(t, { cert, key });
  const outcome = await openSender(t)(`https://localhost:${port}/`, tlsOf({ ca: cert }));
  t.match(outcome, { error: /ERR_TLS_CERT_ALTNAME_INVALID/ });
  t.strictSame(clients, []);
});

t.test('a script that asks for a certificate gets it', async (t) => {
  const { port, clients } = await openScript(t, { requestCert: true, ca: client.cert, maxVersion: 'TLSv1.2' });
  const send = openSender(t);
  const url = `https://localhost:${port}/`;
  t.match(await send(url, tlsOf({ ca: server.cert })), { error: /\w/ }, 'without one it is refused');
  t.strictSame(await send(url, tlsOf({ ...client, ca: server.cert })), { status: 200 });
  t.equal(clients.length, 1);
  t.not(clients[0], 'none');
});

t.test('an older version than the rule wants is refused', async (t) => {
  const { port } = await openScript(t, { maxVersion: 'TLSv1.2' });
  const send = openSender(t);
  const url = `https://localhost:${port}/`;
  t.match(await send(url, tlsOf({ ca: server.cert, minVersion: 'TLSv1.3' })), { error: /version|protocol|alert/i });
  t.strictSame(await send(url, tlsOf({ ca: server.cert, minVersion: 'TLSv1.2' })), { status: 200 });
});

t.test('connections are of one TLS identity, and kept for it', async (t) => {
  const { port, clients, sockets } = await openScript(t, { requestCert: true, rejectUnauthorized: false });
  const send = openSender(t);
  const [plain, shown] = [tlsOf({ ca: server.cert }), tlsOf({ ...client, ca: server.cert })];
  for (const tls of [plain, shown, plain, shown]) {
    t.strictSame(await send(`https://localhost:${port}/`, tls), { status: 200 });
  }
  t.equal(sockets.size, 2);
  t.strictSame(
    clients.map((fingerprint) => fingerprint === 'none'),
    [true, false, true, false],
  );
});
