import { existsSync, readFileSync } from 'node:fs';
import type { HeapLine } from './heap-log.ts';
import { megabytes } from './processes.ts';

/** What the heaps of all threads held last, the main one first. */
export function heaps(file: string): string {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  const newest = new Map<number, number>();
  for (const line of lines) {
    const { threadId, heapUsed } = JSON.parse(line) as HeapLine;
    newest.set(threadId, heapUsed);
  }
  return [...newest.values()].map(megabytes).join(' + ');
}
