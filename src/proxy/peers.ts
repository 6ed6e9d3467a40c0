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

/** Who is who, by IP address. */
export class Peers {
  readonly #trunks: ReadonlySet<string>;
  readonly #trusted: ReadonlySet<string>;
  #upstream: readonly Hop[] = [];

  /** IP addresses of trunks, and of servers that are ours. */
  constructor(trunks: readonly string[], trusted: readonly string[]) {
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
    const isTrusted = this.#trusted.has(remote.ip) || this.#trusted.has(`${remote.ip}:${remote.port}`);
    return isTrusted && !this.#isUpstreamIp(remote.ip) ? 'trusted' : 'other';
  }

  /** On this machine many share an address: there, and only there, the port tells them apart. */
  #isUpstream({ ip, port }: Address): boolean {
    for (const hop of this.#upstream) {
      if (hop.ip === ip && (hop.port === port || !isLoopback(ip))) return true;
    }
    return false;
  }

  #isUpstreamIp(ip: string): boolean {
    return this.#upstream.some((hop) => hop.ip === ip);
  }
}

const isLoopback = (ip: string): boolean => ip.startsWith('127.') || ip === '::1';
