import type { Accounts } from './accounts.ts';
import type { Bindings } from './bindings.ts';
import { Contacts } from './contacts.ts';
import type { Routing } from './decision.ts';
import { type Algorithm, Digest } from './digest.ts';
import { type EdgeOptions, EdgeRouting } from './edge-routing.ts';
import { HomeRouting } from './home-routing.ts';
import type { Peers } from './peers.ts';
import { Registrar, type RegistrarOptions } from './registrar.ts';
import type { Tokens } from './token.ts';

/** What routing can be told, whichever engine asks it. Durations in ms. */
export interface RoutingOptions {
  /** URI of the PBX; empty: we are the registrar. */
  readonly upstream: string;
  readonly path: 'auto' | 'never';
  readonly nonceMs: number;
  readonly algorithms: readonly Algorithm[];
  readonly registrar: RegistrarOptions;
  /** Must outlast restarts. */
  readonly secret: string;
}

/** What routing is made of. */
export interface RoutingParts extends Pick<EdgeOptions, 'ourAddress'> {
  readonly peers: Peers;
  readonly tokens: Tokens;
  readonly bindings: Bindings;
  readonly accounts: () => Accounts;
  /** Epoch ms: what was used before is not known. */
  readonly startedAt: number;
}

/** Routing in front of a PBX, or without one. */
export function makeRouting(options: RoutingOptions, parts: RoutingParts): Routing {
  const { upstream, path, secret, nonceMs, algorithms, registrar } = options;
  const { peers, tokens, bindings, accounts, ourAddress, startedAt } = parts;
  if (upstream !== '') return new EdgeRouting(peers, tokens, new Contacts(tokens), bindings, { path, ourAddress });
  const digest = new Digest(secret, nonceMs, algorithms, startedAt);
  return new HomeRouting(accounts, bindings, new Registrar(accounts, bindings, digest, registrar), digest);
}
