import type { Address } from '../sip/observation.ts';
import type { Feeding, Hop, Leg } from './call.ts';

/** What a leg shares with the one that caused it, when a PBX passes on nothing else. */
export interface Numbers {
  /** The caller's number as shown, without `+`. */
  readonly caller: string;
  /** The extension or number that is called, after translation. */
  readonly called: string;
}

interface Chain {
  first: Feeding | undefined;
  last: Feeding | undefined;
}

// Of more calls with the same numbers at a time, those that caused no leg yet come first; the rest can't be told apart.
const MAX_SEEN = 64;

/**
 * Legs that went into an address and may cause legs out of it: a PBX makes a new leg, with nothing in it that tells of
 * the one it is for. Found by the address and by caller or called number. Design §5.5.
 */
export class Feeders {
  /** By address and number: those that caused no leg yet first, in order. */
  readonly #chains = new Map<string, Chain>();

  /** Remembers a leg by where one of its hops went; call `remove` when it is over. */
  add(leg: Leg, destination: Address, { caller, called }: Numbers): void {
    if (isTelling(caller)) this.#addOne(leg, destination, callerKey(destination.ip, caller));
    if (isTelling(called)) this.#addOne(leg, destination, calledKey(destination.ip, called));
  }

  remove(leg: Leg): void {
    for (let feeding = leg.feeding; feeding; feeding = feeding.nextOfLeg) this.#unchain(feeding);
    leg.feeding = undefined;
  }

  /**
   * The leg that caused the one with this first hop; undefined if there is none, or several with nothing to tell between them.
   *
   * Same caller and called number count before the same caller, that before the same called number; legs that caused
   * none yet go first, in order.
   */
  find(hop: Hop, { caller, called }: Numbers): Leg | undefined {
    const byCaller = isTelling(caller) ? this.#find(callerKey(hop.source.ip, caller), hop) : [];
    const byCalled = isTelling(called) ? this.#find(calledKey(hop.source.ip, called), hop) : [];
    const both = byCaller.filter((leg) => byCalled.includes(leg));
    return choose(both) ?? (both.length > 0 ? undefined : (choose(byCaller) ?? choose(byCalled)));
  }

  /** A leg was made for this one: others of its numbers go before it from now on. */
  markFed(leg: Leg): void {
    leg.feeds++;
    for (let feeding = leg.feeding; feeding; feeding = feeding.nextOfLeg) {
      this.#unchain(feeding);
      this.#chain(feeding);
    }
  }

  #addOne(leg: Leg, destination: Address, key: string): void {
    const feeding: Feeding = {
      leg,
      destination,
      key,
      previous: undefined,
      next: undefined,
      nextOfLeg: leg.feeding,
    };
    leg.feeding = feeding;
    this.#chain(feeding);
  }

  #chain(feeding: Feeding): void {
    let chain = this.#chains.get(feeding.key);
    if (!chain) this.#chains.set(feeding.key, (chain = { first: undefined, last: undefined }));
    feeding.previous = chain.last;
    feeding.next = undefined;
    if (chain.last) chain.last.next = feeding;
    else chain.first = feeding;
    chain.last = feeding;
  }

  #unchain(feeding: Feeding): void {
    const chain = this.#chains.get(feeding.key);
    if (!chain) return;
    if (feeding.previous) feeding.previous.next = feeding.next;
    else chain.first = feeding.next;
    if (feeding.next) feeding.next.previous = feeding.previous;
    else chain.last = feeding.previous;
    if (!chain.first) this.#chains.delete(feeding.key);
  }

  #find(key: string, hop: Hop): Leg[] {
    const legs: Leg[] = [];
    let feeding = this.#chains.get(key)?.first;
    for (let seen = 0; feeding && seen < MAX_SEEN; seen++, feeding = feeding.next) {
      if (mayCause(feeding, hop) && !legs.includes(feeding.leg)) legs.push(feeding.leg);
    }
    return legs;
  }
}

const isTelling = (number: string): boolean => number !== '' && number !== 'anonymous';
const callerKey = (address: string, caller: string): string => `${address}<${caller}`;
const calledKey = (address: string, called: string): string => `${address}>${called}`;

/** Two legs from the same sender, or to the same receiver, are two calls: a PBX stands between the legs of one. */
const mayCause = ({ leg, destination }: Feeding, hop: Hop): boolean =>
  !isSame(leg.source, hop.source) && !isSame(destination, hop.destination);

const isSame = (a: Address, b: Address): boolean => a.port === b.port && a.ip === b.ip;

function choose(legs: readonly Leg[]): Leg | undefined {
  const idle = legs.find(({ feeds }) => feeds === 0);
  return idle ?? (legs.length === 1 ? legs[0] : undefined);
}
