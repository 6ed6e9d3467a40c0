import { readFileSync, writeFileSync } from 'node:fs';
import type { Test } from 'tap';
import { makeCallApiId } from '../../src/calls/call-api-id.ts';
import { Directory } from '../../src/calls/directory.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import { connectPipeline } from '../../src/calls/pipeline.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { DirectoryAccounts } from '../../src/commands/accounts.ts';
import { withUpstream } from '../../src/commands/setup.ts';
import { DrachtioEngine } from '../../src/proxy/drachtio/drachtio-engine.ts';
import { MirrorWatch } from '../../src/proxy/drachtio/mirror-watch.ts';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import type { Address, ObservationSink } from '../../src/sip/observation.ts';
import { Player, Recorder, type Saying } from './drachtio-conversation.ts';
import { DEFAULTS, TENANTS } from './harness.ts';
import { keep, openUdpPhone } from './phones.ts';
import { SECRET, startDrachtio } from './support/drachtio.ts';
import { until } from './support/ports.ts';
import type { Endpoint } from './support/relay.ts';
import type { WirePhone } from './support/wire-phone.ts';

// Our engine on a drachtio server, and phones around it: with a real server, or with what one said once.

/** Who takes part. */
export interface Phones {
  readonly caller: WirePhone;
  readonly phone: WirePhone;
  readonly other: WirePhone;
  readonly pbx: WirePhone;
}

export interface DrachtioStage extends Phones {
  /** Where the server takes SIP, by transport. */
  readonly places: { readonly [transport: string]: Endpoint };
  readonly udp: Endpoint;
  readonly log: readonly string[];
}

type Options = Partial<EmbeddedOptions>;

/** What happens, and what is told of it. */
export interface Scenario {
  readonly name: string;
  readonly options?: (phones: Phones) => Options;
  readonly act: (stage: DrachtioStage) => Promise<unknown>;
  readonly told: readonly string[];
}

/** A scenario as it once went with a real server. */
interface Recording {
  readonly options: Options;
  readonly sayings: readonly Saying[];
}

const QUIET_MS = 300;
const PROOF = 'proof';

/** A tracker, and what it tells: `extension event status detail`. */
class Audience {
  readonly observe: ObservationSink;
  seenAt = performance.now();
  readonly #events: CallEvent[] = [];
  readonly #tracker: CallTracker;

  constructor(upstream: string | undefined) {
    const { tenants } = parseConfiguration('test', TENANTS, {});
    const [, ip, port] = /^sip:(.*):(\d+)$/.exec(upstream ?? '') ?? [];
    const places: Address[] = ip === undefined ? [] : [{ ip, port: Number(port) }];
    this.#tracker = new CallTracker(new Directory(withUpstream(tenants, places)));
    const pipeline = connectPipeline(this.#tracker, (more) => this.#events.push(...more));
    const watch = new MirrorWatch(PROOF);
    this.observe = (observation) => {
      this.seenAt = performance.now();
      if (watch.admit(observation)) pipeline(observation);
    };
  }

  /** The calls are over then. */
  told(): string[] {
    this.#events.push(...this.#tracker.expire(Infinity));
    return this.#events
      .map(({ extension, event, params, extras }) =>
        `${extension.replace('0003*', '')} ${event} ${params.CallStatus} ${extras.Detail ?? ''}`.trim(),
      )
      .toSorted();
  }
}

function makeEngine(adminPort: number, options: Options, log: string[], clock: () => number): DrachtioEngine {
  const { tenants } = parseConfiguration('test', TENANTS, {});
  const accounts = new DirectoryAccounts(new Directory(tenants), tenants, '');
  const server = { name: 'the server', host: '127.0.0.1', port: adminPort, secret: SECRET, tags: [], tls: undefined };
  const events = {
    onObservation: () => {},
    onBindings: () => {},
    onUpstream: () => {},
    onDrop: () => {},
    onLog: (_: string, text: string, about: object) => void log.push(`${text} ${JSON.stringify(about)}`),
    onRouted: () => {},
  };
  const places = { servers: [server], listen: [], proof: PROOF };
  return new DrachtioEngine({ ...DEFAULTS, ...options, places }, accounts, makeCallApiId, events, clock);
}

/** Plays a scenario with a real server; returns what was told, and the recording. */
export async function playLive(t: Test, scenario: Scenario): Promise<{ told: string[]; recording: Recording }> {
  const [caller, phone, other, pbx] = [
    await keep(t, openUdpPhone('127.0.0.101')),
    await keep(t, openUdpPhone('127.0.0.102')),
    await keep(t, openUdpPhone('127.0.0.103')),
    await keep(t, openUdpPhone('127.0.0.10')),
  ];
  const options = { interfaces: [], ...scenario.options?.({ caller, phone, other, pbx }) };
  const audience = new Audience(options.upstream);
  const server = await startDrachtio(t, { domains: options.upstream === undefined ? 'acme.example.com' : '' });
  const recorder = await new Recorder().open(t, server.adminPort, server.mirrorPort, audience.observe);
  const log: string[] = [];
  const engine = makeEngine(recorder.adminPort, options, log, Date.now);
  t.teardown(() => engine.stop());
  const places = Object.fromEntries(
    (await engine.start()).map((text) => {
      const [transport = '', ip = '', port] = text.split(':');
      return [transport, { ip, port: Number(port) }];
    }),
  );
  await scenario.act({ caller, phone, other, pbx, places, udp: places['udp']!, log });
  await until(() => performance.now() - audience.seenAt > QUIET_MS, 'quiet');
  return { told: audience.told(), recording: { options, sayings: recorder.sayings } };
}

/** Plays what was recorded; returns what was told, and where the engine says something else than it did. */
export async function playAgain(
  t: Test,
  { options, sayings }: Recording,
): Promise<{ told: string[]; differences: Player['differences'] }> {
  const audience = new Audience(options.upstream);
  const player = await new Player(sayings, audience.observe).open(t);
  const engine = makeEngine(player.adminPort, options, [], () => player.now);
  t.teardown(() => engine.stop());
  await engine.start();
  await player.finished;
  return { told: audience.told(), differences: player.differences };
}

const fileOf = (name: string): URL =>
  new URL(`../fixtures/drachtio/${name.replace(/\W+/g, '-')}.jsonl`, import.meta.url);

/** The options on the first line, then one saying each. */
export function keepRecording(name: string, { options, sayings }: Recording): void {
  writeFileSync(fileOf(name), [options, ...sayings].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export function readRecording(name: string): Recording {
  const [options, ...sayings] = readFileSync(fileOf(name), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  return { options: options as Options, sayings: sayings as Saying[] };
}
