import type { Leg } from './call.ts';

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
  readonly #byNumber = new Map<string, Set<Leg>>();

  /** Remembers a leg that went into `address`; call `remove` when it is over. */
  add(leg: Leg, address: string, numbers: Numbers): void {
    for (const key of keysOf(address, numbers)) {
      if (key === undefined) continue;
      let legs = this.#byNumber.get(key);
      if (!legs) this.#byNumber.set(key, (legs = new Set()));
      legs.add(leg);
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
   * The leg that caused a leg out of `address`; undefined if there is none, or several with nothing to tell between them.
   *
   * Same caller and called number count before the same caller, that before the same called number; legs that caused
   * none yet go first, in order.
   */
  find(address: string, numbers: Numbers): Leg | undefined {
    const [callerKey, calledKey] = keysOf(address, numbers);
    const byCaller = (callerKey && this.#byNumber.get(callerKey)) || NONE;
    const byCalled = (calledKey && this.#byNumber.get(calledKey)) || NONE;
    const both = [...byCaller].filter((leg) => byCalled.has(leg));
    return choose(both) ?? (both.length > 0 ? undefined : (choose([...byCaller]) ?? choose([...byCalled])));
  }
}

const NONE: ReadonlySet<Leg> = new Set();

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
