import { dirname, resolve } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';
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
  readonly #watcher: FSWatcher;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string, listener: ConfigurationListener, environment: Environment = process.env) {
    this.#path = path;
    this.#listener = listener;
    this.#environment = environment;
    this.#watcher = watchFolderOf(path);
    this.#watcher.on('all', () => this.#schedule());
    this.#watcher.on('error', (error) => this.#reportBlindness(error as Error));
  }

  /** Resolves as soon as changes are seen. */
  async ready(): Promise<void> {
    await new Promise<void>((done) => this.#watcher.once('ready', done));
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

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
  }

  /** The machine can't tell changes, as when it watches too many files; `reload` still works. */
  #reportBlindness({ message }: Error): void {
    const text = `changes are not seen any more: ${message}`;
    this.#listener.onError(new OptionError(this.#path, [{ line: 0, column: 0, path: '', text }]));
  }

  /** Several changes in a row count as one: editors write in steps. */
  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.reload(), SETTLE_MS);
  }
}

/** Watches a file by its folder: a watch on the file itself goes blind when it is deleted and written at once. */
function watchFolderOf(path: string): FSWatcher {
  const file = resolve(path);
  const folder = dirname(file);
  const ignored = (seen: string): boolean => seen !== folder && seen !== file;
  return watch(folder, { ignored, depth: 0, ignoreInitial: true, atomic: SETTLE_MS });
}
