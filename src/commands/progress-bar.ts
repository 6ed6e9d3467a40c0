import type { TextOutput } from './output.ts';

const WIDTH = 30;
const INTERVAL_MS = 100;

/** Shows on a terminal how much of a file is read; elsewhere nothing. */
export class ProgressBar {
  readonly #output: TextOutput;
  readonly #name: string;
  #shownAt = Date.now(); // short files end before anything is shown

  constructor(output: TextOutput, name: string) {
    this.#output = output;
    this.#name = name;
  }

  show(read: number, total: number | undefined): void {
    const now = Date.now();
    if (!this.#output.isTTY || now - this.#shownAt < INTERVAL_MS) return;
    this.#shownAt = now;
    const megabytes = `${(read / 1e6).toFixed(0)} MB`;
    if (total === undefined || total === 0) return void this.#output.write(`\r\x1b[K${this.#name} ${megabytes}`);
    const done = Math.min(WIDTH, Math.round((read / total) * WIDTH));
    const bar = '#'.repeat(done).padEnd(WIDTH, '.');
    this.#output.write(`\r\x1b[K${this.#name} [${bar}] ${Math.floor((read / total) * 100)}% ${megabytes}`);
  }

  clear(): void {
    if (this.#output.isTTY) this.#output.write('\r\x1b[K');
  }
}
