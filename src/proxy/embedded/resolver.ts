import { Resolver as DnsResolver, lookup } from 'node:dns';
import { isIP } from 'node:net';
import { LRUCache } from 'lru-cache';
import type { Transport } from '../../sip/observation.ts';
import { parseUri, type SipUri } from '../../sip/uri.ts';
import type { Hop } from '../peers.ts';
import { defaultPort } from './link.ts';

type Done = (hops: readonly Hop[]) => void;

interface Service {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

const HOST = /^[\w.:-]{1,253}$/;
const CACHE_MS = 60_000;
const CACHE_FAILED_MS = 5000;
const MAX_NAMES = 10_000;
const TIMEOUT_MS = 2000;
const TRANSPORTS: ReadonlySet<string> = new Set(['udp', 'tcp', 'tls', 'ws', 'wss']);

/** Finds the addresses of a SIP URI: as they stand, or by DNS, SRV first. RFC 3263 §4. */
export class Resolver {
  readonly #dns: DnsResolver;
  readonly #guard: (act: () => void) => void;
  readonly #cache = new LRUCache<string, readonly Hop[]>({ max: MAX_NAMES });
  readonly #waiting = new Map<string, Done[]>();

  /** `servers`: DNS servers with ports; empty for those of the machine. `guard` runs what is called back. */
  constructor(servers: readonly string[], guard: (act: () => void) => void = (act) => act()) {
    this.#guard = guard;
    this.#dns = new DnsResolver({ timeout: TIMEOUT_MS, tries: 2 });
    if (servers.length > 0) this.#dns.setServers(servers);
  }

  /** The hops of a URI for which no name has to be looked up; undefined if one has. */
  findNow(text: string, uri = parseUri(text)): readonly Hop[] | undefined {
    const transport = transportOf(uri);
    if (!HOST.test(uri.host) || transport === undefined) return [];
    const ip = uri.parameters.get('maddr') ?? uri.host;
    return isIP(ip) > 0 ? [{ transport, ip, port: uri.port ?? defaultPort(transport), host: uri.host }] : undefined;
  }

  /** Calls back with the hops, best first; with none if there are none. At once if no name is to be looked up. */
  resolve(text: string, done: Done): void {
    const hops = this.findNow(text);
    if (hops) return done(hops);
    const uri = parseUri(text);
    const transport = transportOf(uri)!;
    this.#resolveName(
      `${transport} ${uri.host} ${uri.port ?? ''} ${uri.parameters.has('transport')}`,
      uri,
      transport,
      done,
    );
  }

  #resolveName(key: string, uri: SipUri, transport: Transport, done: Done): void {
    const known = this.#cache.get(key);
    if (known) return done(known);
    const waiting = this.#waiting.get(key);
    if (waiting) return void waiting.push(done);
    this.#waiting.set(key, [done]);
    const finish = (hops: readonly Hop[]): void => {
      this.#cache.set(key, hops, { ttl: hops.length > 0 ? CACHE_MS : CACHE_FAILED_MS });
      const all = this.#waiting.get(key) ?? [];
      this.#waiting.delete(key);
      for (const one of all) this.#guard(() => one(hops));
    };
    if (uri.port !== undefined) return this.#lookUp(uri.host, uri.port, transport, finish);
    const isFixed = uri.parameters.has('transport') || transport === 'tls';
    this.#findServices(uri.host, isFixed ? [transport] : ['udp', 'tcp'], transport, finish);
  }

  /** The services of each transport in turn; without any, the host itself. */
  #findServices(host: string, [transport, ...others]: readonly Transport[], plain: Transport, done: Done): void {
    const name = transport === 'tls' ? '_sips._tcp' : `_sip._${transport === 'udp' ? 'udp' : 'tcp'}`;
    this.#dns.resolveSrv(`${name}.${host}`, (error, services) => {
      if (!error && services.length > 0) return this.#lookUpAll(order(services), transport!, done);
      if (others.length > 0) return this.#findServices(host, others, plain, done);
      this.#lookUp(host, defaultPort(plain), plain, done);
    });
  }

  #lookUpAll(services: readonly Service[], transport: Transport, done: Done): void {
    const found: (readonly Hop[])[] = services.map(() => []);
    let left = services.length;
    services.forEach(({ name, port }, i) => {
      this.#lookUp(name, port, transport, (hops) => {
        found[i] = hops;
        if (--left === 0) done(found.flat());
      });
    });
  }

  /** Addresses of a host: by the configured servers, else as the machine resolves names. */
  #lookUp(host: string, port: number, transport: Transport, done: Done): void {
    const finish = (ips: readonly string[]): void => done(ips.map((ip) => ({ transport, ip, port, host })));
    if (isIP(host) > 0) return finish([host]);
    this.#dns.resolve4(host, (error, ips) => {
      if (!error && ips.length > 0) return finish(ips);
      lookup(host, { all: true }, (failure, addresses) => {
        finish(failure ? [] : addresses.map(({ address }) => address));
      });
    });
  }
}

function transportOf(uri: SipUri): Transport | undefined {
  const text = uri.parameters.get('transport')?.toLowerCase();
  if (uri.scheme === 'tel') return undefined;
  if (text === undefined) return uri.scheme === 'sips' ? 'tls' : 'udp';
  if (!TRANSPORTS.has(text)) return undefined;
  if (uri.scheme === 'sips') return text === 'ws' || text === 'wss' ? 'wss' : 'tls';
  return text as Transport;
}

/** By priority; among equals those of more weight come first more often. RFC 2782. */
function order(services: readonly Service[]): Service[] {
  const drawn = services.map((service) => ({ service, draw: Math.random() ** (1 / Math.max(service.weight, 0.01)) }));
  return drawn.sort((a, b) => a.service.priority - b.service.priority || b.draw - a.draw).map(({ service }) => service);
}
