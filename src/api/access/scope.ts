/** Which extensions somebody may see: those of one tenant or all, or a single one. */
export class Scope {
  /** Prefix of the only tenant; undefined: all. */
  readonly tenant: string | undefined;
  readonly extension: string | undefined;

  constructor(tenant: string | undefined, extension: string | undefined) {
    this.tenant = tenant;
    this.extension = extension;
  }

  get isAll(): boolean {
    return this.tenant === undefined && this.extension === undefined;
  }

  /** Whether an extended number is among them. */
  sees(number: string): boolean {
    if (this.extension !== undefined) return number === this.extension;
    return this.tenant === undefined || prefixOf(number) === this.tenant;
  }

  /** Whether all that a number, range or pattern may stand for is among them. */
  covers(pattern: string): boolean {
    if (this.isAll) return true;
    if (this.extension !== undefined) return pattern === this.extension;
    // In a pattern of plain numbers a `?` may stand for the `*` of another tenant's.
    return pattern !== '*' && prefixOf(pattern) === this.tenant && !(this.tenant === '' && pattern.includes('?'));
  }
}

/** Of `0003*101`: `0003`; of a plain number the empty prefix. */
const prefixOf = (number: string): string => number.slice(0, Math.max(0, number.indexOf('*')));

/** Who makes a request, and what that one may do. */
export interface Principal {
  readonly name: string;
  readonly role: 'operator' | 'extension';
  readonly scope: Scope;
  readonly canWrite: boolean;
  /** Of a session: what requests that change something have to bring along. */
  readonly session: Session | undefined;
}

export interface Session {
  readonly csrfToken: string;
  readonly expiresAt: number;
}
