/** One extension as the registrar knows it. */
export interface Account {
  /** What names it, whatever the spelling it was found by. */
  readonly id: string;
  /** Secrets: a password, or HA1 for MD5 (32 hex digits) or SHA-256 (64). None: it can't register. */
  readonly password: string | undefined;
  readonly ha1: string | undefined;
}

/** The numbering plan as far as routing needs it. */
export interface Accounts {
  /** The extension that a SIP user of a domain or address means, as short, extended or public number. */
  find(user: string, host: string): Account | undefined;
  /** Whether the host is a domain of a tenant. */
  isDomain(host: string): boolean;
  /** Realm of the tenant of that domain. */
  realm(host: string): string;
}
