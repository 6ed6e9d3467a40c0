import type { Address } from '../sip/observation.ts';
import { type NumberMatcher, parseNumberPattern } from './number-pattern.ts';
import type { ExtensionEntry, ExtensionKind, Tenant } from './tenant.ts';

/** One extension of one tenant. */
export interface Extension {
  /** Extended number, `0003*102`; the plain number in a tenant without prefix. */
  readonly number: string;
  readonly short: string;
  /** Configured name; empty if there is none. */
  readonly name: string;
  readonly kind: ExtensionKind;
  readonly tenant: Tenant;
}

/** What stands at an address: a PBX, a trunk, or anything else. */
export type Role = 'pbx' | 'trunk' | 'other';

const NO_TENANT: Tenant = {
  prefix: '',
  domains: [],
  pbx: [],
  trunks: [],
  extensions: [],
  dialPrefixes: [],
  pickupCodes: [],
  sensor: 'phones',
};

const MAX_CACHED_LENGTH = 64;
const MAX_CACHED = 20_000;

/** The numbering plan: which SIP users are extensions, and which addresses are PBXs and trunks. */
export class Directory {
  readonly #plans: Plan[];
  readonly #roles = new Map<string, Role>();
  readonly #sites = new Map<string, string>();
  readonly #byHost = new Map<string, Plan>();
  /** PBXs that several tenants have in common. */
  readonly #shared = new Map<string, Plan[]>();
  readonly #dids = new Map<string, Extension>();
  readonly #trusted: ReadonlySet<string>;
  #hasPorts = false;

  /** `trusted`: servers, besides PBXs, whose CallAPIIDs are believed: IP addresses, some with a port. */
  constructor(tenants: readonly Tenant[], trusted: readonly string[] = []) {
    this.#trusted = new Set(trusted);
    this.#plans = tenants.map((tenant) => new Plan(tenant));
    for (const plan of this.#plans) this.#index(plan);
    this.#hasPorts = [...this.#roles.keys()].some((place) => /^[\d.]+:\d+$|\]:\d+$/.test(place));
  }

  /** By IP address; where several share one (`pbx: [127.0.0.1:5070]`), by address and port. */
  role(ip: string, port = 5060): Role {
    return this.#roles.get(ip) ?? (this.#hasPorts ? this.#roles.get(`${ip}:${port}`) : undefined) ?? 'other';
  }

  /** Whether any PBX is configured. */
  get hasPbx(): boolean {
    return this.#sites.size > 0;
  }

  /** Whether what the sender says of a call's id is believed. */
  isTrusted({ ip, port }: Address): boolean {
    return this.role(ip, port) === 'pbx' || this.#trusted.has(ip) || this.#trusted.has(`${ip}:${port}`);
  }

  /** Whether a number alone does not tell whose it is. */
  get hasSeveralTenants(): boolean {
    return this.#plans.length > 1;
  }

  /** Whether the host is a tenant's domain or PBX: a URI with it names an account, not a device. */
  isServer(host: string): boolean {
    return this.#byHost.has(host) || this.#shared.has(host) || this.#roles.has(host);
  }

  /** Whether nothing is known of the tenant's network, so that a leg's destination tells nothing. */
  isOpen(tenant: Tenant): boolean {
    return tenant.pbx.length === 0 && tenant.domains.length === 0;
  }

  /**
   * The extension that a SIP user means. `hosts` are the places that can tell the tenant, best first: the URI's host and
   * the addresses the message travelled between.
   */
  find(user: string, hosts: readonly string[]): Extension | undefined {
    if (user === '') return undefined;
    return this.#planFor(hosts)?.find(user) ?? this.#findExtended(user) ?? this.#findOnly(user, hosts);
  }

  /** An extension by its extended number. */
  known(number: string): Extension | undefined {
    return this.#plans.map((plan) => plan.find(number)).find((extension) => extension?.number === number);
  }

  /** The same; where there is none any more, one with that number and no more than that. */
  recall(number: string): Extension {
    const tenant = this.#plans[0]?.tenant ?? NO_TENANT;
    return this.known(number) ?? { number, short: number, name: '', kind: 'phone', tenant };
  }

  /** The extension that a dialled public number leads to. */
  findDid(user: string): Extension | undefined {
    return this.#dids.size === 0 ? undefined : this.#dids.get(this.readDid(user));
  }

  /** A public number as it was dialled, without `+` or the prefix for an outside line. */
  readDid(user: string): string {
    const digits = user.replace(/^\+/, '');
    return this.#dids.has(digits) ? digits : this.stripDialPrefix(user);
  }

  /** Names the place where calls are passed on: a PBX, of which a tenant may list several addresses, or any address. */
  site({ ip, port }: Address): string {
    if (this.role(ip, port) !== 'pbx') return ip;
    return this.#sites.get(ip) ?? this.#sites.get(`${ip}:${port}`) ?? ip;
  }

  /** A number as the numbering plan knows it: an extension's, else its digits without the prefix for an outside line. */
  translate(user: string, hosts: readonly string[]): string {
    return (this.findDid(user) ?? this.find(user, hosts))?.number ?? this.stripDialPrefix(user);
  }

  /** A dialled number without `+` or the prefix for an outside line. */
  stripDialPrefix(dialled: string): string {
    const digits = dialled.replace(/^\+/, '');
    for (const { tenant } of this.#plans) {
      const prefix = tenant.dialPrefixes.find((start) => start !== '' && digits.startsWith(start));
      if (prefix !== undefined) return digits.slice(prefix.length);
    }
    return digits;
  }

  #planFor(hosts: readonly string[]): Plan | undefined {
    if (this.#plans.length === 1) return this.#plans[0];
    for (const host of hosts) {
      const plan = this.#byHost.get(host);
      if (plan) return plan;
    }
    return undefined;
  }

  /** Tenants that share a PBX: the extension of the only one that has that number. */
  #findOnly(user: string, hosts: readonly string[]): Extension | undefined {
    const sharing = hosts.map((host) => this.#shared.get(host)).find((plans) => plans);
    const found = sharing?.map((plan) => plan.find(user)).filter((extension) => extension !== undefined) ?? [];
    return found.length === 1 ? found[0] : undefined;
  }

  /** A user that reads `0003*101` names its tenant itself. */
  #findExtended(user: string): Extension | undefined {
    for (const plan of this.#plans) {
      if (plan.tenant.prefix !== '' && user.startsWith(plan.tenant.prefix)) {
        const extension = plan.find(user);
        if (extension) return extension;
      }
    }
    return undefined;
  }

  #addHost(host: string, plan: Plan): void {
    const shared = this.#shared.get(host);
    const other = this.#byHost.get(host);
    if (shared) shared.push(plan);
    else if (!other) this.#byHost.set(host, plan);
    else {
      this.#byHost.delete(host);
      this.#shared.set(host, [other, plan]);
    }
  }

  /** Addresses that one tenant lists are one PBX, and so are those that others list with any of them. */
  #nameSite(addresses: readonly string[]): void {
    const names = new Set(addresses.map((address) => this.#sites.get(address)).filter((name) => name !== undefined));
    const [name = `pbx ${addresses[0]}`] = names;
    for (const address of addresses) this.#sites.set(address, name);
    for (const [address, other] of this.#sites) if (names.has(other)) this.#sites.set(address, name);
  }

  #index(plan: Plan): void {
    for (const address of plan.tenant.pbx) this.#roles.set(address, 'pbx');
    this.#nameSite(plan.tenant.pbx);
    for (const address of plan.tenant.trunks) this.#roles.set(address, 'trunk');
    for (const host of [...plan.tenant.domains, ...plan.tenant.pbx]) this.#addHost(host, plan);
    for (const [did, extension] of plan.dids()) this.#dids.set(did, extension);
  }
}

/** One tenant's extensions. */
class Plan {
  readonly tenant: Tenant;
  readonly #entries: { readonly matches: NumberMatcher; readonly entry: ExtensionEntry }[];
  readonly #known = new Map<string, Extension | undefined>();

  constructor(tenant: Tenant) {
    this.tenant = tenant;
    this.#entries = tenant.extensions.map((entry) => ({ matches: parseNumberPattern(entry.number), entry }));
  }

  /** Finds a short (`101`) or extended (`0003*101`) number. */
  find(user: string): Extension | undefined {
    if (this.#known.has(user)) return this.#known.get(user);
    const extension = this.#resolve(user);
    if (user.length > MAX_CACHED_LENGTH) return extension;
    if (this.#known.size >= MAX_CACHED) this.#known.clear();
    this.#known.set(Buffer.from(user).toString(), extension); // a slice would keep the whole message
    return extension;
  }

  *dids(): Generator<[string, Extension]> {
    for (const { entry } of this.#entries) {
      for (const did of entry.dids) yield [did.replace(/^\+/, ''), this.#make(entry.number, entry)];
    }
  }

  #resolve(user: string): Extension | undefined {
    const extended = `${this.tenant.prefix}*`;
    const short = this.tenant.prefix !== '' && user.startsWith(extended) ? user.slice(extended.length) : user;
    const found = this.#entries.find(({ matches }) => matches(short));
    return found && this.#make(short, found.entry);
  }

  #make(short: string, entry: ExtensionEntry): Extension {
    const { prefix } = this.tenant;
    const number = prefix === '' ? short : `${prefix}*${short}`;
    return { number, short, name: entry.name, kind: entry.kind, tenant: this.tenant };
  }
}
