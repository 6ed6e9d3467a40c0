import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';

/** A folder that nobody else has: the same test may run on both engines at once. */
export function ownFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'ringside-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
  return folder;
}
