import { LRUCache } from 'lru-cache';
import type { Principal } from './scope.ts';
import { digest, makeSecret } from './secret.ts';

/** A session that was begun, and what its cookie says. */
export interface OpenedSession {
  readonly cookie: string;
  readonly principal: Principal;
}

/** Who is signed in. Kept in memory: a restart signs everybody out. */
export class Sessions {
  readonly #lifetimeMs: number;
  readonly #now: () => number;
  /** By the hash of the cookie, so that the time of a search tells nothing of those there are. */
  readonly #principals: LRUCache<string, Principal>;

  constructor(maxSessions: number, lifetimeMs: number, now: () => number) {
    this.#lifetimeMs = lifetimeMs;
    this.#now = now;
    this.#principals = new LRUCache({ max: maxSessions });
  }

  open(who: Omit<Principal, 'session'>): OpenedSession {
    const cookie = makeSecret();
    const session = { csrfToken: makeSecret(), expiresAt: this.#now() + this.#lifetimeMs };
    const principal = { ...who, session };
    this.#principals.set(keyOf(cookie), principal);
    return { cookie, principal };
  }

  /** Whose session the cookie is of; it lasts longer by that. */
  find(cookie: string): Principal | undefined {
    const key = keyOf(cookie);
    const principal = this.#principals.get(key);
    if (!principal?.session) return undefined;
    if (principal.session.expiresAt <= this.#now()) return void this.#principals.delete(key);
    const session = { ...principal.session, expiresAt: this.#now() + this.#lifetimeMs };
    const lasting = { ...principal, session };
    this.#principals.set(key, lasting);
    return lasting;
  }

  close(cookie: string): void {
    this.#principals.delete(keyOf(cookie));
  }

  /** Signs out whoever is not there any more, or may do other things now. */
  keep(isStill: (principal: Principal) => boolean): void {
    for (const [key, principal] of this.#principals.entries()) if (!isStill(principal)) this.#principals.delete(key);
  }
}

const keyOf = (cookie: string): string => digest(cookie).toString('base64');
