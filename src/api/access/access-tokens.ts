import { createHmac, timingSafeEqual } from 'node:crypto';
import { type Principal, Scope } from './scope.ts';
import { digest, isSameSecret } from './secret.ts';

/** A bearer token of the configuration. */
export interface TokenEntry {
  readonly name: string;
  readonly token: string;
  readonly tenant?: string | undefined;
  readonly access: 'read' | 'write';
}

/** An OAuth client of the configuration. */
export interface ClientEntry {
  readonly id: string;
  readonly secret: string;
  readonly tenant?: string | undefined;
  readonly access: 'read' | 'write';
}

/**
 * Bearer tokens: those of the configuration, and those that its OAuth clients got. The latter are not kept: each is signed with the
 * secret of its client, so that it lasts over a restart, and ends with the client or a change of the secret.
 */
export class AccessTokens {
  readonly #fixed: readonly { readonly digest: Buffer; readonly principal: Principal }[];
  readonly #clients: ReadonlyMap<string, ClientEntry>;
  readonly #lifetimeMs: number;
  readonly #now: () => number;

  constructor(tokens: readonly TokenEntry[], clients: readonly ClientEntry[], lifetimeMs: number, now: () => number) {
    this.#fixed = tokens.map((entry) => ({ digest: digest(entry.token), principal: makePrincipal(entry.name, entry) }));
    this.#clients = new Map(clients.map((client) => [client.id, client]));
    this.#lifetimeMs = lifetimeMs;
    this.#now = now;
  }

  /** Whose token it is. */
  find(token: string): Principal | undefined {
    const digested = digest(token);
    let found: Principal | undefined;
    for (const { digest: known, principal } of this.#fixed) if (timingSafeEqual(known, digested)) found = principal;
    return found ?? this.#findIssued(token);
  }

  /** A token for a client that gives its secret. RFC 6749 §4.4. */
  issue(id: string, secret: string): { readonly token: string; readonly expiresInSeconds: number } | undefined {
    const client = this.#clients.get(id);
    const isRight = isSameSecret(client?.secret ?? '', secret);
    if (!client || !isRight) return undefined;
    const expiresAt = this.#now() + this.#lifetimeMs;
    const claim = `${Buffer.from(id).toString('base64url')}.${expiresAt.toString(36)}`;
    return { token: `${claim}.${sign(claim, client)}`, expiresInSeconds: Math.floor(this.#lifetimeMs / 1000) };
  }

  #findIssued(token: string): Principal | undefined {
    const [id = '', expires = '', signature = ''] = token.split('.');
    const client = this.#clients.get(Buffer.from(id, 'base64url').toString());
    if (!client || !isSameSecret(sign(`${id}.${expires}`, client), signature)) return undefined;
    return parseInt(expires, 36) > this.#now() ? makePrincipal(client.id, client) : undefined;
  }
}

const sign = (claim: string, { secret }: ClientEntry): string =>
  createHmac('sha256', `ringside access token ${secret}`).update(claim).digest('base64url');

const makePrincipal = (name: string, { tenant, access }: Pick<TokenEntry, 'tenant' | 'access'>): Principal => ({
  name,
  role: 'operator',
  scope: new Scope(tenant, undefined),
  canWrite: access === 'write',
  session: undefined,
});
