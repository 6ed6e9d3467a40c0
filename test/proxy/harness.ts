import { networkInterfaces } from 'node:os';
import type { Test } from 'tap';
import { makeCallApiId } from '../../src/calls/call-api-id.ts';
import { Directory } from '../../src/calls/directory.ts';
import { DirectoryAccounts } from '../../src/commands/accounts.ts';
import type { Accounts } from '../../src/proxy/accounts.ts';
import type { Binding } from '../../src/proxy/bindings.ts';
import { EmbeddedEngine, type EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import type { ObservationSink } from '../../src/sip/observation.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import type { EngineEvents, SipEngine } from '../../src/proxy/engine.ts';
import { openDrachtioEngine } from './drachtio-harness.ts';
import { isDrachtio } from './support/drachtio.ts';
import type { Endpoint } from './support/relay.ts';

/** SHA-256 of `104:acme.example.com:secret104`. */
const HA1_104 = 'af226257a323700cf1ec2d593298ae9c8eb4dcb60ef686db5d65308fe9f48d59';

export const TENANTS = `tenants: [{ prefix: "0003", domains: [acme.example.com], extensions: [
  { number: "101", password: secret101 }, { number: "102", password: secret102 },
  { number: "103", ha1: "${'0'.repeat(32)}" }, { number: "104", ha1: "${HA1_104}" }, "110-119"] }]`;

export const DEFAULTS: EmbeddedOptions = {
  listen: [{ transport: 'udp', ip: '127.0.0.1', port: 0 }],
  upstream: '',
  advertise: '',
  trunks: [],
  trusted: [],
  marker: 'X-CallAPIID',
  path: 'auto',
  ringMs: 0,
  ratePerSecond: 0,
  nonceMs: 300_000,
  algorithms: ['MD5', 'SHA-256'],
  registrar: { defaultExpires: 3600, minExpires: 60, maxExpires: 7200 },
  nameServers: [],
  tls: { server: undefined, ca: undefined, verify: true },
  maxConnections: 100,
  maxConnectionsPerAddress: 100,
  maxTransactions: 10_000,
  maxMessageBytes: 65_536,
  secret: 'a secret that outlasts restarts',
  bindings: [],
  interfaces: Object.values(networkInterfaces()).flatMap((list) => list ?? []),
};

export interface Opened<Engine extends SipEngine = EmbeddedEngine> {
  readonly engine: Engine;
  /** By transport. */
  readonly places: { readonly [transport: string]: Endpoint };
  readonly udp: Endpoint;
  /** All of them, in the order of `listen`. */
  readonly sockets: readonly Endpoint[];
  readonly drops: Map<string, number>;
  readonly bindings: Map<string, readonly Binding[]>;
  readonly log: string[];
  /** Lets time pass for the timers of the engine. */
  readonly skip: (ms: number) => void;
  readonly stop: () => Promise<void>;
}

/** Opens the engine that the suite runs with: `SIP_ENGINE=drachtio`, else the embedded one. */
export function openAnyEngine(
  t: Test,
  options: Partial<EmbeddedOptions> = {},
  observe: ObservationSink = () => {},
): Promise<Opened<SipEngine>> {
  if (!isDrachtio) return openEngine(t, options, observe);
  return open(t, (accounts, events) =>
    openDrachtioEngine(t, { ...DEFAULTS, ...options }, accounts, { ...events, onObservation: observe }),
  );
}

/** Opens the embedded engine; it is stopped when the test ends. */
export function openEngine(
  t: Test,
  options: Partial<EmbeddedOptions> = {},
  observe: ObservationSink = () => {},
): Promise<Opened<EmbeddedEngine>> {
  return open(t, async (accounts, events, clock) => {
    const told = { ...events, onObservation: observe };
    const engine = new EmbeddedEngine({ ...DEFAULTS, ...options }, accounts, makeCallApiId, told, clock);
    return { engine, addresses: await engine.start() };
  });
}

async function open<Engine extends SipEngine>(
  t: Test,
  start: (
    accounts: Accounts,
    events: Omit<EngineEvents, 'onObservation'>,
    clock: () => number,
  ) => Promise<{ readonly engine: Engine; readonly addresses: readonly string[] }>,
): Promise<Opened<Engine>> {
  let skippedMs = 0;
  const drops = new Map<string, number>();
  const bindings = new Map<string, readonly Binding[]>();
  const log: string[] = [];
  const { tenants } = parseConfiguration('test', TENANTS, {});
  const accounts = new DirectoryAccounts(new Directory(tenants), tenants, '');
  const events = {
    onBindings: (account: string, list: readonly Binding[]) => void bindings.set(account, list),
    onUpstream: () => {},
    onDrop: (reason: string) => void drops.set(reason, (drops.get(reason) ?? 0) + 1),
    onLog: (_: string, text: string, about: object) => void log.push(`${text} ${JSON.stringify(about)}`),
  };
  const clock = (): number => performance.now() + skippedMs;
  const { engine, addresses } = await start(accounts, events, clock);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (!isStopped) await engine.stop(0);
    isStopped = true;
  };
  t.teardown(stop);
  const all = addresses.map(readPlace);
  const places = Object.fromEntries(all);
  const sockets = all.map(([, place]) => place);
  const skip = (ms: number): void => void (skippedMs += ms);
  return { engine, places, udp: places['udp']!, sockets, drops, bindings, log, skip, stop };
}

function readPlace(address: string): [string, Endpoint] {
  const [transport = '', ip = '', port = ''] = address.split(':');
  return [transport, { ip, port: Number(port) }];
}
