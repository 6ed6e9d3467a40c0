import type { Flow } from './token.ts';

/** Where an account can be reached. */
export interface Binding {
  /** Account id. */
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
  readonly #byContact = new Map<string, Binding>();
  readonly #sink: BindingSink;

  constructor(sink: BindingSink, known: readonly Binding[] = []) {
    this.#sink = sink;
    for (const binding of known) this.#set(binding.account, [...(this.#byAccount.get(binding.account) ?? []), binding]);
  }

  get count(): number {
    return this.#byContact.size;
  }

  /** Bindings of an account that have not run out. */
  find(account: string, now: number): readonly Binding[] {
    const bindings = this.#byAccount.get(account) ?? [];
    return bindings.every(({ expiresAt }) => expiresAt > now) ? bindings : bindings.filter((b) => b.expiresAt > now);
  }

  /** The binding of a contact URI, compared as it is written. */
  findContact(contact: string): Binding | undefined {
    return this.#byContact.get(contact);
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
    for (const { contact } of this.#byAccount.get(account) ?? []) this.#byContact.delete(contact);
    for (const binding of bindings) this.#byContact.set(binding.contact, binding);
    if (bindings.length === 0) this.#byAccount.delete(account);
    else this.#byAccount.set(account, bindings);
  }
}
