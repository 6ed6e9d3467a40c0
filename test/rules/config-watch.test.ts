import { EventEmitter, once } from 'node:events';
import { renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigurationWatch } from '../../src/rules/config-watch.ts';

const watchFile = (t: Test) => watchPath(t, join(t.testdir({ 'f.yaml': 'store: first\n' }), 'f.yaml'));

/** Watches a file; `next` resolves with the store that comes into force, or with the error. */
function watchPath(t: Test, path: string) {
  const told: string[] = [];
  const bell = new EventEmitter();
  const tell = (what: string): void => {
    told.push(what);
    bell.emit('told');
  };
  const watch = new ConfigurationWatch(
    path,
    {
      onChange: ({ options }) => tell(options.store),
      onError: ({ message }) => tell(message.replaceAll(path, 'f.yaml')),
    },
    {},
  );
  t.teardown(() => watch.close());
  const next = async (): Promise<string> => {
    if (told.length === 0) await once(bell, 'told');
    return told.shift()!;
  };
  return { path, watch, told, next };
}

t.test('whichever way an editor saves', async (t) => {
  const { path, next } = watchFile(t);
  const other = `${path}.tmp`;
  const replace = (text: string): void => {
    writeFileSync(other, text);
    renameSync(other, path);
  };
  const saves: readonly [name: string, save: (text: string) => void][] = [
    ['in place', (text) => writeFileSync(path, text)],
    ['by rename', replace],
    ['by rename once more', replace],
    ['in place after a rename', (text) => writeFileSync(path, text)],
    ['with a backup', (text) => (renameSync(path, `${path}~`), writeFileSync(path, text))],
    ['deleted and written at once', (text) => (unlinkSync(path), writeFileSync(path, text))],
    ['in place at last', (text) => writeFileSync(path, text)],
  ];
  for (const [i, [name, save]] of saves.entries()) {
    save(`store: number-${i}\n`);
    t.equal(await next(), `number-${i}`, name);
  }
});

t.test('a file that goes and comes back', async (t) => {
  const { path, next } = watchFile(t);
  for (const store of ['second', 'third']) {
    rmSync(path);
    t.equal(await next(), 'f.yaml: no such file');
    writeFileSync(path, `store: ${store}\n`);
    t.equal(await next(), store);
  }
});

t.test('a link to a folder that is swapped, as Kubernetes does', async (t) => {
  const folder = t.testdir({ '..1': { 'f.yaml': 'store: first\n' }, '..2': { 'f.yaml': 'store: second\n' } });
  symlinkSync('..1', join(folder, '..data'));
  symlinkSync(join('..data', 'f.yaml'), join(folder, 'f.yaml'));
  const { next } = watchPath(t, join(folder, 'f.yaml'));
  symlinkSync('..2', join(folder, '..new'));
  renameSync(join(folder, '..new'), join(folder, '..data'));
  rmSync(join(folder, '..1'), { recursive: true });
  t.equal(await next(), 'second');
});

t.test('a broken file is told, and a mended one', async (t) => {
  const { path, next } = watchFile(t);
  writeFileSync(path, 'log: {}\nstor: x\n');
  t.equal(await next(), 'f.yaml:2:1: stor: no such option; did you mean store?');
  writeFileSync(path, 'log: {}\nstore: mended\n');
  t.equal(await next(), 'mended');
});

t.test('quick saves count as one', async (t) => {
  const { path, told, next } = watchFile(t);
  for (let i = 0; i <= 20; i++) writeFileSync(path, `store: number-${i}\n`);
  t.equal(await next(), 'number-20');
  writeFileSync(path, 'store: end\n');
  t.equal(await next(), 'end', 'nothing came between');
  t.strictSame(told, []);
});

t.test('reload reads without a change', (t) => {
  const { watch, told } = watchFile(t);
  watch.reload();
  t.strictSame(told, ['first']);
  t.end();
});

t.test('a closed watch tells nothing', async (t) => {
  const closed = watchFile(t);
  closed.watch.close();
  const bell = new EventEmitter();
  const tell = () => bell.emit('told');
  const control = new ConfigurationWatch(closed.path, { onChange: tell, onError: tell }, {});
  t.teardown(() => control.close());
  for (const store of ['second', 'third']) {
    const seen = once(bell, 'told');
    writeFileSync(closed.path, `store: ${store}\n`);
    await seen;
  }
  t.strictSame(closed.told, [], 'while another one saw two changes');
});
