import type { Accounts } from './accounts.ts';
import type { Binding, Bindings } from './bindings.ts';
import { type Decision, type Inbound, reply, type Routing, type Target } from './decision.ts';
import type { Digest } from './digest.ts';
import type { Registrar } from './registrar.ts';
import { answerOptions, followRoute } from './routing-common.ts';
import { parseNameAddr } from '../sip/name-addr.ts';
import { parseUri, userNumber } from '../sip/uri.ts';

/** Routing without a PBX: phones register here and call each other. */
export class HomeRouting implements Routing {
  readonly #accounts: () => Accounts;
  readonly #bindings: Bindings;
  readonly #registrar: Registrar;
  readonly #digest: Digest;

  constructor(accounts: () => Accounts, bindings: Bindings, registrar: Registrar, digest: Digest) {
    this.#accounts = accounts;
    this.#bindings = bindings;
    this.#registrar = registrar;
    this.#digest = digest;
  }

  decide(inbound: Inbound): Decision {
    const { message } = inbound;
    if (inbound.isRouted) return followRoute(inbound, this.#bindings, false);
    if (message.method === 'REGISTER') return this.#registrar.register(inbound);
    const options = answerOptions(inbound);
    if (options) return options;
    if (message.toTag !== '') return reply(481, 'Call/Transaction Does Not Exist');
    if (message.method === 'ACK') return reply(0, '');
    return this.#refuse(inbound) ?? this.#locate(inbound);
  }

  /** Only those who are known may call. */
  #refuse(inbound: Inbound): Decision | undefined {
    const { message, peer, uri, isOurs, now } = inbound;
    if (peer !== 'other') return isOurs ? undefined : reply(404, 'Not Found');
    const realm = this.#accounts().realm(uri.host);
    const values = message.all('Proxy-Authorization');
    const user = this.#digest.claimedUser(values, realm);
    const account = user === '' ? undefined : this.#accounts().find(user, uri.host);
    const verdict = this.#digest.check(values, realm, message.method, account, now);
    if (verdict === 'wrong') return reply(403, 'Forbidden');
    if (verdict !== 'good') return this.#challenge(realm, verdict === 'stale', inbound);
    if (!isOurs) return reply(404, 'Not Found');
    return this.#isCaller(inbound, account?.id) ? undefined : reply(403, 'Forbidden');
  }

  #challenge(realm: string, isStale: boolean, { message, now }: Inbound): Decision {
    const from = parseUri(message.from?.uri ?? '');
    const account = this.#accounts().find(userNumber(from), from.host);
    const challenges = this.#digest.challenge(realm, account, isStale, now);
    return reply(
      407,
      'Proxy Authentication Required',
      challenges.map((value) => `Proxy-Authenticate: ${value}`),
    );
  }

  /** Whether the From names the account that the credentials are of. */
  #isCaller({ message }: Inbound, account: string | undefined): boolean {
    const from = parseUri(message.from?.uri ?? '');
    return this.#accounts().find(userNumber(from), from.host)?.id === account;
  }

  #locate({ uri, now }: Inbound): Decision {
    const account = this.#accounts().find(userNumber(uri), uri.host);
    if (!account) return reply(404, 'Not Found');
    const bindings = this.#bindings.find(account.id, now);
    if (bindings.length === 0) return reply(480, 'Temporarily Unavailable');
    return { action: 'relay', groups: groupByPreference(bindings), isTrusted: false, edit: dropCredentials };
  }
}

/** Equal preference rings at once, lower ones when the higher did not answer. RFC 3261 §16.6. */
function groupByPreference(bindings: readonly Binding[]): Target[][] {
  const groups = new Map<number, Target[]>();
  for (const binding of bindings.toSorted((a, b) => b.q - a.q)) {
    groups.set(binding.q, [...(groups.get(binding.q) ?? []), makeTarget(binding)]);
  }
  return [...groups.values()];
}

/** Along the Path that it registered by, else over its flow. RFC 3327 §5.3. */
function makeTarget({ contact, flow, path }: Binding): Target {
  const [first] = path;
  return first === undefined
    ? { uri: contact, to: flow }
    : { uri: contact, to: parseNameAddr(first).uri, routes: path };
}

/** Credentials meant for us are nobody else's business. RFC 3261 §22.3. */
const dropCredentials: NonNullable<Extract<Decision, { action: 'relay' }>['edit']> = (edit, message) => {
  for (const index of message.indexes('Proxy-Authorization')) edit.remove(index);
};
