import { join } from 'node:path';
import t from 'tap';
import { Ringside, ringside } from './process.ts';

t.test('one Ringside runs on a store, and its end, however it comes, makes room for the next', async (t) => {
  const hep = 'sip: { engine: none }\nhep: { listen: ["udp:127.0.0.1:0"] }\n';
  const folder = t.testdir({ 'one.yaml': `${hep}store: same.db\n`, 'two.yaml': `${hep}store: same.db\n` });
  const [one, two] = [join(folder, 'one.yaml'), join(folder, 'two.yaml')];
  const first = new Ringside(t, ['run', '-c', one]);
  await first.waitFor(/HEP/);
  const refused = await ringside(t, 'run', '-c', two);
  t.equal(refused.code, 2);
  t.match(
    refused.err,
    `another Ringside runs on the store ${join(folder, 'same.db')}: stop it first, or name another store\n`,
  );
  t.equal((await ringside(t, 'deliveries', 'list', '-c', two)).code, 0, 'who only looks is not refused');
  first.child.kill('SIGKILL');
  await first.finished;
  const second = new Ringside(t, ['run', '-c', two]);
  await second.waitFor(/HEP/);
  second.child.kill('SIGTERM');
  t.equal((await second.finished).code, 0);
});
