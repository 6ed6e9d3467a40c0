import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

// What browsers load, as `npm run build` made it.

const folder = new URL('../../dist/web', import.meta.url).pathname;
const MAX_BYTES = 150_000;

t.test('the page is small, and there compressed in two ways', (t) => {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\.(html|js|css|svg)$/.test(file),
  );
  t.ok(files.length >= 4, 'index, script, styles, icon');
  for (const suffix of ['.br', '.gz']) {
    t.ok(
      files.every((file) => existsSync(join(folder, `${file}${suffix}`))),
      `each has its ${suffix}`,
    );
    const bytes = files.reduce((sum, file) => sum + statSync(join(folder, `${file}${suffix}`)).size, 0);
    t.ok(bytes < MAX_BYTES, `${bytes} bytes ${suffix}`);
  }
  t.end();
});

t.test('nothing stands in the document itself that a strict policy forbids', (t) => {
  const html = readFileSync(join(folder, 'index.html'), 'utf8');
  t.notMatch(html, /<style|style=|\son\w+=|javascript:|https?:\/\//i);
  t.strictSame(
    [...html.matchAll(/<script([^>]*)>([^<]*)/g)].map(([, attributes, text]) => [/src=/.test(attributes!), text]),
    [[true, '']],
  );
  t.match(html, 'blocking="render"', 'nothing is painted before the theme is known');
  t.end();
});
