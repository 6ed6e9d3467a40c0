import type { Address } from '../sip/observation.ts';
import type { Hop, Leg } from './call.ts';

/** What a leg shares with the one that caused it, when a PBX passes on nothing else. */
export interface Numbers {
  /** The caller's number as shown, without `+`. */
  readonly caller: string;
  /** The extension or number that is called, after translation. */
  readonly called: string;
}

/**
 * Legs that went into an address and may cause legs out of it: a PBX makes a new leg, with nothing in it that tells of
 * the one it is for. Found by the address and by caller or called number. Design §5.5.
 */
export class Feeders {
  /** By address and number: the legs, and where exactly each went in. */
  readonly #byNumber = new Map<string, Map<Leg, Address>>();

  /** Remembers a leg by where one of its hops went; call `remove` when it is over. */
  add(leg: Leg, destination: Address, numbers: Numbers): void {
    for (const key of keysOf(destination.ip, numbers)) {
      if (key === undefined) continue;
      let legs = this.#byNumber.get(key);
      if (!legs) this.#byNumber.set(key, (legs = new Map()));
      legs.set(leg, destination);
      (leg.feederKeys ??= []).push(key);
    }
  }

  remove(leg: Leg): void {
    for (const key of leg.feederKeys ?? []) {
      const legs = this.#byNumber.get(key);
      if (legs?.delete(leg) && legs.size === 0) this.#byNumber.delete(key);
    }
    leg.feederKeys = undefined;
  }

  /**
   * The leg that caused the one with this first hop; undefined if there is none, or several with nothing to tell between them.
   *
   * Same caller and called number count before the same caller, that before the same called number; legs that caused
   * none yet go first, in order.
   */
  find(hop: Hop, numbers: Numbers): Leg | undefined {
    const [callerKey, calledKey] = keysOf(hop.source.ip, numbers);
    const byCaller = this.#find(callerKey, hop);
    const byCalled = this.#find(calledKey, hop);
    const both = byCaller.filter((leg) => byCalled.includes(leg));
    return choose(both) ?? (both.length > 0 ? undefined : (choose(byCaller) ?? choose(byCalled)));
  }

  #find(key: string | undefined, hop: Hop): Leg[] {
    const legs = key === undefined ? undefined : this.#byNumber.get(key);
    if (!legs) return [];
    return [...legs].filter(([leg, destination]) => mayCause(leg, destination, hop)).map(([leg]) => leg);
  }
}

/** Two legs from the same sender, or to the same receiver, are two calls: a PBX stands between the legs of one. */
function mayCause({ source }: Leg, destination: Address, hop: Hop): boolean {
  return !isSame(source, hop.source) && !isSame(destination, hop.destination);
}

const isSame = (a: Address, b: Address): boolean => a.port === b.port && a.ip === b.ip;

function keysOf(address: string, { caller, called }: Numbers): [string | undefined, string | undefined] {
  return [
    caller === '' || caller === 'anonymous' ? undefined : `${address}<${caller}`,
    called === '' ? undefined : `${address}>${called}`,
  ];
}

function choose(legs: readonly Leg[]): Leg | undefined {
  const idle = legs.find(({ feeds }) => feeds === 0);
  return idle ?? (legs.length === 1 ? legs[0] : undefined);
}
