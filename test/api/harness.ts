/* eslint-disable @typescript-eslint/no-unsafe-assignment -- answers are looked at as they come */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import type { Test } from 'tap';
import { hashPassword } from '../../src/api/access/password.ts';
import { Metrics } from '../../src/api/metrics.ts';
import { ApiRules } from '../../src/api/rules/api-rules.ts';
import { RuleStore } from '../../src/api/rules/rule-store.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import { connectPipeline } from '../../src/calls/pipeline.ts';
import { ApiFront } from '../../src/commands/api-front.ts';
import { makeDispatcher } from '../../src/commands/delivery-setup.ts';
import { makeDirectory, makeTracker } from '../../src/commands/setup.ts';
import { SipState } from '../../src/commands/sip-state.ts';
import { GoneRules } from '../../src/deliveries/gone-rules.ts';
import type { Dispatcher } from '../../src/deliveries/dispatcher.ts';
import { SqliteStore } from '../../src/deliveries/store.ts';
import { StoreFile } from '../../src/deliveries/store-file.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { RuleSet } from '../../src/rules/rule-set.ts';
import { observationOf, type Step } from '../calls/harness.ts';

export const WRITE = 'write-token-0123456789';
export const READ = 'read-token-0123456789';
export const TENANT = 'tenant-token-0123456789';
export const CLIENT = { id: 'app', secret: 'client-secret-0123456789' };

const TOKENS = `
  tokens:
    - { name: all, token: ${WRITE}, access: write }
    - { name: looker, token: ${READ} }
    - { name: other, token: ${TENANT}, tenant: "0004", access: write }
  clients: [{ id: ${CLIENT.id}, secret: ${CLIENT.secret}, access: write }]`;

const TENANTS = `
tenants:
  - prefix: "0003"
    domains: [acme.example.com]
    extensions: ["101", { number: "102", name: Front desk }, "110-119", { number: "150", kind: queue }]
  - prefix: "0004"
    domains: [other.example.com]
    extensions: ["101", "102"]`;

/** What a request is answered with. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

export interface Asked {
  readonly token?: string | undefined;
  readonly headers?: Record<string, string>;
  /** As JSON unless it is text. */
  readonly body?: unknown;
}

/** The API as it runs, over loopback, with all that is behind it but sockets for SIP. */
export interface TestApi {
  readonly origin: string;
  readonly port: number;
  readonly front: ApiFront;
  readonly ruleSet: RuleSet;
  readonly dispatcher: Dispatcher;
  /** Lines for the operator. */
  readonly printed: readonly string[];
  readonly ask: (method: string, path: string, asked?: Asked) => Promise<Answer>;
  /** Messages go through tracker, rules, deliveries. */
  readonly play: (steps: readonly Step[]) => void;
  /** Takes over another configuration. */
  readonly reload: (http: string, more?: string) => void;
}

/** Lines of the section `http`, and of other sections. Time in calls is that of their messages. */
export async function startApi(t: Test, http = '', more = ''): Promise<TestApi> {
  const text = (section: string, others: string): string =>
    `${others.includes('tenants:') ? '' : TENANTS}\n${others}\nhttp:\n  listen: 127.0.0.1:0${section.includes('tokens:') ? '' : TOKENS}\n${section}`;
  let configuration = parseConfiguration('ringside.yaml', text(http, more), {});
  let directory = makeDirectory(configuration);
  const { options } = configuration;
  const log = pino({ level: 'silent' });
  const path = `${t.testdir()}/store.db`;
  const file = new StoreFile(path);
  const store = new SqliteStore(file);
  const tracker = makeTracker(configuration);
  const ruleSet = new RuleSet(configuration.rules);
  const printed: string[] = [];
  const metrics = new Metrics({
    scripts: () => dispatcher.scripts(),
    oldestWaitingAt: () => undefined,
    isStoreSound: () => true,
    legs: () => tracker.legCount,
    messages: () => tracker.messages,
    drops: () => tracker.drops,
  });
  let front: ApiFront | undefined = undefined as ApiFront | undefined;
  const gone = new GoneRules(file, log, () => front?.tellRules());
  const apiRules = new ApiRules(new RuleStore(file), { options, directory }, options.http.limits, (rules) => {
    ruleSet.useApi(rules);
    gone.use(ruleSet.all);
    front?.tellRules();
  });
  const state = new SipState(path, log);
  const started = new ApiFront({
    configPath: 'ringside.yaml',
    configuration: () => configuration,
    directory: () => directory,
    file,
    tracker,
    ruleSet,
    apiRules,
    gone,
    metrics,
    dispatcher: () => dispatcher,
    state,
    health: { isSipUp: () => undefined, maxPending: options.delivery.maxPending },
    log,
    print: (line) => printed.push(line),
  });
  front = started;
  const dispatcher = makeDispatcher(options, {
    store: started.watch(store),
    findRule: ruleSet.find,
    log,
    takeCalls: (all) => tracker.takeChanges(all),
    meter: metrics,
    gone,
  });
  const publish = (events: readonly CallEvent[], isTimed: boolean): void => {
    dispatcher.publish(events.map((event) => ({ event, rules: ruleSet.match(event) })));
    started.tell(events, isTimed);
  };
  const pipeline = connectPipeline(tracker, (events, cause) => publish(events, cause === undefined));
  const origin = await started.start();
  printed.push(started.describe());
  dispatcher.start();
  const requeuing = setInterval(() => dispatcher.takeRequeued(), 20);
  t.teardown(async () => {
    clearInterval(requeuing);
    await started.stop();
    await dispatcher.stop(0);
    state.close();
    file.close();
  });
  return {
    origin,
    port: Number(new URL(origin).port),
    front: started,
    ruleSet,
    dispatcher,
    printed,
    ask: (method, place, asked = {}) => ask(origin, method, place, asked),
    play: (steps) => {
      for (const step of steps) {
        const observation = observationOf(step);
        pipeline(observation);
        started.observe(observation);
      }
    },
    reload: (section, others = more) => {
      configuration = parseConfiguration('ringside.yaml', text(section, others), {});
      directory = makeDirectory(configuration);
      ruleSet.useFile(configuration.rules);
      apiRules.use({ options: configuration.options, directory });
      started.use(configuration);
    },
  };
}

async function ask(origin: string, method: string, place: string, asked: Asked): Promise<Answer> {
  const { token, headers = {}, body } = asked;
  const response = await fetch(`${origin}${place}`, {
    method,
    redirect: 'manual',
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') ?? false;
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined,
  };
}

/** Hashes with the least cost that is allowed. */
export const hashFor = (password: string): Promise<string> => hashPassword(password, 14);

/** One message of a stream. */
export interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** A client of the stream that reads all that comes. */
export class StreamReader {
  readonly messages: Told[] = [];
  status = 0;
  isClosed = false;
  readonly socket: Socket;
  #text = '';
  #waiting: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async open(t: Test, api: TestApi, headers: Record<string, string>): Promise<StreamReader> {
    const socket = connect(api.port, '127.0.0.1');
    t.teardown(() => socket.destroy());
    await once(socket, 'connect');
    const lines = Object.entries({ host: `127.0.0.1:${api.port}`, ...headers }).map(
      ([name, value]) => `${name}: ${value}`,
    );
    socket.write(`GET /api/v1/stream HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
    return new StreamReader(socket);
  }

  /** The first message that fits, of those that came and will come. */
  async waitFor(fits: (told: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.messages.find(fits);
      if (found) return found;
      if (this.isClosed) throw new Error(`closed after ${JSON.stringify(this.messages)}`);
      await new Promise<void>((done) => this.#waiting.push(done));
    }
  }

  async closed(): Promise<void> {
    while (!this.isClosed) await new Promise<void>((done) => this.#waiting.push(done));
  }

  #take(text: string): void {
    this.#text += text.replaceAll('\r\n', '\n');
    this.status ||= Number(/^HTTP\/1.1 (\d+)/.exec(this.#text)?.[1] ?? 0);
    for (const match of this.#text.matchAll(/(?:^|\n)(?:id: (.*)\n)?event: (.*)\ndata: (.*)\n\n/g)) {
      this.messages.push({ id: match[1] ?? '', event: match[2]!, data: JSON.parse(match[3]!) });
    }
    const last = this.#text.lastIndexOf('\n\n');
    if (last >= 0) this.#text = this.#text.slice(last + 2);
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
