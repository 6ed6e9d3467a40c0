import type { Leg, Transaction } from '../calls/call.ts';
import type { Directory, Role } from '../calls/directory.ts';
import type { Address } from '../sip/observation.ts';
import { formatHostPort } from '../sip/uri.ts';
import type { CallStory, LadderLine } from './story.ts';

/** A column of the ladder: whatever stands at an address, or at several of one host. */
export interface Place {
  /** `PBX`, `trunk`, `proxy`, the numbers of a phone; empty where nothing is known. */
  readonly label: string;
  /** With the port where others share the host. */
  readonly address: string;
}

interface Naming {
  kind: string;
  readonly numbers: Set<string>;
}

const MAX_NUMBERS = 3;
const LABELS: { readonly [role in Role]: string } = { pbx: 'PBX', trunk: 'trunk', other: '' };
// Where INVITEs tell different things of one address: what stands between phones is no phone.
const RANKS = ['', 'proxy', 'trunk', 'PBX'];

/** The places that a call's messages went between, in order of appearance. */
export class Places {
  readonly list: Place[] = [];
  readonly #byAddress = new Map<string, Place>();
  readonly #directory: Directory;

  constructor(story: CallStory, lines: readonly LadderLine[], directory: Directory) {
    this.#directory = directory;
    const addresses = lines.flatMap(({ message }) => [message.source, message.destination]);
    const names = new AddressNames(story, directory, addresses);
    const groups = this.#group(addresses, names);
    const hosts = Map.groupBy(groups.values(), ([first]) => first!.ip);
    for (const group of groups.values()) {
      const [first] = group;
      const address = hosts.get(first!.ip)!.length > 1 ? formatHostPort(first!) : first!.ip;
      const place = { label: names.label(first!), address };
      this.list.push(place);
      for (const other of group) this.#byAddress.set(formatHostPort(other), place);
    }
  }

  /** Undefined for an address that no message of the ladder has. */
  find(address: Address): Place | undefined {
    return this.#byAddress.get(formatHostPort(address));
  }

  /** Addresses of one host are one place if they have one name; those without a name go with the only one that has. */
  #group(addresses: readonly Address[], names: AddressNames): Map<string, Address[]> {
    const distinct = [...new Map(addresses.map((address) => [formatHostPort(address), address])).values()];
    const labels = Map.groupBy(distinct, ({ ip }) => ip);
    return Map.groupBy(distinct, (address) => {
      if (this.#directory.role(address.ip, address.port) === 'pbx') return this.#directory.site(address);
      const known = new Set(
        labels
          .get(address.ip)!
          .map((other) => names.label(other))
          .filter(Boolean),
      );
      const label = names.label(address) || (known.size === 1 ? [...known][0]! : '');
      return label === '' ? formatHostPort(address) : `${address.ip} ${label}`;
    });
  }
}

/** What INVITEs and the configuration tell of addresses. */
class AddressNames {
  readonly #names = new Map<string, Naming>();
  readonly #directory: Directory;
  readonly #hasPbx: boolean;

  constructor({ legs }: CallStory, directory: Directory, addresses: readonly Address[]) {
    this.#directory = directory;
    this.#hasPbx = addresses.some(({ ip, port }) => directory.role(ip, port) === 'pbx');
    for (const { leg, messages } of legs) {
      for (const { transaction, source, destination } of messages) {
        if (!transaction) continue;
        this.#note(source, this.#nameSender(leg, transaction), leg.caller?.extension.number ?? leg.callerNumber);
        const number = transaction.party?.extension.number ?? leg.calledNumber;
        this.#note(destination, this.#nameReceiver(leg, transaction), number);
      }
    }
  }

  label({ ip, port }: Address): string {
    const role = LABELS[this.#directory.role(ip, port)];
    const name = this.#names.get(formatHostPort({ ip, port }));
    return role || name?.kind || [...(name?.numbers ?? [])].slice(0, MAX_NUMBERS).join(',');
  }

  #note(address: Address, kind: string, number: string): void {
    const key = formatHostPort(address);
    const name = this.#names.get(key) ?? { kind: '', numbers: new Set() };
    this.#names.set(key, name);
    if (RANKS.indexOf(kind) > RANKS.indexOf(name.kind)) name.kind = kind;
    if (kind === '' && number !== '') name.numbers.add(number);
  }

  #nameSender(leg: Leg, { parent }: Transaction): string {
    if (parent) return 'proxy';
    return leg.isFed ? this.#between : '';
  }

  #nameReceiver(leg: Leg, { isLeaf, party, aim }: Transaction): string {
    if (!isLeaf) return 'proxy';
    if (party && aim !== 'addressed') return '';
    return aim === 'addressed' || leg.feeds > 0 ? this.#between : '';
  }

  /** Who passes a call on: the PBX, or a proxy on the way to it where the configuration tells which address that has. */
  get #between(): string {
    return this.#hasPbx ? 'proxy' : 'PBX';
  }
}

/** `101 192.0.2.1`. */
export const formatPlace = ({ label, address }: Place): string => `${label} ${address}`.trim();
