import { createSecretKey, randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import t, { type Test } from 'tap';
import { formatRequest } from '../../src/deliveries/request.ts';
import { HttpSender } from '../../src/deliveries/sender.ts';
import { signRequest } from '../../src/deliveries/signature.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { makeEvent, makeRule, type ReceivedRequest, ScriptServer, SENDING } from './harness.ts';

const makeSecret = () => {
  const bytes = randomBytes(32);
  return { text: `whsec_${bytes.toString('base64')}`, key: createSecretKey(bytes) };
};

/** What a script gets of an event, sent over HTTP. */
async function receive(t: Test, more: Partial<Rule>, path = '/hook?src=pbx'): Promise<ReceivedRequest> {
  const server = new ScriptServer();
  const rule = makeRule({ url: (await server.listen()) + path, ...more });
  const sender = new HttpSender(SENDING);
  t.teardown(() => (server.close(), sender.close()));
  const event = makeEvent({ params: { CallerIDName: 'Zoë 日本' } });
  t.match(await sender.send(formatRequest(event, rule), rule, String(event.extras.EventID)), { status: 200 });
  return server.received[0]!;
}

const verify = (secret: string, payload: string, { headers }: ReceivedRequest): unknown =>
  new Webhook(secret).verify(Buffer.from(payload, 'latin1'), Object.fromEntries(headers), { jsonParse: false });

t.test('a receiver that follows Standard Webhooks verifies the body of a POST', async (t) => {
  const { text, key } = makeSecret();
  for (const body of ['json', 'form'] as const) {
    const request = await receive(t, { method: 'POST', body, secrets: [key] });
    t.doesNotThrow(() => verify(text, request.body, request), body);
    t.throws(() => verify(text, `${request.body} `, request), /No matching signature/, 'not another body');
    t.throws(() => verify(makeSecret().text, request.body, request), /No matching signature/, 'not another secret');
    const { 'webhook-id': id } = Object.fromEntries(request.headers);
    t.equal(id, 'abcdefghij0123456789-1-dial-in', 'the id is the EventID');
  }
});

t.test('of a GET the query is signed, exactly as it stands in the request line', async (t) => {
  const { text, key } = makeSecret();
  for (const path of ['/hook?src=pbx', '/hök?q=ü&x=a+b%20c#part', '']) {
    const request = await receive(t, { secrets: [key] }, path);
    const target = request.line.split(' ')[1]!;
    t.doesNotThrow(() => verify(text, target.slice(target.indexOf('?') + 1), request), path);
    t.throws(() => verify(text, target, request), /No matching signature/);
  }
});

t.test('while one secret replaces the other, receivers with either verify', async (t) => {
  const [old, fresh] = [makeSecret(), makeSecret()];
  const request = await receive(t, { method: 'POST', secrets: [fresh.key, old.key] });
  for (const { text } of [old, fresh]) t.doesNotThrow(() => verify(text, request.body, request));
  t.match(Object.fromEntries(request.headers)['webhook-signature'], /^v1,[\w+/]{43}= v1,[\w+/]{43}=$/);
});

t.test('without a secret nothing is signed', async (t) => {
  const { headers } = await receive(t, { method: 'POST' });
  t.notOk(headers.some(([name]) => name.startsWith('webhook-')));
});

t.test('the time is that of the attempt, in whole seconds', (t) => {
  const { text, key } = makeSecret();
  const request = formatRequest(makeEvent(), makeRule({ method: 'POST' }));
  const at = Date.UTC(2026, 0, 1) + 1999;
  t.strictSame(signRequest(request, 'id-1', [key], at), {
    'webhook-id': 'id-1',
    'webhook-timestamp': '1767225601',
    'webhook-signature': new Webhook(text).sign('id-1', new Date(at), request.body!),
  });
  t.end();
});
