import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { buildConnector } from 'undici';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
type Network = [Address, number];

const REFUSED = 'at an address that rules of this kind may not reach; delivery.allowedNetworks can allow it';
/** Where IPv6 addresses of the Internet come from: not from those that hold an IPv4 address, nor from local ones. RFC 4291 §2.4. */
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
/** Azure answers virtual machines here, and nobody else. */
const AZURE_METADATA = '168.63.129.16';

/** Keeps requests out of the operator's own network: only addresses of the Internet, and of networks that are allowed. */
export class NetworkGuard {
  readonly #allowed: readonly Network[];
  readonly #lookUp: LookupFunction;

  /** `allowed` are networks such as `10.0.0.0/8`. */
  constructor(allowed: readonly string[], lookUp: LookupFunction) {
    this.#allowed = allowed.map((network) => ipaddr.parseCIDR(network));
    this.#lookUp = lookUp;
  }

  /** Whether an IP address may be connected to. */
  allows(text: string): boolean {
    if (!ipaddr.isValid(text)) return false;
    const address = ipaddr.parse(text);
    return isPublic(address) || this.#isAllowed(address) || this.#isAllowed(ipaddr.process(text));
  }

  /** Looks a name up. One refused address is enough to refuse it: which of them would be connected to is chance. */
  readonly lookUp: LookupFunction = (host, options, done) => {
    this.#lookUp(host, { ...options, all: true }, (error, found) => {
      if (error) return done(error, []);
      const addresses = found as LookupAddress[];
      if (!addresses.every(({ address }) => this.allows(address))) return done(new Error(`${host} is ${REFUSED}`), []);
      if (options.all) return done(null, addresses);
      done(null, addresses[0]!.address, addresses[0]!.family);
    });
  };

  /** Connects as `connect` does, which has to look names up by this guard; an IP address is not looked up by anybody. */
  protect(connect: buildConnector.connector): buildConnector.connector {
    return (options, done) => {
      const { hostname } = options;
      if (isIP(hostname) > 0 && !this.allows(hostname)) return done(new Error(`${hostname} is ${REFUSED}`), null);
      connect(options, done);
    };
  }

  #isAllowed(address: Address): boolean {
    return this.#allowed.some(([network, bits]) => isWithin(address, network, bits));
  }
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  return address.kind() === 'ipv6' ? isWithin(address, ...GLOBAL_UNICAST) : address.toString() !== AZURE_METADATA;
}

const isWithin = (address: Address, network: Address, bits: number): boolean =>
  address.kind() === network.kind() && address.match(network, bits);
