import type { Directory } from '../calls/directory.ts';
import type { CallEvent } from '../calls/event.ts';
import type { CallTracker } from '../calls/tracker.ts';
import { Metrics, type MetricsSource } from '../api/metrics.ts';
import { ApiRules } from '../api/rules/api-rules.ts';
import { RuleStore } from '../api/rules/rule-store.ts';
import { GoneRules } from '../deliveries/gone-rules.ts';
import { DeliveryRecords } from '../deliveries/delivery-records.ts';
import type { Dispatcher } from '../deliveries/dispatcher.ts';
import { SqliteStore } from '../deliveries/store.ts';
import type { StoreFile } from '../deliveries/store-file.ts';
import { StoreLock } from '../deliveries/store-lock.ts';
import { type Logger, openLog } from '../log.ts';
import { type Configuration, loadConfiguration } from '../rules/config-file.ts';
import { ConfigurationWatch } from '../rules/config-watch.ts';
import { RuleSet } from '../rules/rule-set.ts';
import type { Address, Observation } from '../sip/observation.ts';
import { ApiFront } from './api-front.ts';
import { makeDispatcher, storePath } from './delivery-setup.ts';
import { describeConfiguration } from './describe.ts';
import { HepFront } from './hep-front.ts';
import { LivePipeline } from './live-pipeline.ts';
import type { Surroundings } from './replay.ts';
import { makeDirectory, makeTracker } from './setup.ts';
import { SipFront } from './sip-front.ts';
import { hasEngine, makeHepStart, makeThreadStart, readCertificates, readPeers } from './sip-setup.ts';
import { SipState } from './sip-state.ts';
import { openStore } from './store-setup.ts';

const TICK_MS = 250;
const LOCK_WAIT_MS = 2000;
const TICKS_A_SECOND = 4;

/** Runs until stopped: listens, tracks calls, calls scripts. Returns the exit code. @throws OptionError, StoreError, Error */
export async function run(
  configPath: string,
  { out, signal }: Surroundings,
  onReload: (reload: () => void) => void,
): Promise<number> {
  const configuration = loadConfiguration(configPath);
  const print = (line: string): void => void out.write(`${line}\n`);
  const server = new Server(configPath, configuration, print);
  const addresses = await server.start();
  for (const line of describeConfiguration(configuration, addresses.hep, addresses.sip)) print(line);
  for (const line of addresses.page) print(line);
  out.write('Ctrl-C stops it.\n');
  onReload(() => server.reload());
  if (!signal.aborted) await new Promise((stopped) => signal.addEventListener('abort', stopped));
  out.write('Stopping.\n');
  await server.stop();
  out.write('Stopped. What is not delivered yet will be at the next start.\n');
  return 0;
}

/** What it listens on, and what the operator is told of the page. */
interface Addresses {
  readonly hep: readonly string[];
  readonly sip: readonly string[];
  readonly page: readonly string[];
}

/** Everything that runs, and how it is put together. */
class Server {
  readonly #tracker: CallTracker;
  readonly #pipeline: LivePipeline;
  readonly #dispatcher: Dispatcher;
  readonly #metrics: Metrics;
  readonly #lock: StoreLock;
  readonly #file: StoreFile;
  readonly #store: SqliteStore;
  readonly #hep: HepFront | undefined;
  readonly #state: SipState;
  readonly #sip: SipFront | undefined;
  readonly #watch: ConfigurationWatch;
  readonly #log: Logger;
  readonly #ruleSet: RuleSet;
  readonly #apiRules: ApiRules;
  readonly #gone: GoneRules;
  readonly #api: ApiFront | undefined;
  readonly #configPath: string;
  readonly #drainMs: number;
  readonly #sipDrainMs: number;
  #configuration: Configuration;
  #directory: Directory;
  /** Where the PBX was found to be, once that is known. */
  #upstream: readonly Address[] | undefined;
  #ticking: NodeJS.Timeout | undefined;
  #ticks = 0;
  /** SIP messages that came as HEP. */
  #packets = 0;

  constructor(configPath: string, configuration: Configuration, print: (line: string) => void) {
    const { options, rules } = configuration;
    this.#configPath = configPath;
    this.#log = openLog(options.log.level);
    this.#configuration = configuration;
    this.#ruleSet = new RuleSet(rules);
    this.#drainMs = options.delivery.drainTimeout;
    this.#sipDrainMs = options.sip.drainTimeout;
    this.#directory = makeDirectory(configuration);
    this.#tracker = makeTracker(configuration);
    this.#lock = new StoreLock(storePath(configPath, options), LOCK_WAIT_MS);
    this.#file = openStore(storePath(configPath, options), this.#log);
    this.#store = new SqliteStore(this.#file);
    this.#metrics = new Metrics(this.#describe());
    this.#state = new SipState(this.#file.path, this.#log);
    this.#gone = new GoneRules(this.#file, this.#log, () => this.#api?.tellRules());
    this.#apiRules = new ApiRules(
      new RuleStore(this.#file),
      { options, directory: this.#directory },
      options.http.limits,
      (changed) => {
        this.#ruleSet.useApi(changed);
        this.#gone.use(this.#ruleSet.all);
        this.#api?.tellRules();
      },
    );
    this.#api = options.http.listen === undefined ? undefined : this.#makeApi(print);
    this.#dispatcher = makeDispatcher(options, {
      store: this.#api?.watch(this.#store) ?? this.#store,
      findRule: this.#ruleSet.find,
      log: this.#log,
      takeCalls: (all) => this.#tracker.takeChanges(all),
      meter: this.#metrics,
      gone: this.#gone,
    });
    this.#pipeline = new LivePipeline(
      this.#tracker,
      (events, cause) => this.#publish(events, cause === undefined),
      (byMs) => this.#leap(byMs),
    );
    const observe = (observation: Observation): void => {
      this.#pipeline.observe(observation);
      this.#api?.observe(observation);
    };
    const takeHep = (observation: Observation): void => {
      this.#packets++;
      if (this.#sip?.admit(observation) ?? true) observe(observation);
    };
    const hepStart = makeHepStart(options);
    this.#hep = hepStart.listen.length > 0 ? new HepFront(hepStart, takeHep, this.#log) : undefined;
    if (hasEngine(options.sip)) {
      const start = makeThreadStart(configPath, configuration, this.#state.secret());
      this.#sip = new SipFront(
        start,
        this.#state,
        { onObservation: observe, onUpstream: (places) => this.#useUpstream(places) },
        this.#log,
      );
    }
    this.#watch = new ConfigurationWatch(configPath, {
      onChange: (changed) => this.#use(changed),
      onError: ({ message }) =>
        this.#log.error({ file: configPath }, `configuration refused, the old one stays:\n${message}`),
    });
  }

  /** Starts all parts; returns the addresses it listens on. */
  async start(): Promise<Addresses> {
    try {
      this.#restore();
      const hep = (await this.#hep?.start()) ?? [];
      const sip = (await this.#sip?.start()) ?? [];
      const page = this.#api ? [`API and page on ${await this.#api.start()}.`, this.#api.describe()] : [];
      this.#dispatcher.start();
      this.#ticking = setInterval(() => this.#tick(), TICK_MS);
      return { hep, sip, page: page.filter((line) => line !== '') };
    } catch (error) {
      await this.#api?.stop();
      await this.#sip?.stop(0);
      await this.#hep?.stop();
      this.#closeStore();
      throw error;
    }
  }

  /** What metrics are made of. */
  #describe(): MetricsSource {
    const records = new DeliveryRecords(this.#file);
    return {
      scripts: () => this.#dispatcher.scripts(),
      oldestWaitingAt: () => (this.#dispatcher.storeFailure === undefined ? records.oldestWaitingAt() : undefined),
      isStoreSound: () => this.#dispatcher.storeFailure === undefined,
      legs: () => this.#tracker.legCount,
      messages: () => this.#tracker.messages,
      drops: () => this.#drops(this.#tracker.drops),
    };
  }

  /** What was of no use, by reason: what is given, and of the threads that observe. */
  #drops(others: ReadonlyMap<string, number> = new Map()): ReadonlyMap<string, number> {
    const sum = new Map(others);
    for (const part of [this.#hep, this.#sip]) {
      for (const [reason, count] of part?.drops ?? []) sum.set(reason, (sum.get(reason) ?? 0) + count);
    }
    return sum;
  }

  /** Calls that were up when the last run ended go on. */
  #restore(): void {
    const calls = this.#store.calls();
    this.#tracker.restore(calls);
    this.#tracker.takeChanges();
    this.#api?.restore(calls);
    if (calls.length > 0) this.#log.info({ calls: calls.length }, 'calls of the last run go on');
  }

  reload(): void {
    this.#watch.reload();
  }

  /** In order: nothing new comes in, what came is stored, what is under way is finished. */
  async stop(): Promise<void> {
    await this.#api?.stop();
    await this.#sip?.stop(this.#sipDrainMs);
    clearInterval(this.#ticking);
    await this.#hep?.stop();
    await this.#dispatcher.stop(this.#drainMs);
    this.#closeStore();
    const { delivered, stale, dead } = this.#dispatcher.finished;
    const drops = Object.fromEntries(this.#drops());
    this.#log.info(
      { messages: this.#tracker.messages, packets: this.#packets, drops, delivered, stale, dead },
      'stopped',
    );
  }

  /** Time passes up to what has been observed, so that nothing is taken for missing that only waits to be looked at. */
  #tick(): void {
    if (++this.#ticks % TICKS_A_SECOND === 0) {
      this.#dispatcher.keepCalls();
      this.#dispatcher.takeRequeued();
    }
    this.#pipeline.tick(Math.min(...[this.#hep, this.#sip].map((part) => part?.observedUntil ?? Infinity)));
  }

  #leap(byMs: number): void {
    this.#dispatcher.leap(byMs);
    this.#log.warn({ byMs: Math.round(byMs) }, 'the system clock was set: calls and deliveries go along');
  }

  #closeStore(): void {
    this.#watch.close();
    this.#state.close();
    this.#file.close();
    this.#lock.release();
  }

  #publish(events: readonly CallEvent[], isTimed: boolean): void {
    this.#dispatcher.publish(events.map((event) => ({ event, rules: this.#ruleSet.match(event) })));
    this.#api?.tell(events, isTimed);
    for (const one of events) {
      this.#metrics.event(one);
      const { event, extension, params } = one;
      this.#log.info({ event, extension, status: params.CallStatus, call: params.CallAPIID }, 'call event');
    }
  }

  #useUpstream(places: readonly Address[]): void {
    this.#upstream = places;
    this.#useDirectory();
  }

  #useDirectory(): void {
    this.#directory = makeDirectory(this.#configuration, this.#upstream);
    this.#tracker.useDirectory(this.#directory);
    this.#apiRules.use({ options: this.#configuration.options, directory: this.#directory });
  }

  #makeApi(print: (line: string) => void): ApiFront {
    return new ApiFront({
      configPath: this.#configPath,
      configuration: () => this.#configuration,
      directory: () => this.#directory,
      file: this.#file,
      tracker: this.#tracker,
      ruleSet: this.#ruleSet,
      apiRules: this.#apiRules,
      gone: this.#gone,
      metrics: this.#metrics,
      dispatcher: () => this.#dispatcher,
      state: this.#state,
      health: {
        isSipUp: () => this.#sip && Number.isFinite(this.#sip.observedUntil),
        maxPending: this.#configuration.options.delivery.maxPending,
      },
      log: this.#log,
      print,
    });
  }

  #use(configuration: Configuration): void {
    const { rules, tenants, options } = configuration;
    const certificates = readCertificates(this.#configPath, options.sip);
    if (certificates) this.#sip?.useCertificates(certificates);
    this.#sip?.usePlan(tenants, readPeers(options.sip, tenants));
    this.#configuration = configuration;
    this.#ruleSet.useFile(rules);
    this.#useDirectory();
    this.#api?.use(configuration);
    this.#log.info(
      { rules: rules.length, tenants: tenants.length },
      'configuration reloaded: rules and tenants are in force',
    );
  }
}
