import t from 'tap';
import { BATCH_BYTES, ObservationBatch, readBatch } from '../../src/commands/observation-batch.ts';
import type { Observation } from '../../src/sip/observation.ts';

const observation = (i: number, size = 10): Observation => ({
  observedAt: 1_700_000_000_000.25 + i,
  source: { ip: i % 2 ? '192.0.2.1' : '2001:db8::1', port: 5060 + i },
  destination: { ip: '198.51.100.200', port: 65_535 },
  transport: (['udp', 'tcp', 'tls', 'ws', 'wss'] as const)[i % 5]!,
  bytes: Buffer.alloc(size, i),
  ...(i % 3 === 1 && { correlationId: `Köln-${i}` }),
});

function read(batch: ObservationBatch): Observation[] {
  const seen: Observation[] = [];
  readBatch(batch.memory, batch.length, (one) => seen.push({ ...one, bytes: Buffer.from(one.bytes) }));
  return seen;
}

t.test('what goes in comes out, in order', (t) => {
  const batch = new ObservationBatch();
  const sent = Array.from({ length: 50 }, (_, i) => observation(i, i * 7));
  for (const one of sent) t.ok(batch.add(one));
  t.strictSame(read(batch), sent);
  batch.clear();
  t.strictSame(read(batch), []);
  t.ok(batch.add(sent[3]!));
  t.strictSame(read(batch), [sent[3]]);
  t.end();
});

t.test('a full batch takes no more, and keeps what it has', (t) => {
  const batch = new ObservationBatch();
  let count = 0;
  while (batch.add(observation(count, 5000))) count++;
  t.ok(count > (BATCH_BYTES / 5000) * 0.9);
  t.equal(read(batch).length, count);
  const large = observation(1, BATCH_BYTES);
  t.notOk(new ObservationBatch().add(large));
  const own = new ObservationBatch(new SharedArrayBuffer(ObservationBatch.sizeOf(large)));
  t.ok(own.add(large));
  t.strictSame(read(own), [large]);
  t.end();
});
