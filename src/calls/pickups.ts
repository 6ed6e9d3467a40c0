import type { Leg } from './call.ts';
import { onlyCall } from './leg-facts.ts';
import { isSameNumber } from './number-match.ts';
import type { Pickup, Tenant } from './tenant.ts';

// A PBX that lets one phone answer takes the call away from the others within this time.
const TAKEOVER_MS = 100;
const MAX_RECENT = 64;
const MAX_SEEN = 256;

interface Recent {
  readonly leg: Leg;
  readonly tenant: Tenant;
  readonly number: string;
  readonly at: number;
}

/** Calls to pickup codes, and the ringing legs that they may be meant for. Design §5.5. */
export class Pickups {
  readonly #ringing = new WeakMap<Tenant, Set<Leg>>();
  #answered: readonly Recent[] = [];
  #cancelled: readonly Recent[] = [];

  /** A leg that was sent to a phone of a tenant. */
  addRinging(leg: Leg, tenant: Tenant): void {
    let legs = this.#ringing.get(tenant);
    if (!legs) this.#ringing.set(tenant, (legs = new Set()));
    legs.add(leg);
    leg.ringing = legs;
  }

  /** It rings no longer. */
  remove(leg: Leg): void {
    leg.ringing?.delete(leg);
    leg.ringing = undefined;
  }

  /**
   * The ringing leg that a pickup is for, if only one call rings there (of that caller, where the PBX has told who that is);
   * nobody takes a call from his own phone.
   */
  find({ tenant, number, by }: Pickup, caller?: string): Leg | undefined {
    let found: Leg | undefined;
    let seen = 0;
    for (const leg of this.#ringing.get(tenant) ?? []) {
      if (++seen > MAX_SEEN) return undefined;
      if (leg.phase !== 'pending' && leg.phase !== 'held') continue;
      if (isSameNumber(leg.calledNumber, by) || (number !== '' && !isSameNumber(leg.calledNumber, number))) continue;
      if (caller !== undefined && !isSameNumber(leg.callerNumber, caller)) continue;
      if (found && found.call !== leg.call) return undefined;
      found = leg;
    }
    return found;
  }

  /** Puts back an answered pickup that was known before a restart. */
  restore(leg: Leg, { tenant, number }: Pickup): void {
    this.#answered = remember(this.#answered, { leg, tenant, number, at: leg.answeredAt });
  }

  /** A pickup of which it is not known what it takes was answered: it takes the call that is withdrawn elsewhere just now. */
  answer(leg: Leg, { tenant, number }: Pickup, at: number): Leg | undefined {
    const fits = (other: Recent): boolean => number === '' || isSameNumber(other.number, number);
    const taken = onlyCall(listMoment(this.#cancelled.filter(fits), tenant, at));
    if (taken) this.#cancelled = this.#cancelled.filter((other) => other.leg.call !== taken.call);
    else this.#answered = remember(this.#answered, { leg, tenant, number, at });
    return taken;
  }

  /** A PBX withdrew a call from a phone: it may be a pickup that took it. */
  cancel(leg: Leg, tenant: Tenant, at: number): Leg | undefined {
    if (isLost(leg, at)) return undefined;
    const fits = ({ number }: Recent): boolean => number === '' || isSameNumber(leg.calledNumber, number);
    const taker = onlyCall(listMoment(this.#answered.filter(fits), tenant, at));
    if (taker) this.#answered = this.#answered.filter((other) => other.leg !== taker);
    else this.#cancelled = remember(this.#cancelled, { leg, tenant, number: leg.calledNumber, at });
    return taker;
  }
}

const remember = (list: readonly Recent[], recent: Recent): readonly Recent[] => [
  ...list.slice(1 - MAX_RECENT),
  recent,
];

const listMoment = (recent: readonly Recent[], tenant: Tenant, at: number): Leg[] =>
  recent
    .filter((other) => other.tenant === tenant && at - other.at <= TAKEOVER_MS && !isLost(other.leg, at))
    .map(({ leg }) => leg);

/** Another phone of its ring group answered just now. */
const isLost = (leg: Leg, at: number): boolean =>
  leg.call.legs.some((other) => other !== leg && other.isFed && at - other.answeredAt <= TAKEOVER_MS);
