import type { Directory, Extension } from '../calls/directory.ts';
import { parseNumberPattern } from '../calls/number-pattern.ts';
import type { Tenant } from '../calls/tenant.ts';
import type { Account, Accounts } from '../proxy/accounts.ts';

const DEFAULT_REALM = 'ringside';

/** The numbering plan, as the SIP engine asks for it. */
export class DirectoryAccounts implements Accounts {
  readonly #directory: Directory;
  readonly #tenants: readonly Tenant[];
  readonly #realm: string;
  readonly #known = new Map<string, Account>();

  /** `realm`: that of all tenants; empty: each one's first domain. */
  constructor(directory: Directory, tenants: readonly Tenant[], realm: string) {
    this.#directory = directory;
    this.#tenants = tenants;
    this.#realm = realm;
  }

  find(user: string, host: string): Account | undefined {
    const extension = this.#directory.find(user, [host]) ?? this.#directory.findDid(user);
    return extension && this.#accountOf(extension);
  }

  isDomain(host: string): boolean {
    return this.#tenants.some(({ domains }) => domains.includes(host));
  }

  realm(host: string): string {
    const tenant = this.#tenants.find(({ domains }) => domains.includes(host)) ?? this.#tenants[0];
    return this.#realm || tenant?.domains[0] || DEFAULT_REALM;
  }

  #accountOf({ number, short, tenant }: Extension): Account {
    const known = this.#known.get(number);
    if (known) return known;
    const entry = tenant.extensions.find((candidate) => parseNumberPattern(candidate.number)(short));
    const account = { id: number, password: entry?.password, ha1: entry?.ha1 };
    this.#known.set(number, account);
    return account;
  }
}
