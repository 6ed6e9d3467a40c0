import { appendFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

// Loaded into every thread of a program that is measured (--import): a line each minute, of the least that the heap held in
// it, which is what a collection left.

/** What a thread's heap held, in bytes. */
export interface HeapLine {
  readonly threadId: number;
  readonly heapUsed: number;
}

const LOOK_MILLISECONDS = 1000;
const LOOKS = 60;

function watch(file: string): void {
  let looks: number[] = [];
  const look = (): void => {
    looks.push(process.memoryUsage().heapUsed);
    if (looks.length < LOOKS) return;
    const line: HeapLine = { threadId, heapUsed: Math.min(...looks) };
    appendFileSync(file, `${JSON.stringify(line)}\n`);
    looks = [];
  };
  setInterval(look, LOOK_MILLISECONDS).unref();
}

const file = process.env['HEAP_LOG'];
if (file !== undefined) watch(file);
