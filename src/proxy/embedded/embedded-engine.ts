import type { NetworkInterfaceInfo } from 'node:os';
import { formatListenAddress, type ListenAddress } from '../../sip/listen-address.ts';
import type { Observation } from '../../sip/observation.ts';
import { formatHostPort } from '../../sip/uri.ts';
import type { Accounts } from '../accounts.ts';
import { type Binding, Bindings } from '../bindings.ts';
import type { Routing } from '../decision.ts';
import type { EngineEvents, SipEngine } from '../engine.ts';
import { makeRouting, type RoutingOptions } from '../make-routing.ts';
import { type Hop, type KnownPeers, Peers } from '../peers.ts';
import { Tokens } from '../token.ts';
import { UpstreamWatch } from '../upstream-watch.ts';
import { Branches } from './branches.ts';
import { ProxyCore } from './core.ts';
import { Forwarder } from './forwarder.ts';
import { Intake } from './intake.ts';
import type { Link, LinkEvents } from './link.ts';
import { Marker } from './marker.ts';
import { RateLimit } from './rate-limit.ts';
import { transportParameter } from './record-route.ts';
import { Resolver } from './resolver.ts';
import { Self } from './self.ts';
import { Timers } from './timers.ts';
import { type TlsOptions, TransportLayer } from './transport-layer.ts';

const TICK_MS = 20;
const EXPIRE_MS = 5000;
const DRAIN_STEP_MS = 50;
const MAX_SKEW_MS = 500;

/** Everything that the engine can be told. Durations in ms unless named otherwise. */
export interface EmbeddedOptions extends KnownPeers, RoutingOptions {
  readonly listen: readonly ListenAddress[];
  readonly advertise: string;
  readonly marker: string;
  readonly ringMs: number;
  /** Requests per second from one source that is no peer of ours; 0: no limit. */
  readonly ratePerSecond: number;
  readonly nameServers: readonly string[];
  readonly tls: TlsOptions;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  readonly maxTransactions: number;
  readonly maxMessageBytes: number;
  readonly bindings: readonly Binding[];
  readonly interfaces: readonly NetworkInterfaceInfo[];
}

/** Our own SIP engine: a stateful proxy, and a registrar where there is no PBX behind it. */
export class EmbeddedEngine implements SipEngine, LinkEvents {
  readonly #options: EmbeddedOptions;
  readonly #events: EngineEvents;
  readonly #peers: Peers;
  readonly #bindings: Bindings;
  readonly #timers = new Timers();
  readonly #transports: TransportLayer;
  readonly #resolver: Resolver;
  readonly #upstream: UpstreamWatch;
  readonly #limit: RateLimit;
  readonly #monotonic: () => number;
  readonly #makeId: (callId: string, fromTag: string) => string;
  #accounts: Accounts;
  #self: Self;
  #core: ProxyCore | undefined;
  #forwarder: Forwarder | undefined;
  #isStopped = false;
  #intervals: NodeJS.Timeout[] = [];
  /** Epoch ms at which `performance.now` was 0; follows the system clock when that is set. */
  #epochMs = Date.now() - performance.now();

  /** `makeId` makes the CallAPIID of a call from its first leg; `monotonic` tells the time that timers go by, in ms. */
  constructor(
    options: EmbeddedOptions,
    accounts: Accounts,
    makeId: (callId: string, fromTag: string) => string,
    events: EngineEvents,
    monotonic: () => number = () => performance.now(),
  ) {
    this.#options = options;
    this.#monotonic = monotonic;
    this.#accounts = accounts;
    this.#makeId = makeId;
    this.#events = events;
    this.#peers = new Peers(options);
    this.#bindings = new Bindings((account, bindings) => events.onBindings(account, bindings), options.bindings);
    this.#self = new Self(options.listen, options.interfaces, options.advertise);
    this.#resolver = new Resolver(options.nameServers, (act) => this.#guard(act));
    const resolve = this.#resolver.resolve.bind(this.#resolver);
    this.#upstream = new UpstreamWatch(options.upstream, resolve, this.#peers, events);
    this.#limit = new RateLimit(options.ratePerSecond);
    this.#transports = new TransportLayer(this, {
      tls: options.tls,
      maxConnections: options.maxConnections,
      maxConnectionsPerAddress: options.maxConnectionsPerAddress,
      local: (transport, ip) => this.#self.local(transport, ip) ?? { ip: options.listen[0]!.ip, port: 5060 },
    });
  }

  /** Takes over a new numbering plan. */
  useAccounts(accounts: Accounts): void {
    this.#accounts = accounts;
  }

  /** Takes over new addresses of trunks and servers. */
  usePeers(known: KnownPeers): void {
    this.#peers.use(known);
  }

  /** Takes over new certificates. */
  useCertificates(tls: NonNullable<TlsOptions['server']>): void {
    this.#guard(() => this.#transports.reload(tls));
  }

  async start(): Promise<string[]> {
    const bound = await this.#transports.listen(this.#options.listen);
    this.#self = new Self(bound, this.#options.interfaces, this.#options.advertise);
    this.#assemble();
    this.#timers.advance(this.#monotonic());
    await this.#upstream.start();
    if (this.#isStopped) return [];
    this.#every(TICK_MS, () => this.#tick());
    this.#every(EXPIRE_MS, () => this.#bindings.expire(Date.now()));
    return bound.map(formatListenAddress);
  }

  async stop(drainMs: number): Promise<void> {
    this.#isStopped = true;
    this.#core?.drain();
    const until = performance.now() + drainMs;
    while ((this.#core?.pendingCount ?? 0) > 0 && performance.now() < until) {
      await new Promise((done) => setTimeout(done, DRAIN_STEP_MS));
    }
    for (const interval of this.#intervals) clearInterval(interval);
    this.#upstream.stop();
    await this.#transports.close();
  }

  /** Transactions, connections and bindings at present. */
  get sizes(): { readonly transactions: number; readonly connections: number; readonly bindings: number } {
    return {
      transactions: this.#core?.size ?? 0,
      connections: this.#transports.connectionCount,
      bindings: this.#bindings.count,
    };
  }

  onMessage(bytes: Buffer, link: Link): void {
    if (bytes.length > this.#options.maxMessageBytes) return this.onDrop('message too large');
    if (isKeepAlive(bytes)) return;
    if (isRequest(bytes) && !this.#admits(link)) return this.onDrop('rate limit');
    this.#observe(bytes, link.remote, link.local, link);
    this.#guard(() => this.#core?.receive(bytes, link));
  }

  onUnreachable(link: Link, reason: string): void {
    if (reason !== 'connection closed') {
      this.#events.onLog('warn', 'peer unreachable', { transport: link.transport, peer: link.remote, reason });
    }
    this.#forwarder?.failLink(link);
  }

  onDrop(reason: string): void {
    this.#events.onDrop(reason);
  }

  #admits(link: Link): boolean {
    return this.#peers.kind(link.remote) !== 'other' || this.#limit.admit(link.remote.ip, this.#timers.now);
  }

  #assemble(): void {
    const { marker, ringMs, secret, maxTransactions } = this.#options;
    const tokens = new Tokens(secret);
    const branches = new Branches(secret, Date.now());
    const accounts = (): Accounts => this.#accounts;
    const onSend = (link: Link, bytes: Buffer): void => this.#observe(bytes, link.local, link.remote, link);
    const shared = { transports: this.#transports, branches, timers: this.#timers, onSend };
    this.#forwarder = new Forwarder({
      ...shared,
      resolver: this.#resolver,
      tokens,
      marker: new Marker(marker, this.#makeId),
      ringMs,
      peerKind: (link) => this.#peers.kind(link.remote),
      ownerOf: (flow, contact) => this.#bindings.ownerOf(flow, contact),
    });
    this.#core = new ProxyCore({
      ...shared,
      intake: new Intake(this.#self, this.#peers, tokens, branches, accounts),
      routing: this.#makeRouting(tokens, accounts),
      forwarder: this.#forwarder,
      maxTransactions,
      clock: Date.now,
      onDrop: (reason) => this.onDrop(reason),
      log: (text, about) => this.#events.onLog('info', text, about),
    });
  }

  #makeRouting(tokens: Tokens, accounts: () => Accounts): Routing {
    return makeRouting(this.#options, {
      peers: this.#peers,
      tokens,
      bindings: this.#bindings,
      accounts,
      startedAt: Date.now(),
      ourAddress: ({ transport, ip }: Hop) => ({
        hostPort: formatHostPort(this.#self.local(transport, ip) ?? { ip, port: 5060 }),
        transport: transportParameter(transport),
      }),
    });
  }

  /** A fault of ours costs the message or the timer that brought it out, never the calls beside it. */
  #guard(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.onDrop('internal error');
      this.#events.onLog('warn', 'internal error in the SIP engine', { error: (error as Error).stack });
    }
  }

  #tick(): void {
    this.#guard(() => this.#timers.advance(this.#monotonic()));
    const epochMs = Date.now() - performance.now();
    if (Math.abs(epochMs - this.#epochMs) > MAX_SKEW_MS) this.#epochMs = epochMs;
  }

  #observe(bytes: Buffer, source: Observation['source'], destination: Observation['source'], link: Link): void {
    this.#events.onObservation({
      observedAt: performance.now() + this.#epochMs,
      source,
      destination,
      transport: link.transport,
      bytes,
    });
  }

  #every(ms: number, act: () => void): void {
    this.#intervals.push(setInterval(act, ms));
  }
}

/** Line ends or zero bytes that keep a way through NAT open. RFC 5626 §4.4.1. */
const isKeepAlive = (bytes: Buffer): boolean =>
  bytes.length <= 4 && bytes.every((c) => c === 13 || c === 10 || c === 0);

/** Whether it does not begin as a response does. */
const isRequest = (bytes: Buffer): boolean =>
  !(bytes[0] === 83 && bytes[1] === 73 && bytes[2] === 80 && bytes[3] === 47);
