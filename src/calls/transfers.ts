import type { SipMessage } from '../sip/message.ts';
import type { Observation } from '../sip/observation.ts';
import { readAddressUri } from '../sip/name-addr.ts';
import { readReferMarker } from '../sip/refer-marker.ts';
import { decodeText, detach } from '../sip/text.ts';
import { userNumber } from '../sip/uri.ts';
import { isCallApiId } from './call-api-id.ts';
import type { Calls } from './calls.ts';
import type { Directory, Extension } from './directory.ts';
import { readIdentity } from './invitation.ts';
import { findCounterpart, isAnsweredByPbx, type Joiner, readNumber } from './joiner.ts';
import type { Dialog, Leg, Party, Referral, Transaction } from './call.ts';
import { onlyCall } from './leg-facts.ts';
import type { LegIndex } from './leg-index.ts';
import { isSameNumber } from './number-match.ts';
import { parseDialogName } from './dialog-name.ts';
import { readHold } from './hold.ts';
import { readReferTo } from './refer-to.ts';
import type { Registrations } from './registrations.ts';

// A PBX tells both ends of each other within this time.
const AT_ONCE_MS = 100;

/** What tells, while calls are up, that one goes over to somebody else or is one with another: REFER, 3xx, PBX's updates. */
export class Transfers {
  readonly #legs: LegIndex;
  readonly #calls: Calls;
  readonly #joiner: Joiner;
  readonly #registrations: Registrations;
  readonly #onFed: (feeder: Leg) => void;

  /** `onFed` is told of every leg for which another turns out to be made. */
  constructor(
    legs: LegIndex,
    calls: Calls,
    joiner: Joiner,
    registrations: Registrations,
    onFed: (feeder: Leg) => void,
  ) {
    this.#legs = legs;
    this.#calls = calls;
    this.#joiner = joiner;
    this.#registrations = registrations;
    this.#onFed = onFed;
  }

  /** A REFER within a dialog, or outside of the one that it names. RFC 3515 §2.4, RFC 4538 §3. */
  refer(message: SipMessage, { destination, observedAt }: Observation, directory: Directory): void {
    const [leg, dialog, localTag] = this.#findReferred(message);
    if (!leg || !dialog) return;
    const site = directory.site(destination);
    const marker = readReferMarker(message.raw('Refer-To'));
    if (isCallApiId(marker)) this.#calls.alias(leg.call, marker);
    const byCaller = localTag === leg.fromTag;
    if (isOf(dialog.referral, message.cseq, byCaller)) return this.#joiner.referrals.add(dialog.referral, site);
    const target = readReferTo(message);
    if (!target) return;
    const referrer =
      readNumber(message.text('Referred-By'), directory) || (byCaller ? leg.callerNumber : leg.calledNumber);
    dialog.referral = {
      leg,
      dialog,
      kind: 'refer',
      byCaller,
      referrer,
      by: endOf(leg, byCaller)?.extension.number ?? referrer,
      target: directory.translate(userNumber(target.uri), [target.uri.host]),
      others: [],
      replaces: target.replaces,
      cseq: message.cseq,
      at: observedAt,
      outsideId: message.callId === leg.callId ? '' : detach(message.callId),
      sites: new Set(),
      state: 'asked',
      isFollowed: false,
    };
    this.#joiner.referrals.add(dialog.referral, site);
  }

  /** The answer to a REFER. RFC 3515 §2.4.2. */
  answer(message: SipMessage): void {
    const [leg, dialog] = this.#findDialog(message);
    const outside = this.#joiner.referrals.findOutside(message.callId);
    const referral = dialog?.referral ?? outside;
    if (!referral || !isOf(referral, message.cseq, outside ? outside.byCaller : message.fromTag === leg?.fromTag))
      return;
    if (message.statusCode < 300) this.#accept(referral);
    else if (referral.state === 'asked') referral.state = 'refused';
  }

  /** A NOTIFY tells of a REFER whose answer was missed; what it says of success is no proof, of failure it is. RFC 3515 §2.4.4. */
  notify(message: SipMessage): void {
    const referral = this.#findDialog(message)[1]?.referral ?? this.#joiner.referrals.findOutside(message.callId);
    if (!referral || !/^refer\b/i.test(message.raw('Event'))) return;
    this.#accept(referral);
    if (isFailure(message.body)) this.#giveUp(referral);
  }

  /** Who asked stays, and so does who was to be transferred. */
  #giveUp({ leg, byCaller, by }: Referral): void {
    const stays = leg.referee ?? partyOf(findCounterpart(leg)) ?? endOf(leg, !byCaller);
    if (stays?.transferredBy === by) stays.transferredBy = undefined;
    if (leg.isUp) leg.referee = undefined;
  }

  /** A final response other than 2xx: the contact of a 3xx is called next, or another one where that was in vain. RFC 3261 §21.3. */
  fail(leg: Leg, transaction: Transaction, message: SipMessage, observation: Observation, directory: Directory): void {
    if (transaction.code > 0) return;
    if (leg.join?.method === 'redirect') this.#joiner.referrals.advance(leg.join.leg, observation.observedAt);
    const [target, ...others] = message.statusCode < 400 ? readContacts(message, directory) : [];
    if (target === undefined || transaction.parent) return;
    leg.redirect = {
      leg,
      dialog: undefined,
      kind: 'redirect',
      byCaller: false,
      referrer: '',
      by: '',
      target,
      others,
      replaces: undefined,
      cseq: message.cseq,
      at: observation.observedAt,
      outsideId: '',
      sites: new Set(),
      state: 'accepted',
      isFollowed: false,
    };
    this.#joiner.referrals.add(leg.redirect, directory.site(leg.source));
  }

  /** A PBX tells a phone whom it is connected to; where both ends are told of each other, they are one call. RFC 4916. */
  connect(leg: Leg, message: SipMessage, { source, observedAt }: Observation, directory: Directory): void {
    if (directory.role(source.ip, source.port) !== 'pbx') return;
    const number = this.#readConnected(message, directory);
    if (number === '' || (isSameNumber(number, leg.connected) && !isNewsOfStranger(leg))) return;
    leg.connected = number;
    leg.connectedAt = observedAt;
    leg.isWithStranger = !leg.call.legs.some((other) => other !== leg && hasEnd(other, number));
    if (!leg.isWithStranger) return;
    const pickedUp = leg.pickup && !leg.join ? this.#joiner.pickups.find(leg.pickup, number) : undefined;
    if (pickedUp) return this.#calls.merge(leg, pickedUp, 'pickup');
    const others = this.#joiner.finder
      .findOwn(directory.site(source), number)
      .filter((other) => other.call !== leg.call && (other.isFed || other.isReleased));
    const taken = onlyCall(others.filter((one) => isTaken(leg, one)));
    const other = onlyCall(others.filter((one) => isMutual(leg, one))) ?? (taken?.isDoubted ? undefined : taken);
    if (other) return this.#introduce(leg, other);
    const made = findMadeFor(leg, others);
    if (made) this.#attach(made, leg);
  }

  /** One of the two may be the leg that was made for the other. */
  #introduce(one: Leg, other: Leg): void {
    const [made, feeder] = one.candidates.includes(other) ? [one, other] : [other, one];
    if (!made.candidates.includes(feeder)) return this.#calls.merge(one, other, 'connected-identity');
    this.#attach(made, feeder);
  }

  #attach(made: Leg, feeder: Leg): void {
    this.#calls.attach(made, feeder, 'connected-identity');
    this.#onFed(feeder);
  }

  /** The number of whom a PBX names, maybe by the user of its contact. */
  #readConnected(message: SipMessage, directory: Directory): string {
    const uri = readAddressUri(readIdentity(message));
    if (!uri) return '';
    const account = directory.find(userNumber(uri), [uri.host]) ? undefined : this.#registrations.findByUser(uri.user);
    return account
      ? directory.translate(account.user, [account.host])
      : directory.translate(userNumber(uri), [uri.host]);
  }

  /** The same within a dialog, by whoever sent that to which side. RFC 3311, RFC 4916 §3. */
  update(message: SipMessage, observation: Observation, directory: Directory): void {
    const isIdentified = message.has('P-Asserted-Identity') || message.has('Remote-Party-ID');
    for (let leg = this.#legs.first(message.callId); leg; leg = leg.next) {
      if (leg.fromTag !== message.fromTag && leg.fromTag !== message.toTag) continue;
      const isByCaller = leg.fromTag === message.fromTag;
      if (isByCaller !== leg.isFed) leg.isOnHold = readHold(message.body) ?? leg.isOnHold;
      return isIdentified ? this.connect(leg, message, observation, directory) : undefined;
    }
  }

  /** What time tells: the calls that pickups took. */
  expire(now: number): void {
    const { pickups } = this.#joiner;
    for (let pickup = pickups.take(now); pickup; pickup = pickups.take(now)) {
      if (pickup.taken) this.#calls.merge(pickup.taker, pickup.taken, 'pickup');
    }
  }

  #accept(referral: Referral): void {
    if (referral.state !== 'asked') return;
    referral.state = 'accepted';
    const { leg, byCaller, replaces, by } = referral;
    const far = isAnsweredByPbx(referral) ? partyOf(findCounterpart(leg)) : endOf(leg, !byCaller);
    if (!isAnsweredByPbx(referral)) {
      leg.referee = far;
      leg.referredAt = referral.at;
    }
    if (far) far.transferredBy = by;
    const consultation = replaces && this.#legs.findNamed(replaces);
    if (consultation && isAnsweredByPbx(referral)) referral.isFollowed = true; // the PBX connects them, and calls nobody
    if (consultation) this.#attend(leg, consultation, endOf(leg, byCaller)?.extension, by);
  }

  /** Who asked talks, or waits, on another leg: whoever is at its other end is to be connected. RFC 5589 §7. */
  #attend(leg: Leg, consultation: Leg, transferor: Extension | undefined, by: string): void {
    const isOurs = consultation.caller?.extension.number === transferor?.number;
    const far = partyOf(findCounterpart(consultation)) ?? endOf(consultation, !isOurs);
    const rung = consultation.isUp ? [] : consultation.call.legs.filter(({ feeder }) => feeder === consultation);
    for (const party of [far, ...rung.map((each) => each.transactions[0]?.party)]) {
      if (party && party.extension.number !== transferor?.number) party.transferredBy = by;
    }
    if (!consultation.isUp) consultation.isTransferred = true;
    this.#calls.merge(leg, consultation, 'replaces');
  }

  /** The dialog that a REFER is about, and the tag that its sender has there. */
  #findReferred(message: SipMessage): [Leg | undefined, Dialog | undefined, localTag: string] {
    if (message.toTag !== '') return [...this.#findDialog(message), message.fromTag];
    const name = message.has('Target-Dialog') ? parseDialogName(message.text('Target-Dialog')!) : undefined;
    const [localTag = '', remoteTag = ''] = name?.tags ?? [];
    if (!name || localTag === '') return [undefined, undefined, ''];
    return [...this.#findDialog({ callId: name.callId, fromTag: localTag, toTag: remoteTag }), localTag];
  }

  #findDialog({
    callId,
    fromTag,
    toTag,
  }: Pick<SipMessage, 'callId' | 'fromTag' | 'toTag'>): [Leg | undefined, Dialog | undefined] {
    for (let leg = this.#legs.first(callId); leg; leg = leg.next) {
      const dialog = leg.dialog(fromTag, toTag);
      if (dialog) return [leg, dialog];
    }
    return [undefined, undefined];
  }
}

const isOf = (referral: Referral | undefined, cseq: number, byCaller: boolean): referral is Referral =>
  referral?.cseq === cseq && referral.byCaller === byCaller;

const MAX_CONTACTS = 8;

/** The numbers of a 3xx, the best first. RFC 3261 §20.10. */
function readContacts(message: SipMessage, directory: Directory): string[] {
  const contacts = message.values('Contact').slice(0, MAX_CONTACTS);
  return contacts
    .map((contact) => ({ uri: readAddressUri(contact), q: Number(/;\s*q=([\d.]{1,5})/i.exec(contact)?.[1] ?? 1) }))
    .sort((one, other) => other.q - one.q)
    .flatMap(({ uri }) => (uri ? [directory.translate(userNumber(uri), [uri.host])] : []));
}

/** What came of a REFER: the response to the INVITE that it caused. */
const isFailure = (fragment: Uint8Array): boolean =>
  /^SIP\/2\.0 [3-6]\d\d\b/.test(decodeText(fragment, 0, Math.min(fragment.length, 12)));

/** Each is told of the other, and neither of somebody in its own call, or on a leg that was not joined to it for doubt. */
const isMutual = (leg: Leg, other: Leg): boolean =>
  isSameNumber(other.connected, leg.ownNumber) &&
  other.isWithStranger &&
  (isFoundFor(leg, other) || leg.connectedAt - other.connectedAt <= AT_ONCE_MS);

/** The one was called for the other, as it may be. */
const isFoundFor = (leg: Leg, made: Leg): boolean => made.candidates.includes(leg) && isToldAtOnce(leg, made);

/** It rang or answered just now. */
const isToldAtOnce = ({ connectedAt }: Leg, { rangAt, answeredAt }: Leg): boolean =>
  connectedAt - Math.max(rangAt, answeredAt) <= AT_ONCE_MS;

/** Who talks to the PBX already (a queue, a menu) is told at once whom it calls. */
const isCalledAtOnce = ({ connectedAt, isUp }: Leg, { startedAt }: Leg): boolean =>
  isUp && connectedAt - startedAt <= AT_ONCE_MS;

/** A phone that is called for nobody is shown somebody at first: it is news when it is told the same. */
const isNewsOfStranger = ({ isFed, isWithStranger, connectedAt }: Leg): boolean =>
  isFed && isWithStranger && connectedAt === 0;

/** The leg that was made for who is told just then that it is connected there, though it may show another caller. */
function findMadeFor(leg: Leg, others: readonly Leg[]): Leg | undefined {
  const only = onlyCall(others);
  if (only && isCalledAtOnce(leg, only)) return mayBeFor(only, leg) ? only : undefined;
  const isHidden = (made: Leg): boolean => !isSameNumber(made.callerNumber, leg.callerNumber);
  return onlyCall(others.filter((made) => mayBeFor(made, leg) && isHidden(made) && isToldAtOnce(leg, made)));
}

const mayBeFor = (made: Leg, leg: Leg): boolean =>
  made.isFed &&
  made.join === undefined &&
  (made.candidates.length === 0 || made.candidates.includes(leg)) &&
  made.startedAt >= leg.startedAt &&
  isSameNumber(made.calledNumber, leg.connected);

/** A call that the PBX answered without calling anybody, and not to that number: it took over one that waits. */
const isTaken = (leg: Leg, other: Leg): boolean =>
  leg.isUp &&
  leg.pickup === undefined &&
  !leg.isDoubted &&
  !leg.isFed &&
  leg.feeds === 0 &&
  !isSameNumber(leg.calledNumber, other.ownNumber) &&
  other.isUp &&
  !other.call.legs.some((third) => third !== other && third.isUp);

const hasEnd = (leg: Leg, number: string): boolean =>
  leg.phase !== 'ended' && (isSameNumber(leg.callerNumber, number) || isSameNumber(leg.calledNumber, number));

/** The party at one end of a leg. */
const endOf = (leg: Leg, isCaller: boolean): Party | undefined =>
  isCaller ? leg.caller : leg.dialogs.find(({ over }) => !over)?.party;

/** The party of a leg with a PBX at one end. */
const partyOf = (leg: Leg | undefined): Party | undefined => leg && (endOf(leg, true) ?? endOf(leg, false));
