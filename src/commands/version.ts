import { readFileSync } from 'node:fs';

interface Package {
  readonly version: string;
}

/** Version of this program. */
export const VERSION = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as Package)
  .version;
