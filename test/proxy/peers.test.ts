import t, { type Test } from 'tap';
import { startProduct, type Product } from './product.ts';
import { isDrachtio } from './support/drachtio.ts';
import { hasBaresip, hasKamailio, startBaresip, startKamailio } from './support/peers.ts';
import { type Endpoint, openRelay } from './support/relay.ts';
import { hasSipp, runSipp, startSipp } from './support/sipp.ts';

// The whole product between programs that others wrote: what its script is told of their calls.

const skip = (isThere: boolean, name: string): { skip: string | false } => ({
  skip: isThere ? false : `${name} is not installed: this was NOT tested`,
});

const DIALS = ['0003*101 dial-out CALLING', '0003*102 dial-in CALLING'];
const ANSWERS = ['0003*101 answer-out ANSWER', '0003*102 answer-in ANSWER'];
const hangups = (status: string): string[] => [`0003*101 hangup ${status}`, `0003*102 hangup ${status}`];

t.test('baresip registered here', skip(hasBaresip, 'baresip'), async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    await t.test(transport, async (t) => {
      const { places, events } = await startProduct(t);
      const phone = { domain: 'acme.example.com', outbound: places[transport]!, transport };
      const caller = await startBaresip({ ...phone, user: '101', password: 'secret101' });
      const called = await startBaresip({ ...phone, user: '102', password: 'secret102', answers: true });
      t.teardown(() => Promise.all([caller.stop(), called.stop()]));
      await caller.dial('sip:102@acme.example.com');
      await caller.next('CALL_ESTABLISHED');
      await called.next('CALL_ESTABLISHED');
      await caller.hangUp();
      await called.next('CALL_CLOSED');
      t.strictSame((await events(6)).toSorted(), [...DIALS, ...ANSWERS, ...hangups('ANSWER')].toSorted());
    });
  }
});

t.test('baresip through us to Kamailio', skip(hasBaresip && hasKamailio, 'baresip or kamailio'), async (t) => {
  const kamailio = await startKamailio({ ip: '127.0.0.2' });
  t.teardown(() => kamailio.stop());
  for (const parameters of ['', ';sipnat=outbound']) {
    await t.test(parameters === '' ? 'the Contact leads through us' : 'with Path', async (t) => {
      const domain = `127.0.0.2:${kamailio.port}`;
      const { udp, events } = await startProduct(t, { sip: `upstream: "sip:${domain}"` });
      const phone = { domain, outbound: udp, parameters };
      const caller = await startBaresip({ ...phone, user: '101' });
      const called = await startBaresip({ ...phone, user: '102' });
      t.teardown(() => Promise.all([caller.stop(), called.stop()]));
      await caller.dial(`sip:102@${domain}`);
      await called.next('CALL_INCOMING');
      await called.accept();
      await caller.next('CALL_ESTABLISHED');
      await called.hangUp();
      await caller.next('CALL_CLOSED');
      t.strictSame((await events(6)).toSorted(), [...DIALS, ...ANSWERS, ...hangups('ANSWER')].toSorted());
      await caller.dial(`sip:102@${domain}`);
      await called.next('CALL_INCOMING');
      await called.hangUp();
      await caller.next('CALL_CLOSED');
      t.strictSame((await events(10)).slice(6).toSorted(), [...DIALS, ...hangups('BUSY')].toSorted());
    });
  }
});

interface Sides {
  readonly product: Product;
  /** Where callers send to. */
  readonly entry: Endpoint;
  readonly isLossy: boolean;
}

/** Calls of sipp on both sides, 102 behind a PBX that lets each be judged by its own leg. */
async function call(t: Test, { product, entry, isLossy }: Sides, scenario: readonly string[], count: number) {
  const calls = ['-sf', ...scenario, '-s', '102', '-key', 'user', '101', '-d', '50', '-m', `${count}`, '-r', '20'];
  const result = await runSipp([...calls, `${entry.ip}:${entry.port}`], { lossy: isLossy, timeoutMs: 60_000 });
  t.match(result, { code: 0, stats: { successful: count, failed: 0 } }, result.errors);
  return product;
}

t.test('sipp on both sides', skip(hasSipp, 'sipp'), async (t) => {
  const rows: [title: string, uas: string[], uac: string[], perCall: string[]][] = [
    ['answered', ['uas-answer'], ['uac-call'], [...DIALS, ...ANSWERS, ...hangups('ANSWER')]],
    [
      'busy',
      ['uas-reject', '-key', 'code', '486'],
      ['uac-expect', '-key', 'code', '486'],
      [...DIALS, ...hangups('BUSY')],
    ],
    [
      'declined',
      ['uas-reject', '-key', 'code', '603'],
      ['uac-expect', '-key', 'code', '603'],
      [...DIALS, ...hangups('BUSY')],
    ],
    [
      'failing',
      ['uas-reject', '-key', 'code', '500'],
      ['uac-expect', '-key', 'code', '500'],
      [...DIALS, ...hangups('CONGESTION')],
    ],
    ['given up', ['uas-ring'], ['uac-cancel'], [...DIALS, ...hangups('CANCEL')]],
  ];
  for (const [title, uas, uac, perCall] of rows) {
    await t.test(title, async (t) => {
      const called = await startSipp(['-sf', ...uas]);
      const product = await startProduct(t, {
        sip: `upstream: "sip:${called.ip}:${called.port}"`,
        tenant: 'sensor: trunk',
      });
      await call(t, { product, entry: product.udp, isLossy: false }, uac, 10);
      const told = await product.events(10 * perCall.length);
      t.strictSame(told.toSorted(), perCall.flatMap((event) => Array<string>(10).fill(event)).toSorted());
      t.equal(new Set(product.told.map((event) => event['CallAPIID'])).size, 10);
      await called.stop();
    });
  }
});

// A drachtio server sends no final response again: a caller that loses it waits for ever.
t.test('a network that loses every tenth packet, on both sides', skip(hasSipp && !isDrachtio, 'sipp'), async (t) => {
  const called = await startSipp(['-sf', 'uas-answer', '-d', '2000'], { lossy: true });
  const bad = { loss: 0.1, duplicate: 0.05, delayMs: 2, jitterMs: 10 };
  const behind = await openRelay({ target: called, ...bad, seed: 1 });
  const product = await startProduct(t, {
    sip: `upstream: "sip:${behind.ip}:${behind.port}"`,
    tenant: 'sensor: trunk',
  });
  const before = await openRelay({ target: product.udp, ...bad, seed: 2 });
  t.teardown(() => Promise.all([before.close(), behind.close()]));
  const count = 40;
  await call(t, { product, entry: before, isLossy: true }, ['uac-call'], count);
  const told = await product.events(6 * count);
  const expected = [...DIALS, ...ANSWERS, ...hangups('ANSWER')].flatMap((event) => Array<string>(count).fill(event));
  t.strictSame(told.toSorted(), expected.toSorted(), 'every party: one Dial, one Answer, one Hangup');
  t.ok(before.up.lost + before.down.lost + behind.up.lost + behind.down.lost > 20, 'packets were lost');
  await called.stop();
});
