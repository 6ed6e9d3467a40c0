import type { CallEvent } from '../calls/event.ts';
import type { CallTracker } from '../calls/tracker.ts';
import type { Dispatcher } from '../deliveries/dispatcher.ts';
import type { SqliteStore } from '../deliveries/store.ts';
import { type Logger, openLog } from '../log.ts';
import { type Configuration, loadConfiguration } from '../rules/config-file.ts';
import { ConfigurationWatch } from '../rules/config-watch.ts';
import type { Rule } from '../rules/rule.ts';
import { RuleBook } from '../rules/rule-book.ts';
import { HepListener, parseListenAddress } from '../sources/hep-listener.ts';
import { SourceCounts } from '../sources/source-counts.ts';
import { makeDispatcher, storePath } from './delivery-setup.ts';
import { describeConfiguration } from './describe.ts';
import { LiveClock } from './live-clock.ts';
import { connectPipeline } from './pipeline.ts';
import type { Surroundings } from './replay.ts';
import { makeDirectory, makeTracker } from './setup.ts';

const TICK_MS = 250;

/** Runs until stopped: listens, tracks calls, calls scripts. Returns the exit code. @throws OptionError, StoreError, Error */
export async function run(
  configPath: string,
  { out, signal }: Surroundings,
  onReload: (reload: () => void) => void,
): Promise<number> {
  const configuration = loadConfiguration(configPath);
  const server = new Server(configPath, configuration);
  const addresses = await server.start();
  for (const line of describeConfiguration(configuration, addresses)) out.write(`${line}\n`);
  out.write('Ctrl-C stops it.\n');
  onReload(() => server.reload());
  if (!signal.aborted) await new Promise((stopped) => signal.addEventListener('abort', stopped));
  out.write('Stopping.\n');
  await server.stop();
  out.write('Stopped. What is not delivered yet will be at the next start.\n');
  return 0;
}

/** Everything that runs, and how it is put together. */
class Server {
  readonly #tracker: CallTracker;
  readonly #dispatcher: Dispatcher;
  readonly #store: SqliteStore;
  readonly #hep: HepListener;
  readonly #watch: ConfigurationWatch;
  readonly #log: Logger;
  readonly #counts = new SourceCounts();
  readonly #drainMs: number;
  readonly #listen: readonly string[];
  #rules: readonly Rule[];
  #ruleBook: RuleBook;
  #ticking: NodeJS.Timeout | undefined;

  constructor(configPath: string, configuration: Configuration) {
    const { options, rules } = configuration;
    this.#log = openLog(options.log.level);
    this.#rules = rules;
    this.#ruleBook = new RuleBook(rules);
    this.#drainMs = options.delivery.drainTimeout;
    this.#listen = options.hep.listen;
    this.#tracker = makeTracker(configuration);
    const findRule = (id: string) => this.#rules.find((rule) => rule.id === id);
    const { dispatcher, store } = makeDispatcher(options, storePath(configPath, options), findRule, this.#log);
    this.#dispatcher = dispatcher;
    this.#store = store;
    const observe = connectPipeline(this.#tracker, (events) => this.#publish(events));
    const clock = new LiveClock(options.hep.maxClockSkew, observe, this.#log);
    this.#hep = new HepListener(clock.observe, this.#counts, Date.now);
    this.#watch = new ConfigurationWatch(configPath, {
      onChange: (changed) => this.#use(changed),
      onError: ({ message }) =>
        this.#log.error({ file: configPath }, `configuration refused, the old one stays:\n${message}`),
    });
  }

  /** Starts all parts; returns the addresses it listens on. */
  async start(): Promise<string[]> {
    const addresses = await this.#hep
      .listen(this.#listen.map((text) => parseListenAddress(text)!))
      .catch(async (error: unknown) => {
        await this.#closeStore();
        throw error;
      });
    this.#dispatcher.start();
    this.#ticking = setInterval(() => this.#publish(this.#tracker.expire(Date.now())), TICK_MS);
    return addresses;
  }

  reload(): void {
    this.#watch.reload();
  }

  /** In order: nothing new comes in, what came is stored, what is under way is finished. */
  async stop(): Promise<void> {
    clearInterval(this.#ticking);
    await this.#hep.close();
    await this.#dispatcher.stop(this.#drainMs);
    await this.#closeStore();
    const { messages, drops } = this.#counts;
    const { delivered, stale, dead } = this.#dispatcher.finished;
    this.#log.info({ messages, drops: Object.fromEntries(drops), delivered, stale, dead }, 'stopped');
  }

  async #closeStore(): Promise<void> {
    await this.#watch.close();
    this.#store.close();
  }

  #publish(events: readonly CallEvent[]): void {
    if (events.length === 0) return;
    this.#dispatcher.publish(events.map((event) => ({ event, rules: this.#ruleBook.match(event) })));
    for (const { event, extension, params } of events) {
      this.#log.info({ event, extension, status: params.CallStatus, call: params.CallAPIID }, 'call event');
    }
  }

  #use({ rules, tenants }: Configuration): void {
    this.#rules = rules;
    this.#ruleBook = new RuleBook(rules);
    this.#tracker.useDirectory(makeDirectory(tenants));
    this.#log.info(
      { rules: rules.length, tenants: tenants.length },
      'configuration reloaded: rules and tenants are in force',
    );
  }
}
