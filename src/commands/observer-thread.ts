import { Worker } from 'node:worker_threads';
import type { Logger } from '../log.ts';
import { ListenError } from '../sip/listen-address.ts';
import type { ObservationSink } from '../sip/observation.ts';
import type { ToHepThread } from './hep-messages.ts';
import { readBatch } from './observation-batch.ts';
import type { FromObserver } from './observer-messages.ts';
import type { FromEngine, ToThread } from './sip-messages.ts';

const RESTART_MS = 500;
const REPORT_MS = 60_000;
const YOUNG_MB = 64;

/** A thread that observes, and what to do with what it tells. */
export interface ObserverOptions {
  /** `sip`: runs `sip-thread.ts`. */
  readonly name: 'sip' | 'hep';
  /** What it is called in log lines. */
  readonly title: string;
  /** What it is started with, each time. */
  readonly makeStart: () => object;
  readonly onObservation: ObservationSink;
  readonly onEngine?: (message: FromEngine) => void;
  /** Of these drops the log says nothing. */
  readonly usualDrops?: readonly string[];
}

/** Our side of a thread that observes SIP: starts it, also when it died, and takes in what it hands over. */
export class ObserverThread {
  readonly #options: ObserverOptions;
  readonly #log: Logger;
  #worker: Worker | undefined;
  #isStopping = false;
  #until = 0;
  #drops: ReadonlyMap<string, number> = new Map();
  #reportedAt = 0;

  constructor(options: ObserverOptions, log: Logger) {
    this.#options = options;
    this.#log = log;
  }

  /** Epoch ms up to which all that was observed has been taken in. */
  get observedUntil(): number {
    return this.#until;
  }

  /** Input that was of no use since the start, by reason. */
  get drops(): ReadonlyMap<string, number> {
    return this.#drops;
  }

  /** Starts it; returns the addresses it listens on. @throws ListenError, Error where it fails in another way */
  start(): Promise<readonly string[]> {
    const { name, title, makeStart } = this.#options;
    this.#until = Date.now();
    return new Promise((done, fail) => {
      const worker = new Worker(new URL(`./${name}-thread.ts`, import.meta.url), {
        workerData: makeStart(),
        name,
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      });
      this.#worker = worker;
      worker.on('message', (message: FromObserver | FromEngine) => {
        if (message.kind === 'started') done(message.addresses);
        else if (message.kind === 'refused') fail(new ListenError(message.text));
        else this.#take(message);
      });
      worker.on('error', (error: Error) => {
        this.#log.error({ error: error.stack }, `${title} failed`);
        fail(new Error(`${title} failed before it listened: ${error.message}`, { cause: error }));
      });
      worker.on('exit', (code) => {
        fail(new Error(`${title} ended before it listened, with code ${code}`));
        this.#onExit();
      });
    });
  }

  tell(message: ToThread | ToHepThread): void {
    this.#worker?.postMessage(message);
  }

  /** Tells it to stop, and waits until all that it observed is taken in. */
  async stop(message: ToThread | ToHepThread): Promise<void> {
    this.#isStopping = true;
    const worker = this.#worker;
    if (!worker) return;
    const exited = new Promise((done) => worker.once('exit', done));
    this.tell(message);
    await exited;
  }

  #take(message: FromObserver | FromEngine): void {
    switch (message.kind) {
      case 'batch':
        readBatch(message.memory, message.length, this.#options.onObservation);
        this.#until = message.until;
        return this.tell({ kind: 'done' });
      case 'drops':
        return this.#report(message.drops);
      case 'log':
        return this.#log[message.level](message.about, message.text);
      case 'routed':
      case 'upstream':
      case 'bindings':
        return this.#options.onEngine?.(message);
    }
  }

  #report(drops: ReadonlyMap<string, number>): void {
    const { name, usualDrops = [] } = this.#options;
    const isNews = [...drops].some(
      ([reason, count]) => count !== this.#drops.get(reason) && !usualDrops.includes(reason),
    );
    this.#drops = drops;
    if (!isNews || Date.now() - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = Date.now();
    this.#log.warn({ drops: Object.fromEntries(drops) }, `${name.toUpperCase()} input was dropped`);
  }

  /** What it is there for must go on: it begins anew. */
  #onExit(): void {
    const { title } = this.#options;
    this.#worker = undefined;
    this.#until = Infinity;
    if (this.#isStopping) return;
    setTimeout(() => {
      if (this.#isStopping) return;
      this.start().then(
        () => this.#log.warn(`${title} runs again`),
        (error: Error) => this.#log.error({ error: error.message }, `${title} does not start`),
      );
    }, RESTART_MS);
  }
}
