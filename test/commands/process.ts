import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Ringside's command line as a process of its own. */
export class Ringside {
  out = '';
  err = '';
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
  #waiting: (() => void)[] = [];

  constructor(t: Test, args: readonly string[], environment: Record<string, string> = {}) {
    this.child = spawn(process.execPath, [main, ...args], { env: { ...process.env, ...environment } });
    this.child.stdout!.on('data', (text: Buffer) => this.#take(() => (this.out += text.toString())));
    this.child.stderr!.on('data', (text: Buffer) => this.#take(() => (this.err += text.toString())));
    this.finished = new Promise((done) =>
      this.child.once('close', (code) => {
        done({ code, out: this.out, err: this.err });
        this.#take(() => {});
      }),
    );
    t.teardown(() => this.child.kill('SIGKILL'));
  }

  /** Resolves with the match as soon as the output has it; rejects if the process ends without. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.out + this.err);
      if (match) return match;
      if (this.child.exitCode !== null) throw new Error(`ended without ${pattern}: ${this.out}${this.err}`);
      await new Promise<void>((done) => this.#waiting.push(done));
    }
  }

  #take(change: () => void): void {
    change();
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export const ringside = (t: Test, ...args: string[]): Promise<Finished> => new Ringside(t, args).finished;
