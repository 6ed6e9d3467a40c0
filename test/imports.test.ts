import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import t from 'tap';

/** What each folder may import besides itself; the folder listing is the architecture. */
const MAY_IMPORT: { readonly [folder: string]: readonly string[] } = {
  'sip': [],
  'sources': ['sip'],
  'proxy': ['sip'],
  'calls': ['sip'],
  'explain': ['sip', 'calls'],
  'rules': ['calls', 'options.ts', 'rule-options.ts', 'log.ts'],
  'deliveries': ['calls', 'rules', 'options.ts', 'log.ts'],
  'api': [
    'sip',
    'sources',
    'proxy',
    'calls',
    'explain',
    'rules',
    'deliveries',
    'rule-options.ts',
    'http-options.ts',
    'options.ts',
    'log.ts',
  ],
  'web': ['api/types.ts'],
  'commands': [
    'sip',
    'sources',
    'proxy',
    'calls',
    'explain',
    'rules',
    'deliveries',
    'api',
    'options.ts',
    'option-types.ts',
    'log.ts',
  ],
  'options.ts': ['option-types.ts', 'delivery-options.ts', 'rule-options.ts', 'sip-options.ts', 'http-options.ts'],
  'delivery-options.ts': ['option-types.ts', 'rule-options.ts'],
  'rule-options.ts': ['calls/event.ts', 'option-types.ts'],
  'sip-options.ts': ['option-types.ts'],
  'http-options.ts': ['option-types.ts'],
  'option-types.ts': [],
  'log.ts': [],
  'main.ts': ['commands'],
};

const root = new URL('..', import.meta.url).pathname;
const files = globSync('src/**/*.{ts,tsx}', { cwd: root }).map((file) => file.slice('src/'.length));

/** Files of the project that a file imports, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)].map((match) =>
    normalize(join(dirname(file), match[1]!)),
  );
}

const partOf = (file: string): string => file.split('/')[0]!;

t.test('imports point down', (t) => {
  t.ok(files.length > 20, 'there are files to look at');
  for (const file of files) {
    const part = partOf(file);
    const allowed = MAY_IMPORT[part];
    if (!t.ok(allowed, `${part} has a place in the architecture`)) continue;
    const wrong = importsOf(file).filter(
      (target) => partOf(target) !== part && !allowed!.includes(partOf(target)) && !allowed!.includes(target),
    );
    t.strictSame(wrong, [], `${file} imports only what lies below`);
  }
  t.end();
});

t.test('no cycles', (t) => {
  const imports = new Map(files.map((file) => [file, importsOf(file)]));
  const done = new Set<string>();
  const findCycle = (file: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const cycle = findCycle(next, [...path, file]);
      if (cycle) return cycle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of files) {
    const cycle = findCycle(file, []);
    if (cycle) return t.fail(cycle.join(' -> '));
  }
  t.pass('none');
  t.end();
});
