import { isIPv6 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import type { ListenAddress } from '../../sip/listen-address.ts';
import type { Address, Transport } from '../../sip/observation.ts';
import type { SipUri } from '../../sip/uri.ts';

type Interface = Pick<NetworkInterfaceInfo, 'address' | 'netmask' | 'family' | 'internal'>;

/** Who we are: which addresses mean us, and which of them a peer is told. */
export class Self {
  readonly #listening: readonly ListenAddress[];
  readonly #interfaces: readonly Interface[];
  readonly #advertised: string;
  readonly #hosts = new Set<string>();
  readonly #ports = new Set<number>();
  readonly #locals = new Map<string, Address>();

  /** `advertised`: the host that peers are told instead of a local address, or empty. */
  constructor(listening: readonly ListenAddress[], interfaces: readonly Interface[], advertised: string) {
    this.#listening = listening;
    this.#interfaces = interfaces;
    this.#advertised = advertised;
    for (const { ip, port } of listening) {
      this.#ports.add(port);
      for (const host of isWildcard(ip) ? interfaces.map(({ address }) => address) : [ip]) this.#addHost(host);
    }
    if (advertised !== '') this.#addHost(advertised.toLowerCase());
  }

  /** Whether a URI's host and port are ours; one without port is, too. */
  isAddress({ host, port }: SipUri): boolean {
    return this.#hosts.has(host) && (port === undefined || this.#ports.has(port));
  }

  /** Our address as a peer over that transport is told; undefined if we do not speak that. */
  local(transport: Transport, peerIp: string): Address | undefined {
    const key = `${transport} ${peerIp}`;
    const known = this.#locals.get(key);
    if (known) return known;
    const listening = this.#choose(transport, peerIp);
    if (!listening) return undefined;
    const ip = this.#advertised || (isWildcard(listening.ip) ? this.#findInterface(peerIp) : listening.ip);
    const address = { ip, port: listening.port };
    if (this.#locals.size > MAX_CACHED) this.#locals.clear();
    this.#locals.set(key, address);
    return address;
  }

  #choose(transport: Transport, peerIp: string): ListenAddress | undefined {
    const candidates = this.#listening.filter(
      (listening) => listening.transport === transport && isIPv6(listening.ip) === isIPv6(peerIp),
    );
    return candidates.find(({ ip }) => this.#isNear(ip, peerIp)) ?? candidates[0];
  }

  /** Whether the peer is in the network of that address of ours. */
  #isNear(ip: string, peerIp: string): boolean {
    const own = this.#interfaces.find(({ address }) => address === ip);
    return own?.family === 'IPv4' && isSameNetwork(ip, peerIp, own.netmask);
  }

  #findInterface(peerIp: string): string {
    const family = isIPv6(peerIp) ? 'IPv6' : 'IPv4';
    const usable = this.#interfaces.filter((one) => one.family === family);
    const near = usable.find(({ address, netmask }) => family === 'IPv4' && isSameNetwork(address, peerIp, netmask));
    return (near ?? usable.find(({ internal }) => !internal) ?? usable[0])?.address ?? peerIp;
  }

  #addHost(host: string): void {
    this.#hosts.add(host);
    if (host === '127.0.0.1' || host === '::1') this.#hosts.add('localhost');
  }
}

const MAX_CACHED = 20_000;

export const isWildcard = (ip: string): boolean => ip === '0.0.0.0' || ip === '::';

const toNumber = (ip: string): number => ip.split('.').reduce((sum, part) => (sum << 8) | Number(part), 0);

function isSameNetwork(a: string, b: string, netmask: string): boolean {
  const mask = toNumber(netmask);
  return (toNumber(a) & mask) === (toNumber(b) & mask);
}
