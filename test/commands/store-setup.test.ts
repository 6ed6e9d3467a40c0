import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openStore } from '../../src/commands/store-setup.ts';
import { StoreError, StoreFile } from '../../src/deliveries/store-file.ts';
import type { Logger } from '../../src/log.ts';
import { FakeLog } from '../deliveries/harness.ts';

function open(t: Test, path: string) {
  const log = new FakeLog();
  const file = openStore(path, log as unknown as Logger);
  t.teardown(() => file.close());
  const told = log.lines.map(({ level, message }) => `${level}: ${message}`);
  return { file, told };
}

t.test('a sound store is opened, or made', (t) => {
  const path = join(t.testdir({}), 'ringside.db');
  t.match(open(t, path), { file: { path }, told: [] });
  t.match(open(t, path), { file: { path }, told: [] });
  t.end();
});

t.test('a damaged store is put aside, and a new one begun', (t) => {
  const table: [name: string, damage: (path: string) => void][] = [
    ['no database', (path) => writeFileSync(path, 'This is no database. '.repeat(200))],
    [
      'pages of nonsense',
      (path) => {
        const file = new StoreFile(path);
        for (let i = 0; i < 500; i++) {
          file.read('INSERT INTO calls VALUES (?, ?)', i, 'x'.repeat(500));
        }
        file.close();
        const handle = Buffer.alloc(4096 * 20, 0x5a);
        writeFileSync(path, handle, { flag: 'r+', flush: true });
        writeFileSync(path, Buffer.from('SQLite format 3\0'), { flag: 'r+' });
      },
    ],
  ];
  for (const [name, damage] of table) {
    const folder = t.testdir({});
    const path = join(folder, 'ringside.db');
    damage(path);
    const { file, told } = open(t, path);
    t.strictSame(told, ['error: the store is damaged: it was put aside, and a new one begun'], name);
    t.equal(file.path, path);
    t.equal(file.read('SELECT count(*) AS count FROM calls')[0]!.count, 0);
    t.ok(
      readdirSync(folder).some((found) => found.startsWith('ringside.db.damaged-')),
      'nothing is thrown away',
    );
  }
  t.end();
});

const isRoot = process.getuid?.() === 0;
t.test(
  'one that can not be written: memory has to do',
  { skip: isRoot && 'SKIPPED: root may write everywhere' },
  (t) => {
    const folder = t.testdir({});
    const path = join(folder, 'ringside.db');
    new StoreFile(path).close();
    chmodSync(path, 0o400);
    chmodSync(folder, 0o500);
    t.match(open(t, path), { file: { path: ':memory:' }, told: [/^error: the store is of no use/] });
    chmodSync(folder, 0o700);
    t.end();
  },
);

t.test('what the operator can mend is an error', (t) => {
  const folder = t.testdir({ 'folder.db': {} });
  const newer = new StoreFile(join(folder, 'newer.db'));
  newer.read('PRAGMA user_version = 99');
  newer.close();
  for (const name of ['missing/ringside.db', 'folder.db', 'newer.db']) {
    t.throws(() => open(t, join(folder, name)), StoreError, name);
  }
  t.notOk(existsSync(join(folder, 'missing')));
  t.end();
});
