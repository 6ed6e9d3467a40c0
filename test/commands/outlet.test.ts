import t from 'tap';
import { BATCH_BYTES, ObservationBatch } from '../../src/commands/observation-batch.ts';
import { Outlet } from '../../src/commands/outlet.ts';
import type { FromObserver } from '../../src/commands/observer-messages.ts';

const place = { ip: '192.0.2.1', port: 5060 };
const observation = {
  observedAt: 1,
  source: place,
  destination: place,
  transport: 'udp' as const,
  bytes: Buffer.from('x'),
};

t.test('who is behind gets what there is in few batches, and nothing is dropped before they are full', (t) => {
  const told: FromObserver[] = [];
  const outlet = new Outlet(4 * BATCH_BYTES, (message) => void told.push(message));
  const sizes = (): number[] => told.flatMap((message) => (message.kind === 'batch' ? [message.length] : []));
  const size = ObservationBatch.sizeOf(observation);
  for (let i = 0; i < 1000; i++) {
    outlet.add(observation);
    outlet.flush();
    outlet.beat();
  }
  t.strictSame(sizes(), [size, 0], 'one, and the news that there is no more up to now');
  outlet.done();
  t.strictSame(sizes().slice(2), [999 * size]);
  outlet.add(observation);
  outlet.flush();
  outlet.add(observation);
  outlet.close();
  t.strictSame(sizes().slice(3), [2 * size], 'the end waits for nobody');
  t.notOk(told.some(({ kind }) => kind === 'drops'));
  t.end();
});

t.test(
  'what is too much for who takes nothing is dropped and counted, and it goes on when something was taken',
  (t) => {
    const told: FromObserver[] = [];
    const outlet = new Outlet(BATCH_BYTES, (message) => void told.push(message));
    const sizes = (): number[] => told.flatMap((message) => (message.kind === 'batch' ? [message.length] : []));
    outlet.add(observation);
    outlet.flush();
    outlet.add(observation);
    outlet.flush();
    outlet.add(observation);
    outlet.beat();
    t.match(told.at(-1), { kind: 'drops', drops: new Map([['observed too late to be looked at', 1]]) });
    outlet.done();
    outlet.add(observation);
    outlet.beat();
    t.equal(sizes().length, 3);
    t.end();
  },
);
