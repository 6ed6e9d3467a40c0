import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './ports.ts';

const KILL_MS = 3000;

const kept = new Set<Program>();
process.on('exit', () => {
  for (const program of kept) program.abandon();
});

/** A program that runs beside the test, with a folder of its own that goes with it. */
export class Program {
  readonly name: string;
  readonly folder: string;
  /** What it wrote, both streams. */
  output = '';
  code: number | null = null;
  readonly #lastSignal: NodeJS.Signals;
  #child: ChildProcess | undefined;
  #done = Promise.resolve();

  /** `lastSignal` is what it gets if it still runs when the test ends; by force, its own children would stay. */
  constructor(name: string, lastSignal: NodeJS.Signals = 'SIGKILL') {
    this.name = name;
    this.#lastSignal = lastSignal;
    this.folder = mkdtempSync(join(tmpdir(), `${name}-`));
    kept.add(this);
  }

  start(args: readonly string[], env: Readonly<Record<string, string>> = {}): this {
    const path = findProgram(this.name);
    if (path === undefined) throw new Error(`${this.name} is not installed`);
    const options = { cwd: this.folder, env: { ...process.env, TERM: 'dumb', ...env } };
    const child = spawn(path, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (data: Buffer) => (this.output += data.toString()));
    }
    this.#child = child;
    this.#done = once(child, 'close').then(([code]) => void (this.code = code as number | null));
    return this;
  }

  /** Also if it never began. */
  get hasEnded(): boolean {
    return !this.#child || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** Until it has ended by itself, or is ended after some time. */
  async wait(timeoutMs: number): Promise<number | null> {
    const timer = setTimeout(() => this.signal('SIGKILL'), timeoutMs);
    await this.#done;
    clearTimeout(timer);
    return this.code;
  }

  signal(name: NodeJS.Signals): void {
    if (!this.hasEnded) this.#child?.kill(name);
  }

  /** Ends it, by force if it takes too long, and removes its folder. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.signal(signal);
    await this.wait(KILL_MS);
    this.discard();
  }

  /** Leaves nothing of it behind, without waiting. */
  abandon(): void {
    this.signal(this.#lastSignal);
    this.discard();
  }

  /** Removes its folder. */
  discard(): void {
    kept.delete(this);
    rmSync(this.folder, { recursive: true, force: true });
  }
}
