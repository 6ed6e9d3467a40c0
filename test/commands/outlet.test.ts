import t from 'tap';
import { BATCH_BYTES } from '../../src/commands/observation-batch.ts';
import { Outlet } from '../../src/commands/outlet.ts';
import type { FromThread } from '../../src/commands/sip-messages.ts';

const place = { ip: '192.0.2.1', port: 5060 };
const observation = {
  observedAt: 1,
  source: place,
  destination: place,
  transport: 'udp' as const,
  bytes: Buffer.from('x'),
};

t.test('nothing is handed over to who does not take it, not even beats', (t) => {
  const told: FromThread[] = [];
  const outlet = new Outlet(BATCH_BYTES, (message) => void told.push(message));
  const batches = (): number => told.filter(({ kind }) => kind === 'batch').length;
  for (let i = 0; i < 5; i++) outlet.beat();
  t.equal(batches(), 2);
  outlet.add(observation);
  outlet.beat();
  t.match(told.at(-1), { kind: 'drops', drops: new Map([['observed too late to be looked at', 1]]) });
  outlet.done();
  outlet.add(observation);
  outlet.beat();
  t.equal(batches(), 3, 'it goes on when one was taken');
  t.end();
});
