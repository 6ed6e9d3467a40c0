import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { makeApi } from '../api/api.ts';
import { Scope } from '../api/access/scope.ts';
import { DeliveryWatch } from '../api/live/delivery-watch.ts';
import { EventStream } from '../api/live/event-stream.ts';
import { LiveView } from '../api/live/live-view.ts';
import type { Metrics } from '../api/metrics.ts';
import type { ApiRules } from '../api/rules/api-rules.ts';
import { RuleDesk } from '../api/rules/rule-desk.ts';
import type { App } from '../api/zod-types.ts';
import type { Directory } from '../calls/directory.ts';
import type { CallEvent } from '../calls/event.ts';
import type { CallSnapshot } from '../calls/snapshot.ts';
import { formatTime } from '../calls/time.ts';
import type { CallTracker } from '../calls/tracker.ts';
import type { GoneRules } from '../deliveries/gone-rules.ts';
import { DeliveryRecords } from '../deliveries/delivery-records.ts';
import type { Dispatcher } from '../deliveries/dispatcher.ts';
import type { HttpSender } from '../deliveries/sender.ts';
import type { DeliveryStore } from '../deliveries/store.ts';
import type { StoreFile } from '../deliveries/store-file.ts';
import type { Logger } from '../log.ts';
import type { Configuration } from '../rules/config-file.ts';
import type { RuleSet } from '../rules/rule-set.ts';
import { type ListenAddress, ListenError, parseListenAddress } from '../sip/listen-address.ts';
import type { Observation } from '../sip/observation.ts';
import { formatHostPort } from '../sip/uri.ts';
import { ApiAccess } from './api-access.ts';
import { checkHealth, type HealthSource, listRegistrations } from './api-status.ts';
import { makeSender } from './delivery-setup.ts';
import { readCertificates } from './sip-setup.ts';
import type { SipState } from './sip-state.ts';
import { VERSION } from './version.ts';

const PAGE = fileURLToPath(new URL('../../dist/web', import.meta.url));

/** What the API is put together from. */
export interface FrontParts {
  readonly configPath: string;
  readonly configuration: () => Configuration;
  readonly directory: () => Directory;
  readonly file: StoreFile;
  readonly tracker: CallTracker;
  readonly ruleSet: RuleSet;
  readonly apiRules: ApiRules;
  readonly gone: GoneRules;
  readonly metrics: Metrics;
  readonly dispatcher: () => Dispatcher;
  readonly state: SipState;
  readonly health: HealthSource;
  readonly log: Logger;
  /** Is given lines for the operator. */
  readonly print: (line: string) => void;
}

/** API and page: how they are put together and what they are told. */
export class ApiFront {
  readonly #parts: FrontParts;
  readonly #address: ListenAddress;
  readonly #isSecure: boolean;
  readonly #access: ApiAccess;
  readonly #stream: EventStream;
  readonly #live: LiveView;
  readonly #desk: RuleDesk;
  readonly #sender: HttpSender;
  readonly #app: App;
  #origin = '';
  /** The token of the sign-in link, until the address is known. */
  #token = '';

  /** @throws OptionError where a certificate can't be read. */
  constructor(parts: FrontParts) {
    const { options } = parts.configuration();
    const { http, delivery } = options;
    const { limits } = http;
    this.#parts = parts;
    this.#address = parseListenAddress(`tcp:${http.listen}`)!;
    const tls = readCertificates(parts.configPath, http, 'http');
    this.#isSecure = tls !== undefined;
    this.#access = new ApiAccess(http, this.#address.ip, (token) => this.#tellLink(token));
    this.#stream = new EventStream(randomBytes(6).toString('hex'), limits.streamHistory);
    const kept = {
      recentCalls: limits.recentCalls,
      messagesPerCall: limits.messagesPerCall,
      bytes: limits.recordedBytes,
    };
    const { configuration, directory, ruleSet, apiRules, gone } = parts;
    this.#desk = new RuleDesk(ruleSet, apiRules, () => ({
      directory: directory(),
      places: configuration().places,
      gone,
    }));
    const everything = new Scope(undefined, undefined);
    this.#live = new LiveView(
      parts.tracker,
      kept,
      this.#stream,
      () => parts.dispatcher().pending,
      (ruleId) => this.#desk.showsUrl(everything, ruleId),
    );
    this.#sender = makeSender(delivery);
    const server = {
      tls,
      trustProxy: http.trustProxy,
      maxConnections: limits.connections,
      maxRequestBytes: limits.requestBytes,
    };
    this.#app = makeApi({ ...this.#makeServices(), server, log: parts.log, pageFolder: PAGE });
  }

  /** The store, watched for what becomes of deliveries. */
  watch(store: DeliveryStore): DeliveryStore {
    const records = new DeliveryRecords(this.#parts.file);
    return new DeliveryWatch(store, (id) => records.list({ ids: [id] }, 1)[0], this.#live);
  }

  /** Calls that were up when the last run ended, once the tracker has them. */
  restore(calls: readonly CallSnapshot[]): void {
    const legs = calls.flatMap(({ legs }) => legs.map(({ callId }) => this.#parts.tracker.findLeg(callId)));
    this.#live.adopt(new Set(legs.flatMap((leg) => (leg ? [leg.call] : []))));
  }

  /** Events, by an observation that `observe` is called with next, or by the time. */
  tell(events: readonly CallEvent[], isTimed: boolean): void {
    this.#live.tell(events, isTimed);
  }

  readonly observe = (observation: Observation): void => this.#live.observe(observation);

  /** Rules changed. */
  tellRules(): void {
    this.#stream.publish('rules', { at: formatTime(Date.now()) });
  }

  /** Another configuration: users, tokens and clients are in force at once. */
  use({ options }: Configuration): void {
    this.#access.use(options.http);
    this.tellRules();
  }

  /** Listens; returns the address. @throws ListenError */
  async start(): Promise<string> {
    const { ip, port } = this.#address;
    try {
      await this.#app.listen({ host: ip, port });
    } catch (error) {
      throw ListenError.at(this.#address, error);
    }
    const bound = this.#app.server.address() as AddressInfo;
    this.#origin = `http${this.#isSecure ? 's' : ''}://${formatHostPort({ ip, port: bound.port })}`;
    this.#live.start();
    return this.#origin;
  }

  /** What the operator has to know to sign in. */
  describe(): string {
    const { users, link } = this.#access.gate;
    if (link) return this.#linkLine();
    return users.isEmpty
      ? 'Nobody can sign in on the page: http.users is empty, and it is not for this machine alone.'
      : '';
  }

  async stop(): Promise<void> {
    this.#live.stop();
    await this.#app.close();
    await this.#sender.close();
  }

  #makeServices() {
    const { configuration, directory, file, dispatcher, metrics, state, health } = this.#parts;
    const desk = this.#desk;
    const records = new DeliveryRecords(file);
    const gate = () => this.#access.gate;
    const { recorder, statistics } = this.#live;
    const now = Date.now;
    const { limits } = configuration().options.http;
    const registrations = () => listRegistrations(state.load(now()), directory());
    const publisher = { publish: (...given: Parameters<Dispatcher['publish']>) => dispatcher().publish(...given) };
    const overview = () => {
      const live = recorder.live();
      const present = {
        calls: live.length,
        parties: live.reduce((sum, call) => sum + call.openParties, 0),
        pending: dispatcher().pending,
        dead: records.count({ states: ['dead'] }),
        registrations: registrations().length,
        scripts: dispatcher().scripts(),
      };
      return statistics.show(present, now());
    };
    return {
      gate,
      rules: { desk, records, sender: this.#sender, now },
      calls: {
        recorder,
        records,
        dispatcher: publisher,
        desk,
        ladderContext: () => ({ directory: directory(), times: configuration().options.calls }),
        now,
      },
      stream: {
        ...{ stream: this.#stream, recorder, gate, desk, now },
        maxStreams: limits.streams,
        maxStreamsPerUser: limits.streamsPerUser,
        maxBytes: limits.streamBytes,
      },
      overview: {
        version: VERSION,
        startedAt: now(),
        overview,
        checks: () => checkHealth(health, dispatcher()),
        metrics,
        isRegistrar: configuration().options.sip.upstream === undefined,
        registrations,
      },
    };
  }

  #tellLink(token: string): void {
    this.#token = token;
    if (this.#origin !== '') this.#parts.print(`The sign-in link was used. The next one: ${this.#link}`);
  }

  get #link(): string {
    return `${this.#origin}/sign-in#token=${this.#token}`;
  }

  #linkLine(): string {
    return `No user is configured (http.users). This link signs in, once: ${this.#link}`;
  }
}
