import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import { defineConfig, type Plugin } from 'vite';

const OUTPUT = join(import.meta.dirname, 'dist/web');
const COMPRESSIBLE = /\.(html|js|css|svg|webmanifest)$/;
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };

/** Puts a `.br` and a `.gz` beside every file of the page, so that nothing is compressed while it is served. */
const precompress: Plugin = {
  name: 'precompress',
  apply: 'build',
  async closeBundle() {
    const entries = await readdir(OUTPUT, { recursive: true });
    await Promise.all(
      entries.filter((entry) => COMPRESSIBLE.test(entry)).map((entry) => compress(join(OUTPUT, entry))),
    );
  },
};

async function compress(path: string): Promise<void> {
  const text = await readFile(path);
  await writeFile(`${path}.br`, await promisify(brotliCompress)(text, BROTLI));
  await writeFile(`${path}.gz`, await promisify(gzip)(text, { level: 9 }));
}

/** Nothing is painted before the theme that was chosen is known; Vite drops this attribute of the entry. */
const blockRender: Plugin = {
  name: 'block-render',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module"', '<script type="module" blocking="render"'),
  },
};

export default defineConfig({
  root: join(import.meta.dirname, 'src/web'),
  plugins: [blockRender, precompress],
  build: { outDir: OUTPUT, emptyOutDir: true, target: 'es2023', assetsInlineLimit: 0, reportCompressedSize: false },
});
