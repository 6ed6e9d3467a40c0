import type { Address, Transport } from '../sip/observation.ts';

/** Where a request comes from, or could go: the PBX behind us, a trunk, another server that is trusted, or anybody. */
export type PeerKind = 'upstream' | 'trunk' | 'trusted' | 'other';

/** One place to send to. */
export interface Hop {
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
  /** Name that the certificate of a TLS server must have. */
  readonly host?: string;
}

/** Addresses of peers that the configuration names. */
export interface KnownPeers {
  /** IP addresses. */
  readonly trunks: readonly string[];
  /** Servers that are ours: IP addresses, with a port where others share the address. */
  readonly trusted: readonly string[];
}

/** Who is who, by IP address. */
export class Peers {
  #trunks: ReadonlySet<string> = new Set();
  #trusted: ReadonlySet<string> = new Set();
  #upstream: readonly Hop[] = [];

  constructor(known: KnownPeers) {
    this.use(known);
  }

  use({ trunks, trusted }: KnownPeers): void {
    this.#trunks = new Set(trunks);
    this.#trusted = new Set(trusted);
  }

  /** The PBX, best address first; empty while its name is not resolved, or if there is none. */
  get upstream(): readonly Hop[] {
    return this.#upstream;
  }

  useUpstream(hops: readonly Hop[]): void {
    this.#upstream = hops;
  }

  kind(remote: Address): PeerKind {
    if (this.#isUpstream(remote)) return 'upstream';
    if (this.#trunks.has(remote.ip)) return 'trunk';
    return this.#trusted.has(remote.ip) || this.#trusted.has(`${remote.ip}:${remote.port}`) ? 'trusted' : 'other';
  }

  /** Where many share an address the port tells them apart: what a Via says, any program of the machine can write. */
  #isUpstream({ ip, port }: Address): boolean {
    for (const hop of this.#upstream) {
      if (hop.ip === ip && (hop.port === port || !isLoopback(ip))) return true;
    }
    return false;
  }
}

/** There, and only there, many servers and phones share an address. */
export const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';
