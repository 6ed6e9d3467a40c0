import { LRUCache } from 'lru-cache';
import { formatListenAddress } from '../../sip/listen-address.ts';
import { SipMessage } from '../../sip/message.ts';
import type { Transport } from '../../sip/observation.ts';
import { SipParseError } from '../../sip/parse-error.ts';
import { parseVia } from '../../sip/via.ts';
import type { Accounts } from '../accounts.ts';
import { Bindings } from '../bindings.ts';
import { type Decision, type Inbound, reply, type Reply } from '../decision.ts';
import { Branches } from '../embedded/branches.ts';
import type { EmbeddedOptions } from '../embedded/embedded-engine.ts';
import { RateLimit } from '../embedded/rate-limit.ts';
import { Resolver } from '../embedded/resolver.ts';
import { findTopVia } from '../embedded/via-fix.ts';
import type { EngineEvents, SipEngine } from '../engine.ts';
import { type KnownPeers, Peers } from '../peers.ts';
import { type Flow, Tokens } from '../token.ts';
import { UpstreamWatch } from '../upstream-watch.ts';
import { Carrier, type Exchange } from './carrier.ts';
import { ConnectionListener, type ListenPlace } from './connection-listener.ts';
import { readAddresses } from './server-address.ts';
import { type AdminServer, type LinkEvents, ServerLink } from './server-link.ts';
import { Site, type SiteOptions, type SiteParts } from './site.ts';
import type { SrfApplication, SrfReply, SrfRequest } from './srf.ts';

/** Where the servers are. */
export interface DrachtioPlaces {
  readonly servers: readonly AdminServer[];
  readonly listen: readonly ListenPlace[];
  /** Stands in CANCELs of ours, by which the mirror knows them. */
  readonly proof: string;
}

type Shared = 'marker' | 'ringMs' | 'ratePerSecond' | 'nameServers' | 'bindings';

/** Everything that the engine can be told: what both engines can, and where the servers are. */
export interface DrachtioOptions extends SiteOptions, KnownPeers, Pick<EmbeddedOptions, Shared> {
  readonly places: DrachtioPlaces;
}

/** What the engine tells. */
export interface DrachtioEvents extends EngineEvents {
  /** A server asked about a request: its mirror must show it. */
  onRouted(server: string, callId: string): void;
}

const EXPIRE_MS = 5000;
const FIRST_CONNECTION_MS = 2000;
const PROBE_MS = 5000;
const MAX_SITES = 100;
const MAX_OWN_VIAS = 8;

/** Routes for drachtio servers, which hold the transports and transactions. What they see comes as HEP, not from here. */
export class DrachtioEngine implements SipEngine, LinkEvents {
  readonly #events: DrachtioEvents;
  readonly #peers: Peers;
  readonly #bindings: Bindings;
  readonly #upstream: UpstreamWatch;
  readonly #limit: RateLimit;
  readonly #carrier: Carrier;
  readonly #parts: SiteParts;
  readonly #sites = new LRUCache<string, Site>({ max: MAX_SITES }); // by what the server says of its addresses
  readonly #links: readonly ServerLink[];
  readonly #listeners: readonly ConnectionListener[];
  readonly #probedAt = new LRUCache<string, number>({ max: MAX_SITES });
  readonly #message = new SipMessage();
  readonly #clock: () => number;
  #accounts: Accounts;
  #expiring: NodeJS.Timeout | undefined;
  #onFirstUp = (): void => {};

  /** `makeId` makes the CallAPIID of a call from its first leg; `clock` tells the time in epoch ms. */
  constructor(
    options: DrachtioOptions,
    accounts: Accounts,
    makeId: (callId: string, fromTag: string) => string,
    events: DrachtioEvents,
    clock: () => number = Date.now,
  ) {
    this.#clock = clock;
    this.#events = events;
    this.#accounts = accounts;
    this.#peers = new Peers(options);
    this.#bindings = new Bindings((account, bindings) => events.onBindings(account, bindings), options.bindings);
    const resolver = new Resolver(options.nameServers);
    this.#upstream = new UpstreamWatch(options.upstream, resolver.resolve.bind(resolver), this.#peers, events);
    this.#limit = new RateLimit(options.ratePerSecond);
    const { marker, ringMs, places, secret } = options;
    const log: EngineEvents['onLog'] = (level, text, about) => events.onLog(level, text, about);
    this.#carrier = new Carrier({ marker, makeId, ringMs, proof: places.proof, log });
    this.#parts = {
      options,
      peers: this.#peers,
      tokens: new Tokens(secret),
      branches: new Branches(secret, clock()),
      bindings: this.#bindings,
      accounts: () => this.#accounts,
      startedAt: clock(),
    };
    this.#links = places.servers.map((server) => new ServerLink(server, this));
    this.#listeners = places.listen.map((place) => new ConnectionListener(place, this));
  }

  /** Takes over a new numbering plan. */
  useAccounts(accounts: Accounts): void {
    this.#accounts = accounts;
  }

  /** Takes over new addresses of trunks and servers. */
  usePeers(known: KnownPeers): void {
    this.#peers.use(known);
  }

  /** Returns the SIP addresses of the servers that were there at once. @throws ListenError */
  async start(): Promise<string[]> {
    await this.#upstream.start();
    for (const listener of this.#listeners) {
      this.#events.onLog('info', 'drachtio servers can connect', { listen: await listener.open() });
    }
    const up = new Promise<void>((done) => (this.#onFirstUp = done));
    const patience = new Promise((done) => setTimeout(done, FIRST_CONNECTION_MS).unref());
    for (const link of this.#links) link.open();
    if (this.#links.length > 0) await Promise.race([up, patience]);
    this.#expiring = setInterval(() => this.#bindings.expire(this.#clock()), EXPIRE_MS);
    return [...this.#sites.values()].flatMap(({ addresses }) => addresses.map(formatListenAddress));
  }

  /** Calls that are up or being set up go on in the servers: there is nothing to wait for. */
  stop(): Promise<void> {
    clearInterval(this.#expiring);
    this.#upstream.stop();
    for (const connection of [...this.#links, ...this.#listeners]) connection.close();
    return Promise.resolve();
  }

  onUp(server: string, hostports: string): void {
    const { addresses } = this.#siteOf(hostports);
    this.#events.onLog('info', 'connected to the drachtio server', {
      server,
      sip: addresses.map(formatListenAddress),
    });
    this.#onFirstUp();
  }

  onDown(): void {}

  onLog(level: 'info' | 'warn', text: string, about: object): void {
    this.#events.onLog(level, text, about);
  }

  /** What is read at once with an INVITE may be its CANCEL: the server has answered both then, and must not pass it on. */
  onRequest(srf: SrfApplication, request: SrfRequest, answer: SrfReply, server: string): void {
    let isCancelled = false;
    request.on('cancel', () => (isCancelled = true));
    setImmediate(() => {
      if (isCancelled) return;
      this.#route(srf, request, answer, server);
    });
  }

  #route(srf: SrfApplication, request: SrfRequest, answer: SrfReply, server: string): void {
    try {
      const site = this.#siteOf(request.server.hostport);
      const message = this.#message.read(Buffer.from(request.msg.raw)).check();
      this.#probe(server, message.callId);
      const { decision, inbound } = this.#decide(message, request, site);
      const exchange: Exchange = { srf, request, reply: answer, inbound: inbound!, site };
      if (decision.action === 'reply') this.#refuse(decision, message, exchange);
      else this.#carrier.carryOut(decision, exchange);
    } catch (error) {
      this.#fail(error, answer);
    }
  }

  #decide(
    message: SipMessage,
    request: SrfRequest,
    site: Site,
  ): { readonly decision: Decision; readonly inbound?: Inbound } {
    const flow = flowOf(message, request);
    const { remote } = flow;
    if (this.#peers.kind(remote) === 'other' && !this.#limit.admit(remote.ip, performance.now())) {
      this.#events.onDrop('rate limit');
      return { decision: TOO_MANY };
    }
    if (message.all('Via').filter((via) => isOurs(via, site)).length > MAX_OWN_VIAS) return { decision: LOOP };
    const accepted = site.intake.accept(message, findTopVia(message)!, { remote, flow }, this.#clock());
    if ('action' in accepted) return { decision: accepted };
    const { inbound } = accepted;
    return { decision: site.routing.decide(inbound), inbound };
  }

  #refuse(decision: Reply, { method, callId }: SipMessage, { request, reply: answer }: Exchange): void {
    const { code, phrase } = decision;
    if (code >= 300 && code !== 401 && code !== 407) {
      this.#events.onLog('info', 'refused', { method, code, phrase, callId, from: request.source_address });
    }
    this.#carrier.answer(decision, answer);
  }

  #fail(error: unknown, answer: SrfReply): void {
    if (error instanceof SipParseError) {
      this.#events.onDrop('not readable as SIP');
      return this.#carrier.answer(reply(400, 'Bad Request'), answer);
    }
    this.#events.onDrop('internal error');
    this.#events.onLog('warn', 'internal error in the SIP engine', { error: (error as Error).stack });
    this.#carrier.answer(reply(500, 'Server Internal Error'), answer);
  }

  #siteOf(hostports: string): Site {
    const known = this.#sites.get(hostports);
    if (known) return known;
    const site = new Site(readAddresses(hostports), this.#parts);
    this.#sites.set(hostports, site);
    return site;
  }

  #probe(server: string, callId: string): void {
    const now = performance.now();
    if (now - (this.#probedAt.get(server) ?? -PROBE_MS) < PROBE_MS) return;
    this.#probedAt.set(server, now);
    this.#events.onRouted(server, callId);
  }
}

/** How the request came in; the server calls WebSockets TCP, its Via tells them apart. */
function flowOf(message: SipMessage, { source_address: ip, source_port: port }: SrfRequest): Flow {
  const { transport } = parseVia(message.all('Via')[0] ?? '');
  return { transport: transport.toLowerCase() as Transport, remote: { ip, port } };
}

/** Whether a Via is the server's own. */
function isOurs(text: string, { addresses }: Site): boolean {
  const { host, port = 5060 } = parseVia(text);
  return addresses.some((address) => address.ip === host && address.port === port);
}

const TOO_MANY: Reply = reply(503, 'Too many requests', ['Retry-After: 5']);
const LOOP: Reply = reply(482, 'Loop Detected');
