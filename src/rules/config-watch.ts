import { type FSWatcher, statSync, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { OptionError } from '../options.ts';
import { type Configuration, loadConfiguration } from './config-file.ts';
import type { Environment } from './environment.ts';

const SETTLE_MS = 50;

/** What became of a change of the file. */
export interface ConfigurationListener {
  onChange(configuration: Configuration): void;
  /** The file is broken, or gone: what was in force stays. */
  onError(error: OptionError): void;
}

/** Watches a configuration file, and reads it anew whenever it changes, whichever way an editor does that. */
export class ConfigurationWatch {
  readonly #path: string;
  readonly #listener: ConfigurationListener;
  readonly #environment: Environment;
  #watcher: FSWatcher | undefined;
  #seen: string;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, listener: ConfigurationListener, environment: Environment = process.env) {
    this.#path = path;
    this.#listener = listener;
    this.#environment = environment;
    this.#seen = fingerprint(path);
    try {
      this.#watcher = this.#watchFolder(resolve(path));
    } catch (error) {
      this.#reportBlindness(error as Error);
    }
  }

  /** Reads the file now. */
  reload(): void {
    try {
      this.#listener.onChange(loadConfiguration(this.#path, this.#environment));
    } catch (error) {
      if (!(error instanceof OptionError)) throw error;
      this.#listener.onError(error);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }

  /**
   * By its folder: a watch on the file itself goes blind when it is deleted and written at once. What is written into other
   * files there, such as the store, tells nothing; one that comes or goes may be a link on the way to the file.
   */
  #watchFolder(path: string): FSWatcher {
    const name = basename(path);
    const watcher = watch(dirname(path), (kind, changed) => {
      if (changed === name) this.#schedule();
      else if (kind === 'rename' && fingerprint(path) !== this.#seen) this.#schedule();
    });
    return watcher.on('error', (error) => this.#reportBlindness(error));
  }

  /** The machine can't tell changes, as when it watches too many files; `reload` still works. */
  #reportBlindness({ message }: Error): void {
    const text = `changes are not seen any more: ${message}`;
    this.#listener.onError(new OptionError(this.#path, [{ line: 0, column: 0, path: '', text }]));
  }

  /** Several changes in a row count as one: editors write in steps. */
  #schedule(): void {
    clearTimeout(this.#timer);
    this.#seen = fingerprint(this.#path);
    this.#timer = setTimeout(() => this.reload(), SETTLE_MS);
  }
}

/** Which file it is, behind links; empty if there is none. */
function fingerprint(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev} ${found.ino}` : '';
}
