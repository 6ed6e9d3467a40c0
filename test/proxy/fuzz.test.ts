import t from 'tap';
import { startProduct } from './product.ts';
import { Fuzzer } from './fuzz/fuzz.ts';

// `make fuzz` does the same for longer, and watches memory.

const SECONDS = 4;

t.test('nearly right messages over every transport, with calls beside them', async (t) => {
  const seed = Number(process.env['FUZZ_SEED'] ?? 1);
  const fuzzer = new Fuzzer(seed);
  const port = await fuzzer.open();
  t.teardown(() => fuzzer.close());
  const { process: product, places } = await startProduct(t, { sip: `upstream: "sip:127.0.0.1:${port}"` });
  const { udp, tcp, ws } = places;
  const { sent, calls } = await fuzzer.run({ udp: udp!, tcp: tcp!, ws: ws! }, { seconds: SECONDS, rate: 100 });
  t.comment(`${sent} messages, ${calls.made} calls`);
  t.strictSame(calls.failures, [], `seed ${seed}`);
  t.ok(calls.made > 3, 'calls were made');
  product.child.kill('SIGTERM');
  const { code, out, err } = await product.finished;
  t.equal(code, 0);
  t.notMatch(`${out}${err}`, /internal error|engine failed/);
});
