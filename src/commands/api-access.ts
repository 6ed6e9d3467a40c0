import { AccessTokens } from '../api/access/access-tokens.ts';
import { FailureLimit } from '../api/access/failure-limit.ts';
import type { Gate } from '../api/access/gate.ts';
import { Sessions } from '../api/access/sessions.ts';
import { LINK_USER, SignInLink, Users } from '../api/access/users.ts';
import type { Options } from '../options.ts';
import { isLoopback } from '../proxy/peers.ts';

/** Who may come in by a configuration; it may change. */
export class ApiAccess {
  #gate: Gate;
  readonly #isLocal: boolean;
  readonly #onLink: (token: string) => void;

  /** `onLink` is given the token of each new sign-in link: there are some while no user is configured, for this machine only. */
  constructor(http: Options['http'], host: string, onLink: (token: string) => void) {
    this.#isLocal = isLoopback(host) || host === 'localhost';
    this.#onLink = onLink;
    const sessions = new Sessions(http.limits.sessions, http.sessionLifetime, Date.now);
    this.#gate = this.#make(http, {
      sessions,
      failures: new FailureLimit(Date.now),
      tokenFailures: new FailureLimit(Date.now),
      link: undefined,
    });
  }

  get gate(): Gate {
    return this.#gate;
  }

  /** Other users and tokens: who is gone is signed out. */
  use(http: Options['http']): void {
    const before = this.#gate.users;
    this.#gate = this.#make(http, this.#gate);
    const { users, link, sessions } = this.#gate;
    sessions.keep((principal) => (link ? principal.name === LINK_USER.name : users.isStill(principal, before)));
  }

  #make(http: Options['http'], kept: Pick<Gate, 'sessions' | 'failures' | 'tokenFailures' | 'link'>): Gate {
    const users = new Users(http.users);
    const isOpen = users.isEmpty && this.#isLocal;
    return {
      ...kept,
      users,
      link: isOpen ? (kept.link ?? new SignInLink(this.#onLink)) : undefined,
      tokens: new AccessTokens(http.tokens, http.clients, http.tokenLifetime, Date.now),
    };
  }
}
