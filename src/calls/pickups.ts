import type { Leg } from './call.ts';
import { onlyCall } from './leg-facts.ts';
import { isSameNumber } from './number-match.ts';
import type { Pickup, Tenant } from './tenant.ts';

// A PBX that lets one phone answer takes the call away from the others within this time, and connects who calls.
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
   * nobody names his own phone.
   */
  find({ tenant, number, by }: Pickup, caller?: string): Leg | undefined {
    let found: Leg | undefined;
    let seen = 0;
    for (const leg of this.#ringing.get(tenant) ?? []) {
      if (++seen > MAX_SEEN) return undefined;
      if (leg.phase !== 'pending' && leg.phase !== 'held') continue;
      if (number !== '' && (!isSameNumber(leg.calledNumber, number) || isSameNumber(leg.calledNumber, by))) continue;
      if (caller !== undefined && !isSameNumber(leg.callerNumber, caller)) continue;
      if (found && found.call !== leg.call) return undefined;
      found = leg;
    }
    return found;
  }

  /** Puts back an answered pickup that was known before a restart. */
  restore(leg: Leg, pickup: Pickup): void {
    this.answer(leg, pickup, leg.answeredAt);
  }

  /** A pickup of which it is not known what it takes was answered. */
  answer(leg: Leg, { tenant, number }: Pickup, at: number): void {
    this.#answered = remember(this.#answered, { leg, tenant, number, at });
  }

  /** A PBX withdrew a call from a phone: it may be a pickup that took it. */
  cancel(leg: Leg, tenant: Tenant, at: number): void {
    this.#cancelled = remember(this.#cancelled, { leg, tenant, number: leg.calledNumber, at });
  }

  /** A pickup answered a while ago, and what it took: the call that was withdrawn just then, and connected. Undefined if there is no such. */
  take(now: number): { readonly taker: Leg; readonly taken: Leg | undefined } | undefined {
    const pickup = this.#answered[0];
    if (!pickup || pickup.at + TAKEOVER_MS > now) return undefined;
    this.#answered = this.#answered.slice(1);
    const withdrawn = this.#cancelled.filter((other) => isTaken(other, pickup)).map(({ leg }) => leg);
    return { taker: pickup.leg, taken: pickup.leg.join ? undefined : onlyCall(withdrawn) };
  }
}

const remember = (list: readonly Recent[], recent: Recent): readonly Recent[] => [
  ...list.slice(1 - MAX_RECENT),
  recent,
];

const isNear = (at: number, other: number): boolean => Math.abs(at - other) <= TAKEOVER_MS;

/** Withdrawn as the pickup was answered; no other phone of its ring group answered, and who calls was connected, or was before. */
function isTaken({ leg, tenant, number, at }: Recent, pickup: Recent): boolean {
  if (tenant !== pickup.tenant || !isNear(at, pickup.at)) return false;
  if (pickup.number !== '' && !isSameNumber(number, pickup.number)) return false;
  if (leg.call.legs.some((other) => other !== leg && other.isFed && isNear(other.answeredAt, pickup.at))) return false;
  const callers = leg.feeder ? [leg.feeder] : leg.call.legs.filter(({ isFed }) => !isFed);
  return callers.length === 0 || callers.some((caller) => isConnected(caller, pickup.at));
}

const isConnected = ({ answeredAt, goneAt }: Leg, at: number): boolean =>
  answeredAt > 0 && answeredAt <= at + TAKEOVER_MS && (goneAt === 0 || goneAt > at) && answeredAt !== goneAt;
