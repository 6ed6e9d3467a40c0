import type { SipMessage } from '../sip/message.ts';
import { readAddressUri } from '../sip/name-addr.ts';
import { isSameAddress, type Observation } from '../sip/observation.ts';
import { readReferMarker } from '../sip/refer-marker.ts';
import { userNumber } from '../sip/uri.ts';
import type { Call, Doubt, Hop, Join, Leg, Referral } from './call.ts';
import { Correlators, type Token } from './correlators.ts';
import { parseDialogName } from './dialog-name.ts';
import type { Directory } from './directory.ts';
import type { Invitation } from './invitation.ts';
import type { JoinMethod } from './join.ts';
import { type Found, LegFinder, mayCause, type Place } from './leg-finder.ts';
import type { LegIndex } from './leg-index.ts';
import { isSameNumber } from './number-match.ts';
import { Pickups } from './pickups.ts';
import { Referrals } from './referrals.ts';
import type { TrackerOptions } from './tracker-options.ts';

/** An INVITE on one hop, and all that is known of where it comes from. */
export interface Newcomer {
  readonly message: SipMessage;
  readonly invitation: Invitation;
  readonly observation: Observation;
  /** Of the sender. */
  readonly site: string;
  readonly tokens: readonly Token[];
}

// A carrier takes no longer to send a call back that is for another number here.
const RETURNED_MS = 5000;
const NAMING_HEADERS = ['Replaces', 'Join', 'Target-Dialog'] as const;

/** Finds the call that a new leg is part of: by what its INVITE carries, else by its numbers. Design §5. */
export class Joiner {
  readonly finder = new LegFinder();
  readonly referrals: Referrals;
  readonly pickups = new Pickups();
  readonly #legs: LegIndex;
  readonly #calls: ReadonlyMap<string, Call>;
  readonly #correlators: Correlators;
  readonly #marker: string;

  /** `calls`: those that are up, by id and alias. */
  constructor(legs: LegIndex, calls: ReadonlyMap<string, Call>, options: TrackerOptions) {
    this.#legs = legs;
    this.#calls = calls;
    this.#marker = options.markerHeader;
    this.#correlators = new Correlators(legs, options.correlationHeaders);
    this.referrals = new Referrals(options.maxLegs);
  }

  meet(message: SipMessage, invitation: Invitation, observation: Observation, directory: Directory): Newcomer {
    const site = directory.site(observation.source);
    return { message, invitation, observation, site, tokens: this.#correlators.read(message, observation) };
  }

  /** The join with the highest confidence; a doubt where several legs fit equally; undefined if none does. */
  find(newcomer: Newcomer, directory: Directory): Join | Doubt | undefined {
    return (
      this.#byCallId(newcomer) ??
      this.#byMarker(newcomer, directory) ??
      this.#byDialogName(newcomer) ??
      this.#byReferral(newcomer, directory) ??
      this.#byCorrelator(newcomer, directory) ??
      this.#byDiversion(newcomer, directory) ??
      this.#byNumbers(newcomer) ??
      this.#byPickup(newcomer)
    );
  }

  /** Makes a leg known by one of its hops. */
  remember(leg: Leg, { invitation, observation, site, tokens }: Newcomer, directory: Directory): void {
    const { destination } = observation;
    const { numbers, called, aim } = invitation;
    leg.callerNumber ||= numbers.caller;
    leg.claimedNumber ||= numbers.claimed;
    leg.calledNumber ||= numbers.called;
    if (!leg.isFed || aim !== 'offered') this.finder.addInto(leg, directory.site(destination), destination, numbers);
    if (!leg.isFed) this.finder.addRecent(leg, directory.site(destination));
    if (leg.isFed && leg.transactions.length === 1) {
      this.finder.addOutOf(leg, site, destination, numbers);
      leg.connected = numbers.caller;
      leg.isWithStranger = leg.join === undefined;
      if (called && called.tenant.pickupCodes.length > 0) this.pickups.addRinging(leg, called.tenant);
    }
    this.#correlators.add(leg, tokens);
  }

  /** Puts back a leg as it was known before a restart; while it rings, it may be picked up. */
  restore(leg: Leg, anchors: readonly Place[]): void {
    for (const { referral } of [...leg.dialogs, { referral: leg.redirect }]) {
      if (referral) this.referrals.restore(referral);
    }
    const withdrawn = leg.transactions.find(({ wasWithdrawn }) => wasWithdrawn)?.party;
    if (withdrawn) this.pickups.cancel(leg, withdrawn.extension.tenant, leg.goneAt);
    if (leg.phase === 'ended') return;
    this.finder.restore(leg, anchors);
    this.#correlators.restore(leg);
    if (leg.pickup && leg.isUp && !leg.join) this.pickups.restore(leg, leg.pickup);
    const called = leg.isFed && leg.answeredAt === 0 ? leg.transactions.find(({ party }) => party)?.party : undefined;
    if (called && called.extension.tenant.pickupCodes.length > 0) this.pickups.addRinging(leg, called.extension.tenant);
  }

  forget(leg: Leg): void {
    this.finder.remove(leg);
    this.#correlators.remove(leg);
    this.pickups.remove(leg);
  }

  /** The CallAPIID that a trusted peer says the INVITE belongs to; empty if there is none. */
  readMarker(message: SipMessage, { source }: Observation, directory: Directory): string {
    if (this.#marker === '' || !directory.isTrusted(source)) return '';
    return message.custom(this.#marker) ?? '';
  }

  /** A leg with the Call-ID of one that is up, but another From-tag, belongs to the same call: a B2BUA made it. */
  #byCallId({ message, observation }: Newcomer): Join | undefined {
    for (let leg = this.#legs.first(message.callId); leg; leg = leg.next) {
      if (leg.phase === 'ended' || leg.fromTag === message.fromTag) continue;
      return { method: 'same-call-id', leg, feeder: isSameAddress(leg.source, observation.source) ? undefined : leg };
    }
    return undefined;
  }

  /** By a header; or by a parameter, which anybody may write who knows the id: it counts while a REFER may be followed. */
  #byMarker({ message, invitation, observation }: Newcomer, directory: Directory): Join | undefined {
    const referred = this.#calls.get(readReferMarker(message.target));
    const referral = referred?.legs.flatMap(({ dialogs }) => dialogs).find((dialog) => dialog.referral)?.referral;
    if (referral) {
      referral.isFollowed = true;
      return { method: 'marker', leg: referral.leg, feeder: undefined, by: referral.by };
    }
    const call = this.#calls.get(this.readMarker(message, observation, directory));
    const leg = call?.legs.find(({ isFed, phase }) => !isFed && phase !== 'ended') ?? call?.legs[0];
    return leg && { method: 'marker', leg, feeder: invitation.origin === 'other' ? undefined : leg };
  }

  #byDialogName({ message, invitation }: Newcomer): Join | undefined {
    for (const header of NAMING_HEADERS) {
      if (!message.has(header)) continue;
      const name = parseDialogName(message.text(header)!);
      const leg = name && this.#legs.findNamed(name);
      if (leg)
        return { method: 'replaces', leg, feeder: invitation.origin === 'pbx' ? findCounterpart(leg) : undefined };
    }
    return undefined;
  }

  #byReferral({ message, invitation, site, observation }: Newcomer, directory: Directory): Join | Doubt | undefined {
    if (this.referrals.size === 0) return undefined;
    const referredBy = readNumber(message.text('Referred-By'), directory);
    const { caller, called } = invitation.numbers;
    const isHidden = this.#isHidden(invitation, site, observation.observedAt);
    const referral = this.referrals.find({ site, caller, called, referredBy, isHidden }, observation.observedAt);
    if (!referral) return undefined;
    const { leg, kind } = referral;
    const rivals = referredBy === '' ? this.#findSeeking(invitation, observation, site, leg) : [];
    if (rivals.length > 0) {
      return { doubt: 'a call asks for it as well as a request', legs: [findWaiting(referral) ?? leg, ...rivals] };
    }
    referral.isFollowed = true;
    this.referrals.advance(leg, observation.observedAt);
    const method: JoinMethod = kind === 'redirect' ? 'redirect' : referredBy === '' ? 'refer' : 'referred-by';
    return {
      method,
      leg,
      feeder: isAnsweredByPbx(referral) ? findWaiting(referral) : undefined,
      by: referral.by,
    };
  }

  /** A PBX shows a number of its own to the outside, and who is called there nobody dialled. */
  #isHidden({ origin, numbers }: Invitation, site: string, at: number): boolean {
    const { caller, called, isCallerExtension, isCalledExtension } = numbers;
    if (origin !== 'pbx' || isCallerExtension || isCalledExtension) return false;
    return this.finder.findOwn(site, caller).length === 0 && this.finder.findDialled(site, called, at).length === 0;
  }

  /** Legs of the same caller that dialled somebody just now, and not in the call that a request came in. */
  #findSeeking({ origin, numbers }: Invitation, observation: Observation, site: string, { call }: Leg): Leg[] {
    if (origin !== 'pbx') return [];
    return this.finder
      .findSeeking(observation, site, numbers, observation.observedAt)
      .filter((leg) => leg.call !== call);
  }

  /** Headers count from a PBX or a trusted server alone, where the network is known. */
  #byCorrelator({ observation, invitation, site, tokens }: Newcomer, directory: Directory): Join | undefined {
    const isTrusted = !directory.hasPbx || directory.isTrusted(observation.source);
    const found = this.#correlators.find(tokens, observation.source, site, isTrusted);
    return found && { ...found, feeder: invitation.origin === 'pbx' || !found.leg.isFed ? found.leg : undefined };
  }

  #byDiversion({ message, invitation, observation, site }: Newcomer, directory: Directory): Join | undefined {
    const { caller } = invitation.numbers;
    const isOutside = directory.role(observation.destination.ip, observation.destination.port) === 'trunk';
    const fits = (leg: Leg): boolean =>
      leg.phase !== 'challenged' && isApart(leg, observation) && (isOutside || isSameNumber(leg.callerNumber, caller));
    for (const number of readDiversions(message, directory)) {
      const legs = this.finder.findDialled(site, number, observation.observedAt).filter(fits);
      if (legs.length === 1) return { method: 'diversion', leg: legs[0]!, feeder: legs[0] };
    }
    return undefined;
  }

  #byNumbers({ invitation, observation, site }: Newcomer): Join | Doubt | undefined {
    const found = this.finder.find(observation, site, invitation.numbers, observation.observedAt);
    if (!found) return this.#byTime(invitation, observation, site);
    if (invitation.origin === 'trunk' && !isReturned(found, observation.observedAt)) return undefined;
    return asFed(found);
  }

  /** Somebody is called, shown as the PBX likes: what happens next may tell for whom. */
  #byTime({ origin, numbers }: Invitation, observation: Observation, site: string): Doubt | undefined {
    const { caller, called, isCallerExtension, isCalledExtension } = numbers;
    if (origin !== 'pbx' || isCallerExtension || this.finder.findOwn(site, caller).length > 0) return undefined;
    const dialled = this.finder.findDialled(site, called, observation.observedAt);
    if (!isCalledExtension && dialled.length > 0) return undefined;
    const legs = this.finder
      .findSeekingLately(observation, site)
      .filter((leg) => (isCalledExtension ? dialled.includes(leg) : leg.caller !== undefined || leg.feeds > 0));
    return legs.length > 0
      ? { doubt: `it shows no number of the ${legs.length} legs that it may be for`, legs }
      : undefined;
  }

  #byPickup({ invitation }: Newcomer): Join | undefined {
    const leg = invitation.pickup && this.pickups.find(invitation.pickup);
    return leg && { method: 'pickup', leg, feeder: undefined };
  }
}

/** A carrier sends a call back before it says that it rings: what comes later is another call. */
const isReturned = (found: NonNullable<Found>, at: number): boolean =>
  ('leg' in found ? [found.leg] : found.legs).every(
    ({ rangAt, answeredAt, startedAt }) => rangAt + answeredAt === 0 && at - startedAt <= RETURNED_MS,
  );

const asFed = (found: Found): Join | Doubt | undefined =>
  found && 'leg' in found ? { ...found, feeder: found.leg } : found;

const isApart = (leg: Leg, hop: Hop): boolean => leg.anchor === undefined || mayCause(leg.anchor, hop);

/** The leg whose phone talks to the phone of this one. */
export function findCounterpart(leg: Leg): Leg | undefined {
  const others = leg.call.legs.filter((other) => other !== leg && other.isUp);
  return (
    others.find((other) => other === leg.feeder || other.feeder === leg) ??
    (others.length === 1 ? others[0] : undefined)
  );
}

const findWaiting = ({ leg, kind }: Referral): Leg | undefined =>
  kind === 'redirect' ? leg.feeder : findCounterpart(leg);

/** A PBX does what was asked for itself; a phone that is asked calls itself, and its party goes on. */
export const isAnsweredByPbx = ({ leg, kind, byCaller }: Referral): boolean =>
  kind === 'redirect' || !byCaller
    ? leg.isFed
    : leg.feeds > 0 ||
      leg.transactions.some(({ aim, isLeaf, isAnswered }) => isLeaf && isAnswered && aim === 'addressed');

/** The number that an address stands for, in the words of the numbering plan; empty where there is none. */
export function readNumber(address: string | undefined, directory: Directory): string {
  const uri = readAddressUri(address);
  return uri ? directory.translate(userNumber(uri), [uri.host]) : '';
}

/** Who diverted the call, the last first. RFC 5806, RFC 7044. */
function readDiversions(message: SipMessage, directory: Directory): string[] {
  const values = message.has('Diversion') ? message.values('Diversion') : [];
  const history = message.has('History-Info') ? message.values('History-Info').slice(0, -1).reverse() : [];
  return [...values, ...history]
    .slice(0, 8)
    .map((value) => readNumber(value, directory))
    .filter((number) => number !== '');
}
