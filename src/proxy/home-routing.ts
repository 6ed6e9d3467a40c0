import type { Account, Accounts } from './accounts.ts';
import type { Binding, Bindings } from './bindings.ts';
import { type Change, type Decision, type Inbound, reply, type Routing, type Target } from './decision.ts';
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

  /** Only those who are known may call, and as themselves. */
  #refuse(inbound: Inbound): Decision | undefined {
    const { message, peer, uri, isOurs } = inbound;
    if (peer !== 'other') return isOurs ? undefined : reply(404, 'Not Found');
    const accounts = this.#accounts();
    const from = parseUri(message.from?.uri ?? '');
    const asked = accounts.find(userNumber(from), from.host);
    const find = (user: string): Account | undefined => accounts.find(user, uri.host);
    const caller = this.#digest.authenticate(inbound, { as: 'proxy', realm: accounts.realm(uri.host), find, asked });
    if ('action' in caller) return caller;
    if (!isOurs) return reply(404, 'Not Found');
    return caller.id === asked?.id ? undefined : reply(403, 'Forbidden');
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
const dropCredentials: Change = (edit, message) => {
  for (const index of message.indexes('Proxy-Authorization')) edit.remove(index);
};
