import { hashPassword, verifyPassword } from './password.ts';
import { type Principal, Scope } from './scope.ts';
import { isSameSecret, makeSecret } from './secret.ts';

/** A user of the configuration. */
export interface UserEntry {
  readonly name: string;
  /** As `hashPassword` makes it. */
  readonly password: string;
  readonly role: 'operator' | 'extension';
  readonly extension?: string | undefined;
  readonly tenant?: string | undefined;
  readonly access: 'read' | 'write';
}

/** Half of the threads that there are: names of scripts are looked up by the others meanwhile. */
const MAX_AT_A_TIME = 2;
const MAX_WAITING = 100;

/** Who may sign in. */
export class Users {
  readonly #entries: ReadonlyMap<string, UserEntry>;
  /** So that a name that does not exist takes as long. */
  #decoy: string | undefined;
  #active = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(entries: readonly UserEntry[]) {
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Who it is; undefined for a wrong name or password, `busy` where too many sign in at once. */
  async verify(name: string, password: string): Promise<Omit<Principal, 'session'> | 'busy' | undefined> {
    if (this.isEmpty) return undefined;
    if (this.#waiting.length >= MAX_WAITING) return 'busy';
    const entry = this.#entries.get(name);
    const isRight = await this.#inTurn(async () => {
      const hashed = entry?.password ?? (this.#decoy ??= await hashPassword(makeSecret()));
      return verifyPassword(password, hashed);
    });
    return entry && isRight ? makePrincipal(entry) : undefined;
  }

  /** Whether somebody who signed in by `before` may still do what was allowed then, and by the same password. */
  isStill({ name, role, scope, canWrite }: Principal, before: Users): boolean {
    const entry = this.#entries.get(name);
    if (!entry || entry.password !== before.#entries.get(name)?.password) return false;
    const now = makePrincipal(entry);
    const isSame = now.scope.tenant === scope.tenant && now.scope.extension === scope.extension;
    return isSame && now.role === role && now.canWrite === canWrite;
  }

  /** Hashing takes much memory and time on purpose. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#active >= MAX_AT_A_TIME) await new Promise<void>((next) => this.#waiting.push(next));
    this.#active++;
    try {
      return await work();
    } finally {
      this.#active--;
      this.#waiting.shift()?.();
    }
  }
}

const makePrincipal = ({ name, role, extension, tenant, access }: UserEntry): Omit<Principal, 'session'> => ({
  name,
  role,
  scope: new Scope(tenant, extension),
  canWrite: access === 'write',
});

/** The way in where no user is configured: a token that the operator reads where Ringside was started. Each works once. */
export class SignInLink {
  readonly #onToken: (token: string) => void;
  #token = '';

  /** `onToken` is given each token as soon as it is the one. */
  constructor(onToken: (token: string) => void) {
    this.#onToken = onToken;
    this.#renew();
  }

  /** Whether the token is the one; from then on another is. */
  redeem(token: string): boolean {
    if (!isSameSecret(token, this.#token)) return false;
    this.#renew();
    return true;
  }

  #renew(): void {
    this.#token = makeSecret();
    this.#onToken(this.#token);
  }
}

/** Who signs in by the link. */
export const LINK_USER: Omit<Principal, 'session'> = {
  name: 'operator',
  role: 'operator',
  scope: new Scope(undefined, undefined),
  canWrite: true,
};
