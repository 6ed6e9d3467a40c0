import { LRUCache } from 'lru-cache';
import type { SipMessage } from '../sip/message.ts';
import { parseNameAddr } from '../sip/name-addr.ts';
import { SipParseError } from '../sip/parse-error.ts';
import { parseUri, type SipUri } from '../sip/uri.ts';

// Stands for the accounts of a user that several have.
const SEVERAL = 'several';

/** An address of record. */
export interface Account {
  readonly user: string;
  readonly host: string;
}

/**
 * Which account a contact belongs to, learned from the REGISTER transactions that pass: some phones register a contact
 * with a user of its own, and an INVITE sent there does not name the extension. RFC 3261 §10.
 */
export class Registrations {
  readonly #accounts: LRUCache<string, Account>;
  /** By the user of the contact alone, where it is one account's only. */
  readonly #byUser: LRUCache<string, Account | typeof SEVERAL>;

  constructor(maxContacts: number) {
    this.#accounts = new LRUCache({ max: maxContacts });
    this.#byUser = new LRUCache({ max: maxContacts });
  }

  /**
   * Takes in a 2xx to a REGISTER, which lists all contacts of the account. `isAll`: also those that name the account
   * themselves, as the number alone does not tell whose it is. RFC 3261 §10.3 step 8.
   */
  observe(response: SipMessage, isAll: boolean): void {
    if (!isAll && isPlain(response.text('To') ?? '', response.text('Contact') ?? '')) return;
    try {
      const account = parseUri(response.to?.uri ?? '');
      for (const value of response.values('Contact')) this.#learn(account, value, isAll);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
    }
  }

  /** The account behind a contact; undefined where the contact's user is the account's anyway, or unknown. */
  find(contact: SipUri): Account | undefined {
    return this.#accounts.size === 0 ? undefined : this.#accounts.get(keyOf(contact));
  }

  /** The account whose contact alone has that user: a PBX may name a phone so, at an address of its own. */
  findByUser(user: string): Account | undefined {
    const found = this.#byUser.size === 0 ? undefined : this.#byUser.get(user);
    return found === SEVERAL ? undefined : found;
  }

  #learn(account: SipUri, value: string, isAll: boolean): void {
    const { uri, parameters } = parseNameAddr(value);
    const contact = parseUri(uri);
    if (contact.user === account.user && !isAll) return;
    if (parameters.get('expires') === '0') this.#accounts.delete(keyOf(contact));
    else this.#accounts.set(keyOf(contact), { user: account.user, host: account.host });
    if (contact.user !== account.user) this.#learnUser(contact.user, account);
  }

  #learnUser(user: string, { user: owner, host }: SipUri): void {
    const known = this.#byUser.get(user);
    const isOther = known !== undefined && (known === SEVERAL || known.user !== owner || known.host !== host);
    this.#byUser.set(user, isOther ? SEVERAL : { user: owner, host });
  }
}

const USER = /^[^"<,]*<sip:([^@;>]+)@[^,]*$/;

/** Whether there is one contact, and its user is the account's: so for most phones, and nothing to learn. */
function isPlain(to: string, contact: string): boolean {
  if (contact === '') return true;
  const user = USER.exec(contact)?.[1];
  return user !== undefined && user === USER.exec(to)?.[1];
}

const keyOf = ({ user, host, port }: SipUri): string => `${user}@${host}:${port ?? ''}`;
