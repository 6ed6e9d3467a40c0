import { parseNameAddr } from '../sip/name-addr.ts';
import { detach } from '../sip/text.ts';
import { checkUri, parseUri, userNumber } from '../sip/uri.ts';
import type { Account, Accounts } from './accounts.ts';
import { type Binding, type Bindings, MAX_PER_ACCOUNT } from './bindings.ts';
import { type Decision, type Inbound, reply } from './decision.ts';
import type { Digest } from './digest.ts';
import { withAccount } from './token.ts';

/** Bounds on how long a registration lasts, in seconds. */
export interface RegistrarOptions {
  readonly defaultExpires: number;
  readonly minExpires: number;
  readonly maxExpires: number;
}

interface Contact {
  readonly uri: string;
  readonly q: number;
  /** Seconds. */
  readonly expires: number;
  readonly instance: string;
}

const MAX_EXPIRES = 2 ** 32 - 1;

/** Answers REGISTER. RFC 3261 §10.3. */
export class Registrar {
  readonly #accounts: () => Accounts;
  readonly #bindings: Bindings;
  readonly #digest: Digest;
  readonly #options: RegistrarOptions;

  constructor(accounts: () => Accounts, bindings: Bindings, digest: Digest, options: RegistrarOptions) {
    this.#accounts = accounts;
    this.#bindings = bindings;
    this.#digest = digest;
    this.#options = options;
  }

  /** Whoever is unknown is challenged as the known are: the answer does not tell which numbers exist. */
  register(inbound: Inbound): Decision {
    const { message, uri, isOurs, now } = inbound;
    if (!isOurs) return reply(404, 'Not Found');
    const accounts = this.#accounts();
    const to = parseUri(message.to?.uri ?? '');
    const asked = accounts.find(userNumber(to), to.host);
    const find = (user: string): Account | undefined => accounts.find(user, to.host);
    const user = this.#digest.authenticate(inbound, { as: 'registrar', realm: accounts.realm(uri.host), find, asked });
    if ('action' in user) return user;
    return user.id === asked?.id ? this.#update(inbound, user, now) : reply(403, 'Forbidden');
  }

  #update(inbound: Inbound, account: Account, now: number): Decision {
    const { message } = inbound;
    const known = this.#bindings.find(account.id, now);
    const values = message.all('Contact');
    if (values.length === 0) return this.#confirm(inbound, known, now);
    if (known.some((binding) => binding.callId === message.callId && binding.cseq >= message.cseq)) {
      return reply(500, 'Out of order');
    }
    const header = readSeconds(message.text('Expires'));
    if (values[0] === '*') return this.#clear(inbound, account, values.length === 1 && header === 0, now);
    const contacts = values.map((value) => readContact(value, header ?? this.#options.defaultExpires));
    if (contacts.some(({ expires }) => expires > 0 && expires < this.#options.minExpires)) {
      return reply(423, 'Interval Too Brief', [`Min-Expires: ${this.#options.minExpires}`]);
    }
    const merged = contacts
      .reduce((list, contact) => this.#merge(list, contact, inbound, account), known)
      .slice(-MAX_PER_ACCOUNT);
    if (!this.#bindings.replace(account.id, merged)) return reply(503, 'Too many bindings');
    return this.#confirm(inbound, merged, now);
  }

  #clear(inbound: Inbound, account: Account, isAllowed: boolean, now: number): Decision {
    if (!isAllowed) return reply(400, 'Contact: * needs Expires: 0');
    this.#bindings.replace(account.id, []);
    return this.#confirm(inbound, [], now);
  }

  /** A contact replaces itself, and what the same device registered over another connection. */
  #merge(known: readonly Binding[], contact: Contact, inbound: Inbound, account: Account): readonly Binding[] {
    const { message, flow, now } = inbound;
    const others = known.filter(
      (binding) =>
        binding.contact !== contact.uri && (contact.instance === '' || binding.instance !== contact.instance),
    );
    if (contact.expires === 0) return others;
    const binding: Binding = {
      account: account.id,
      contact: detach(contact.uri),
      flow: withAccount(flow, account.id),
      path: message.all('Path').map(detach),
      q: contact.q,
      expiresAt: now + 1000 * Math.min(contact.expires, this.#options.maxExpires),
      callId: detach(message.callId),
      cseq: message.cseq,
      instance: contact.instance,
    };
    return [...others, binding];
  }

  #confirm({ message }: Inbound, bindings: readonly Binding[], now: number): Decision {
    const contacts = bindings.map(
      ({ contact, expiresAt, instance }) =>
        `Contact: <${contact}>;expires=${Math.max(0, Math.round((expiresAt - now) / 1000))}${instance}`,
    );
    const isOutbound =
      message.raw('Supported').includes('outbound') && bindings.some(({ instance }) => instance !== '');
    const outbound = isOutbound ? ['Require: outbound'] : [];
    const date = `Date: ${new Date(now).toUTCString()}`;
    return reply(200, 'OK', [...contacts, ...outbound, ...message.all('Path').map((path) => `Path: ${path}`), date]);
  }
}

function readContact(value: string, fallback: number): Contact {
  const { uri, parameters } = parseNameAddr(value);
  checkUri(uri);
  parseUri(uri);
  const q = Number(parameters.get('q') ?? 1);
  const expires = readSeconds(parameters.get('expires')) ?? fallback;
  return { uri, q: q >= 0 && q <= 1 ? q : 1, expires, instance: formatInstance(parameters) };
}

/** The device by the parameters that name it, as we write them ourselves; empty for what does not. RFC 5626 §4.1. */
function formatInstance(parameters: ReadonlyMap<string, string>): string {
  const id = parameters.get('+sip.instance') ?? '';
  const regId = parameters.get('reg-id') ?? '';
  if (!/^[^"\\]+$/.test(id)) return '';
  return `;+sip.instance="${id}"${/^\d+$/.test(regId) ? `;reg-id=${regId}` : ''}`;
}

/** Malformed values count as missing. RFC 3261 §10.2.1.1. */
const readSeconds = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d{1,10}$/.test(text) ? Math.min(Number(text), MAX_EXPIRES) : undefined;
