import type { Leg } from './call.ts';
import { isSameNumber } from './number-match.ts';
import type { Pickup, Tenant } from './tenant.ts';

// A PBX that lets one phone answer takes the call away from the others within this time.
const TAKEOVER_MS = 1000;
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

  /** The ringing leg that a pickup is for, if only one call rings there. */
  find({ tenant, number }: Pickup): Leg | undefined {
    let found: Leg | undefined;
    let seen = 0;
    for (const leg of this.#ringing.get(tenant) ?? []) {
      if (++seen > MAX_SEEN) return undefined;
      if (leg.phase !== 'pending' && leg.phase !== 'held') continue;
      if (number !== '' && !isSameNumber(leg.calledNumber, number)) continue;
      if (found && found.call !== leg.call) return undefined;
      found = leg;
    }
    return found;
  }

  /** A pickup of which it is not known what it takes was answered: it takes the call that is withdrawn elsewhere just now. */
  answer(leg: Leg, { tenant, number }: Pickup, at: number): Leg | undefined {
    this.#answered = [...this.#answered.slice(1 - MAX_RECENT), { leg, tenant, number, at }];
    return onlyCall(
      this.#cancelled.filter((other) => number === '' || isSameNumber(other.number, number)),
      tenant,
      at,
    );
  }

  /** A PBX withdrew a call from a phone: it may be a pickup that took it. */
  cancel(leg: Leg, tenant: Tenant, at: number): Leg | undefined {
    const number = leg.calledNumber;
    this.#cancelled = [...this.#cancelled.slice(1 - MAX_RECENT), { leg, tenant, number, at }];
    return onlyCall(
      this.#answered.filter((other) => other.number === '' || isSameNumber(other.number, number)),
      tenant,
      at,
    );
  }
}

function onlyCall(recent: readonly Recent[], tenant: Tenant, at: number): Leg | undefined {
  const legs = recent.filter((other) => other.tenant === tenant && at - other.at <= TAKEOVER_MS).map(({ leg }) => leg);
  return new Set(legs.map(({ call }) => call)).size === 1 ? legs[0] : undefined;
}
