import { placeOf } from '../sip/uri.ts';
import type { Flow } from './token.ts';

/** Where an account can be reached. */
export interface Binding {
  /** Account id; in front of a PBX the address of record, `user@domain`. */
  readonly account: string;
  /** Contact URI as the phone wrote it, one character a byte. */
  readonly contact: string;
  /** How the REGISTER came in. */
  readonly flow: Flow;
  /** Route towards the phone, from Path, top first. RFC 3327 §5.3. */
  readonly path: readonly string[];
  /** Preference, 0 to 1. */
  readonly q: number;
  /** Epoch ms. */
  readonly expiresAt: number;
  readonly callId: string;
  readonly cseq: number;
  /** `+sip.instance` and `reg-id`: the same device over a new connection. RFC 5626 §6. */
  readonly instance: string;
}

/** Takes changes, to keep them over a restart: all bindings that an account has now. */
export type BindingSink = (account: string, bindings: readonly Binding[]) => void;

const MAX_BINDINGS = 100_000;
/** A device may make a new contact at each start: the oldest give way. */
export const MAX_PER_ACCOUNT = 10;

/** The location service: where each account can be reached. RFC 3261 §10. */
export class Bindings {
  readonly #byAccount = new Map<string, readonly Binding[]>();
  readonly #byUser = new Map<string, Set<string>>(); // accounts
  readonly #owners = new Map<string, string>(); // accounts by connection and contact
  readonly #sink: BindingSink;
  #count = 0;

  constructor(sink: BindingSink, known: readonly Binding[] = []) {
    this.#sink = sink;
    for (const binding of known) this.#set(binding.account, [...(this.#byAccount.get(binding.account) ?? []), binding]);
  }

  get count(): number {
    return this.#count;
  }

  /** Bindings of an account that have not run out. */
  find(account: string, now: number): readonly Binding[] {
    const bindings = this.#byAccount.get(account) ?? [];
    return bindings.every(({ expiresAt }) => expiresAt > now) ? bindings : bindings.filter((b) => b.expiresAt > now);
  }

  /** Bindings of a user of a domain; where nobody registered there, of the only account of that name. */
  findUser(user: string, domain: string, now: number): readonly Binding[] {
    const bindings = this.find(`${user}@${domain}`, now);
    if (bindings.length > 0) return bindings;
    const [account, ...others] = this.#byUser.get(user) ?? [];
    return account !== undefined && others.length === 0 ? this.find(account, now) : [];
  }

  /** The account that registered a contact over a connection. */
  ownerOf(flow: Flow, contact: string): string | undefined {
    return this.#owners.get(formatOwned(flow, contact));
  }

  /**
   * The way to a contact of an account, which may have come by another connection since, or from another port of the same
   * device; else the way that was known.
   */
  currentFlow(flow: Flow, contact: string, now: number): Flow {
    if (flow.account === undefined) return flow;
    const [place, device] = [placeOf(contact), deviceOf(contact)];
    const own = this.find(flow.account, now).filter(
      (binding) =>
        placeOf(binding.contact) === place ||
        (binding.flow.remote.ip === flow.remote.ip && deviceOf(binding.contact) === device),
    );
    return own.reduce<Binding | undefined>((a, b) => (a && a.expiresAt > b.expiresAt ? a : b), undefined)?.flow ?? flow;
  }

  /** All bindings an account has from now on. False: there are too many. */
  replace(account: string, bindings: readonly Binding[]): boolean {
    if (bindings.length > MAX_PER_ACCOUNT) return false;
    const more = bindings.length - (this.#byAccount.get(account)?.length ?? 0);
    if (more > 0 && this.count + more > MAX_BINDINGS) return false;
    this.#set(account, bindings);
    this.#sink(account, bindings);
    return true;
  }

  /** Forgets what has run out. */
  expire(now: number): void {
    for (const [account, bindings] of this.#byAccount) {
      const left = bindings.filter(({ expiresAt }) => expiresAt > now);
      if (left.length < bindings.length) this.replace(account, left);
    }
  }

  #set(account: string, bindings: readonly Binding[]): void {
    const before = this.#byAccount.get(account) ?? [];
    this.#count += bindings.length - before.length;
    for (const { flow, contact } of before) this.#owners.delete(formatOwned(flow, contact));
    for (const { flow, contact } of bindings) {
      if (flow.transport !== 'udp') this.#owners.set(formatOwned(flow, contact), account);
    }
    if (bindings.length === 0) this.#byAccount.delete(account);
    else this.#byAccount.set(account, bindings);
    if (before.length === 0 || bindings.length === 0) this.#indexUser(account, bindings.length > 0);
  }

  #indexUser(account: string, isThere: boolean): void {
    const at = account.lastIndexOf('@');
    if (at < 0) return;
    const user = account.slice(0, at);
    const accounts = this.#byUser.get(user) ?? new Set();
    if (isThere) this.#byUser.set(user, accounts.add(account));
    else if (accounts.delete(account) && accounts.size === 0) this.#byUser.delete(user);
  }
}

const formatOwned = ({ transport, remote }: Flow, contact: string): string =>
  `${transport} ${remote.ip}:${remote.port} ${placeOf(contact)}`;

/** User and host: behind one address they tell a device from others of its account. */
const deviceOf = (contact: string): string => placeOf(contact).replace(/:\d+$/, '');
