import type { CallEvent } from '../calls/event.ts';
import type { CallTracker } from '../calls/tracker.ts';
import type { Dispatcher } from '../deliveries/dispatcher.ts';
import { formatRequest, type ScriptRequest } from '../deliveries/request.ts';
import { type Configuration, loadConfiguration } from '../rules/config-file.ts';
import { RuleBook } from '../rules/rule-book.ts';
import type { ObservationSink } from '../sip/observation.ts';
import { readCapture } from '../sources/capture-file.ts';
import { SourceCounts } from '../sources/source-counts.ts';
import { type EventPrinter, LineWriter, printJson, printTable, type TextOutput } from './output.ts';
import { Pacer } from './pacer.ts';
import { connectPipeline } from '../calls/pipeline.ts';
import { ProgressBar } from './progress-bar.ts';
import { EventCounts, formatSummary } from './replay-summary.ts';
import { makeTracker, OPEN_CONFIGURATION } from './setup.ts';

export interface ReplayOptions {
  readonly config?: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly pace: 'real' | 'fast';
  /** Print no events: the summary only. */
  readonly quiet: boolean;
  /** How long to wait at the end for requests that are not answered yet, in ms. */
  readonly waitMs: number;
}

/** Where a command writes, and what stops it. */
export interface Surroundings {
  readonly out: TextOutput;
  readonly err: TextOutput;
  readonly signal: AbortSignal;
}

/** Replays captures through the pipeline. Returns the exit code: 0, or 1 if requests were not delivered. @throws CaptureError, OptionError */
export async function replay(
  files: readonly string[],
  options: ReplayOptions,
  surroundings: Surroundings,
): Promise<number> {
  const configuration = options.config === undefined ? OPEN_CONFIGURATION : loadConfiguration(options.config);
  if (options.config === undefined) {
    surroundings.err.write('No configuration: every SIP user counts as an extension, and nothing is sent.\n');
  }
  const isSending = !options.dryRun && configuration.rules.length > 0;
  const dispatcher = isSending ? await openDispatcher(configuration) : undefined;
  return new Replay(configuration, options, surroundings, dispatcher).run(files);
}

/** In memory: what is replayed has nothing to do with what waits in the outbox of a running Ringside. */
async function openDispatcher({ options, rules }: Configuration): Promise<Dispatcher> {
  // Loaded only where something is sent: a dry run starts faster so.
  const [{ makeDispatcher }, { SqliteStore }, { StoreFile }, { openLog }] = await Promise.all([
    import('./delivery-setup.ts'),
    import('../deliveries/store.ts'),
    import('../deliveries/store-file.ts'),
    import('../log.ts'),
  ]);
  const findRule = (id: string) => rules.find((rule) => rule.id === id);
  const store = new SqliteStore(new StoreFile(':memory:'));
  return makeDispatcher(options, { store, findRule, log: openLog(options.log.level) });
}

class Replay {
  readonly #options: ReplayOptions;
  readonly #surroundings: Surroundings;
  readonly #tracker: CallTracker;
  readonly #rules: RuleBook;
  readonly #lines: LineWriter;
  readonly #print: EventPrinter | undefined;
  readonly #dispatcher: Dispatcher | undefined;
  readonly #counts = new SourceCounts();
  readonly #events = new EventCounts();

  constructor(
    configuration: Configuration,
    options: ReplayOptions,
    surroundings: Surroundings,
    dispatcher: Dispatcher | undefined,
  ) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#tracker = makeTracker(configuration);
    this.#rules = new RuleBook(configuration.rules);
    this.#lines = new LineWriter(surroundings.out);
    if (!options.quiet) this.#print = options.json ? printJson(this.#lines) : printTable(this.#lines);
    this.#dispatcher = dispatcher;
  }

  async run(files: readonly string[]): Promise<number> {
    const observe = connectPipeline(this.#tracker, (events) => this.#publish(events));
    this.#dispatcher?.start();
    const began = performance.now();
    for (const file of files) await this.#read(file, observe);
    this.#publish(this.#tracker.expire(Infinity));
    this.#lines.flush();
    const elapsedMs = performance.now() - began;
    const undelivered = await this.#deliver();
    const output = this.#options.json ? this.#surroundings.err : this.#surroundings.out;
    for (const line of formatSummary(this.#counts, this.#tracker, this.#events, elapsedMs)) output.write(`${line}\n`);
    return undelivered ? 1 : 0;
  }

  async #read(file: string, observe: ObservationSink): Promise<void> {
    const { err, signal } = this.#surroundings;
    const bar = new ProgressBar(err, file);
    const pacer = this.#options.pace === 'real' ? new Pacer(observe) : undefined;
    const stop = (): void => pacer?.stop();
    signal.addEventListener('abort', stop);
    await readCapture(file, pacer ? (observation) => pacer.push(observation) : observe, {
      counts: this.#counts,
      signal,
      onBytes: (read, total) => bar.show(read, total),
      beforeNextChunk: () => {
        this.#lines.flush();
        return pacer?.waitBelow();
      },
    });
    await pacer?.waitBelow(1);
    signal.removeEventListener('abort', stop);
    bar.clear();
  }

  #publish(events: readonly CallEvent[]): void {
    for (const event of events) this.#publishOne(event);
    if (this.#options.pace === 'real') this.#lines.flush();
  }

  #publishOne(event: CallEvent): void {
    this.#events.add(event);
    const rules = this.#rules.match(event);
    this.#dispatcher?.publish([{ event, rules }]);
    if (!this.#print) return;
    const requests: ScriptRequest[] = this.#options.dryRun ? rules.map((rule) => formatRequest(event, rule)) : [];
    this.#print(event, requests);
  }

  /** Whether requests remained undelivered. */
  async #deliver(): Promise<boolean> {
    const dispatcher = this.#dispatcher;
    if (!dispatcher) return false;
    const isDone = await dispatcher.settle(this.#surroundings.signal.aborted ? 0 : this.#options.waitMs);
    const { delivered, stale, dead } = dispatcher.finished;
    const { pending, dropped } = dispatcher;
    await dispatcher.stop(0);
    const failed = [
      stale && `${stale} stale`,
      dead && `${dead} failed`,
      !isDone && `${pending} not delivered in time`,
      dropped && `${dropped} dropped`,
    ];
    const text = failed.filter(Boolean).join(', ');
    this.#surroundings.err.write(`${delivered} requests delivered${text === '' ? '' : `, ${text}`}\n`);
    return text !== '';
  }
}
