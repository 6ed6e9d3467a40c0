import { SipMessage } from '../sip/message.ts';
import type { Observation } from '../sip/observation.ts';
import { SipParseError } from '../sip/parse-error.ts';
import { append, type Call, Leg, Transaction } from './call.ts';
import { isCallApiId, makeCallApiId } from './call-api-id.ts';
import { type StatusTable, STATUS_TABLE } from './call-status.ts';
import type { Directory } from './directory.ts';
import type { CallEvent } from './event.ts';
import { type Invitation, readInvitation } from './invitation.ts';
import { Joiner, type Newcomer } from './joiner.ts';
import { isOld } from './leg-facts.ts';
import { LegIndex } from './leg-index.ts';
import { Coincidences } from './coincidences.ts';
import { CHALLENGES, Progress } from './progress.ts';
import { Calls } from './calls.ts';
import { Registrations } from './registrations.ts';
import { seatCalled, seatCaller } from './seating.ts';
import { type CallChanges, type CallSnapshot, restoreCall, takeSnapshot } from './snapshot.ts';
import { TRACKER_DEFAULTS, type TrackerOptions } from './tracker-options.ts';
import { Transfers } from './transfers.ts';

const MAX_TOKEN = 512;
// Of one call: what joins more is no call that anybody has.
const MAX_LEGS = 128;
const NONE: readonly CallEvent[] = [];

const isTooLong = ({ callId, fromTag, branch }: SipMessage): boolean =>
  Math.max(callId.length, fromTag.length, branch.length) > MAX_TOKEN;

/**
 * Works out from observations what happens to every extension: observations in, call events out.
 *
 * Pure: time comes with the observations and with `expire`. Before each observation call `expire` with its time, so that
 * events come in order of time. Nothing a peer sends makes it throw.
 */
export class CallTracker {
  /** Observations that told nothing, by reason. */
  readonly drops = new Map<string, number>();
  /** SIP messages taken in. */
  messages = 0;
  readonly #options: TrackerOptions;
  readonly #registrations: Registrations;
  readonly #legs = new LegIndex();
  readonly #calls = new Calls((call) => this.#changed?.add(call));
  readonly #joiner: Joiner;
  readonly #transfers: Transfers;
  readonly #progress: Progress;
  readonly #coincidences: Coincidences;
  readonly #message = new SipMessage();
  #directory: Directory;
  /** Calls of which something changed, if anybody wants to know. */
  #changed: Set<Call> | undefined;

  constructor(directory: Directory, options: Partial<TrackerOptions> = {}, statusTable: StatusTable = STATUS_TABLE) {
    this.#directory = directory;
    this.#options = { ...TRACKER_DEFAULTS, ...options };
    this.#registrations = new Registrations(this.#options.maxContacts);
    this.#joiner = new Joiner(this.#legs, this.#calls.byId, this.#options);
    const onFed = (feeder: Leg): void => this.#feed(feeder);
    this.#transfers = new Transfers(this.#legs, this.#calls, this.#joiner, this.#registrations, onFed);
    this.#coincidences = new Coincidences(this.#calls, onFed);
    this.#progress = new Progress(this.#options, statusTable, (leg) => this.#joiner.forget(leg));
  }

  /** Calls begun so far. */
  get calls(): number {
    return this.#calls.begun;
  }

  /** The newest leg of a Call-ID; undefined if none is known (any more). To look at, not to change. */
  findLeg(callId: string): Leg | undefined {
    return this.#legs.first(callId);
  }

  /** Legs known at present, those that ended a moment ago included. */
  get legCount(): number {
    return this.#legs.size;
  }

  /**
   * What became of calls since it was last asked: those that are up as they are now, and the ids of those that are over.
   * Without `all`, calls that are up and had no event may wait.
   */
  takeChanges(all = true): CallChanges {
    const changed = [...(this.#changed ?? [])];
    const isDue = (call: Call): boolean => all || !call.isUp || call.sequence > call.keptSequence;
    this.#changed = new Set(all ? [] : changed.filter((call) => !isDue(call)));
    const calls = changed.filter(isDue);
    for (const call of calls) call.keptSequence = call.sequence;
    const over = calls.flatMap((call) => (call.isUp ? call.aliases : [call.id, ...call.aliases]));
    return { up: calls.filter(({ isUp }) => isUp).map(takeSnapshot), over };
  }

  #touch(callId: string): void {
    for (let leg = this.#legs.first(callId); leg; leg = leg.next) this.#changed!.add(leg.call);
    const outside = this.#joiner.referrals.findOutside(callId);
    if (outside) this.#changed!.add(outside.leg.call);
  }

  /** Takes in calls that were up before a restart. */
  restore(snapshots: Iterable<CallSnapshot>): void {
    const restored = [...snapshots].map((snapshot) => restoreCall(snapshot, this.#directory));
    for (const { call, anchors } of restored) {
      this.#calls.adopt(call);
      for (const leg of call.legs) {
        this.#legs.add(leg);
        this.#joiner.restore(leg, anchors.get(leg) ?? []);
        this.#progress.adopt(leg);
      }
    }
    for (const { candidates } of restored) this.#coincidences.restore(candidates, this.#legs);
  }

  /** Takes over a new numbering plan; calls that are up keep the extensions they have. */
  useDirectory(directory: Directory): void {
    this.#directory = directory;
  }

  /** Takes in one observation; returns the events it brought about. */
  observe(observation: Observation): readonly CallEvent[] {
    try {
      const message = this.#message.read(observation.bytes);
      this.messages++;
      if (message.isRequest) this.#observeRequest(message, observation);
      else this.#observeResponse(message, observation);
      if (this.#changed) this.#touch(message.callId);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      this.#drop('not readable as SIP');
    }
    return this.#takeEvents();
  }

  /** Lets time pass up to `now` (epoch ms; Infinity: to the end of all calls); returns the events due by then. */
  expire(now: number): readonly CallEvent[] {
    let leg: Leg | undefined;
    while ((leg = this.#progress.nextDue(now))) {
      this.#conclude(leg.deadline);
      this.#changed?.add(leg.call);
      if (leg.phase === 'ended') this.#forget(leg);
      else this.#progress.expire(leg, leg.deadline);
    }
    this.#conclude(now);
    return this.#takeEvents();
  }

  /** What happened up to a time may tell by now which calls are one. */
  #conclude(now: number): void {
    this.#coincidences.expire(now);
    this.#transfers.expire(now);
  }

  /** The clock was set forward (or back, below 0) by so many ms while no time passed. */
  leap(byMs: number): void {
    const calls = new Set<Call>();
    for (const leg of this.#legs.all()) {
      leg.leap(byMs);
      calls.add(leg.call);
    }
    for (const call of calls) call.leap(byMs);
    this.#joiner.referrals.clear();
    this.#progress.leap(byMs);
    this.#coincidences.leap(byMs);
  }

  #takeEvents(): readonly CallEvent[] {
    return this.#progress.events.length === 0 ? NONE : this.#progress.takeEvents();
  }

  #drop(reason: string): void {
    this.drops.set(reason, (this.drops.get(reason) ?? 0) + 1);
  }

  #observeRequest(message: SipMessage, observation: Observation): void {
    switch (message.method) {
      case 'INVITE':
        return this.#observeInvite(message.check(), observation);
      case 'ACK':
        return this.#observeAck(message.check());
      case 'CANCEL':
        return this.#observeCancel(message.check(), observation.observedAt);
      case 'BYE':
        return this.#observeBye(message.check(), observation.observedAt);
      case 'REFER':
        return this.#transfers.refer(message.check(), observation, this.#directory);
      case 'NOTIFY':
        return this.#transfers.notify(message.check());
      case 'UPDATE':
        return this.#transfers.update(message.check(), observation, this.#directory);
    }
  }

  #observeResponse(message: SipMessage, observation: Observation): void {
    if (message.method === 'INVITE') return this.#observeInviteResponse(message, observation);
    if (message.method === 'REGISTER') {
      if (message.statusCode >= 200 && message.statusCode < 300)
        this.#registrations.observe(message, this.#directory.hasSeveralTenants);
      return;
    }
    if (message.statusCode < 200) return;
    this.#observeInDialog(message, observation.observedAt);
    if (message.method === 'REFER') this.#transfers.answer(message);
  }

  #observeInvite(message: SipMessage, observation: Observation): void {
    const { callId, cseq } = message;
    if (callId === '' || cseq < 0) return this.#drop('INVITE without Call-ID or CSeq');
    if (message.toTag !== '') return this.#transfers.update(message, observation, this.#directory); // whether the session goes on, its response tells
    if (isTooLong(message)) return this.#drop('Call-ID, tag or branch longer than 512');
    const { fromTag, branch } = message;
    const known = this.#legs.find(callId, fromTag);
    if (known && isOld(known, branch, cseq, observation.observedAt)) return;
    if (known && known.phase !== 'ended' && cseq > known.cseq && known.attempts >= this.#options.maxForks) {
      return this.#drop('more attempts than limits allow');
    }
    this.#offer(known, message, observation);
  }

  /** A new transaction: of a new leg, of a further attempt of a leg, or of a further hop. */
  #offer(known: Leg | undefined, message: SipMessage, observation: Observation): void {
    const { source, destination, observedAt } = observation;
    const invitation = readInvitation(message, source, destination, this.#directory, this.#registrations);
    const newcomer = this.#joiner.meet(message, invitation, observation, this.#directory);
    const isNew = !known || known.phase === 'ended';
    const leg = isNew ? this.#openLeg(newcomer) : known;
    if (!leg) return;
    if (isNew || message.cseq > leg.cseq) this.#progress.begin(leg, message.cseq, observedAt);
    this.#addTransaction(leg, message, invitation, observedAt);
    this.#joiner.remember(leg, newcomer, this.#directory);
  }

  #openLeg(newcomer: Newcomer): Leg | undefined {
    const { message, invitation, observation } = newcomer;
    if (this.#legs.size >= this.#options.maxLegs) {
      this.#drop('more legs than limits allow');
      return undefined;
    }
    const found = this.#joiner.find(newcomer, this.#directory);
    const join = found && 'leg' in found && found.leg.call.legs.length < MAX_LEGS ? found : undefined;
    const call = join?.leg.call ?? this.#openCall(newcomer);
    const isFed = join?.feeder !== undefined || invitation.origin === 'pbx';
    const leg = new Leg(call, message, observation.source, isFed);
    leg.startedAt = observation.observedAt;
    leg.join = join;
    if (found && 'doubt' in found) this.#coincidences.add(leg, found);
    leg.pickup = invitation.pickup;
    this.#legs.add(leg);
    if (join?.feeder) this.#feed(join.feeder);
    return leg;
  }

  #feed(feeder: Leg): void {
    this.#joiner.finder.markFed(feeder);
    this.#progress.passOn(feeder);
  }

  /** A trusted peer may have named the call already; else its id is that of its first leg. */
  #openCall({ message, invitation, observation }: Newcomer): Call {
    const { callId, fromTag, cseq } = message;
    const { dialled, did } = invitation;
    const isReused = this.#legs.first(callId) !== undefined;
    const claimed = this.#joiner.readMarker(message, observation, this.#directory);
    const made = isCallApiId(claimed) ? claimed : makeCallApiId(callId, fromTag, isReused ? cseq : 0);
    // A Call-ID and tag that were used before, while that call goes on elsewhere.
    const id = this.#calls.isUsed(made) ? makeCallApiId(callId, fromTag, observation.observedAt) : made;
    return this.#calls.open(id, observation.observedAt, dialled, did);
  }

  #addTransaction(leg: Leg, message: SipMessage, invitation: Invitation, at: number): void {
    if (leg.transactions.length >= this.#options.maxForks) return this.#drop('more forks than limits allow');
    const { parentBranch, aim, origin } = invitation;
    const parent = parentBranch === '' ? undefined : leg.transactions.find(({ branch }) => branch === parentBranch);
    const transaction = new Transaction(message.branch, message.cseq, aim, at, parent);
    leg.transactions = append(leg.transactions, transaction);
    if (parent) this.#noteMarker(leg, message);
    if (!parent && !leg.isFed && origin === 'other') seatCaller(leg, invitation);
    if (leg.join && leg.caller && leg.join.leg !== leg) this.#progress.follow(leg.join.leg, at);
    seatCalled(leg, transaction, invitation);
    this.#progress.add(leg, transaction, at);
  }

  /** A proxy marked the leg on its way: by that id its call is known, too. */
  #noteMarker(leg: Leg, message: SipMessage): void {
    const id = this.#options.markerHeader === '' ? undefined : message.custom(this.#options.markerHeader);
    if (id !== undefined && isCallApiId(id)) this.#calls.alias(leg.call, id);
  }

  #observeInviteResponse(message: SipMessage, observation: Observation): void {
    const { callId, cseq, statusCode } = message;
    if (statusCode === 100) return;
    const at = observation.observedAt;
    const leg = this.#legs.find(callId, message.fromTag) ?? this.#openMissed(message, observation);
    if (!leg || leg.phase === 'ended') return;
    const transaction = leg.transaction(message.branch, cseq);
    if (!transaction && cseq !== leg.cseq) return this.#observeInDialog(message, at);
    if (statusCode >= 300) {
      if (transaction) this.#fail(leg, transaction, message, observation);
      return;
    }
    if (statusCode >= 200) this.#accept(leg, transaction, message, at);
    else if (transaction) {
      if (statusCode >= 180) this.#coincidences.ring(leg, at);
      this.#progress.ring(leg, transaction, message, at);
    }
    this.#transfers.connect(leg, message, observation, this.#directory);
  }

  #fail(leg: Leg, transaction: Transaction, message: SipMessage, observation: Observation): void {
    this.#transfers.fail(leg, transaction, message, observation, this.#directory);
    if (!CHALLENGES.has(message.statusCode)) this.#coincidences.end(leg, observation.observedAt);
    this.#progress.fail(leg, transaction, message, observation.observedAt);
  }

  #accept(leg: Leg, transaction: Transaction | undefined, message: SipMessage, at: number): void {
    const isFirst = leg.answeredAt === 0;
    if (isFirst) this.#coincidences.note(leg, at);
    if (!this.#progress.accept(leg, transaction, message, at)) this.#drop('more forks than limits allow');
    if (isFirst) this.#joiner.pickups.remove(leg);
    if (isFirst && leg.pickup && !leg.join) this.#joiner.pickups.answer(leg, leg.pickup, at);
  }

  /** A call whose INVITE was missed: while it rings, its response tells enough. */
  #openMissed(message: SipMessage, observation: Observation): Leg | undefined {
    if (message.statusCode < 180 || message.statusCode > 189) return undefined;
    const { callId, fromTag, cseq } = message;
    if (callId === '' || cseq < 0 || isTooLong(message)) return undefined;
    this.#offer(undefined, message, {
      ...observation,
      source: observation.destination,
      destination: observation.source,
    });
    return this.#legs.find(callId, fromTag);
  }

  #observeAck(message: SipMessage): void {
    const leg = this.#legs.find(message.callId, message.fromTag);
    if (!leg || leg.phase !== 'pending' || message.toTag === '') return;
    // The ACK of a 2xx has a branch of its own. RFC 3261 §17.1.1.3.
    if (!leg.hasBranch(message.branch, message.cseq)) leg.isAcknowledged = true;
  }

  /** What a proxy is told to cancel it cancels: not all wait for that with their answer. */
  #observeCancel(message: SipMessage, at: number): void {
    const leg = this.#legs.find(message.callId, message.fromTag);
    const cancelled = leg?.transaction(message.branch, message.cseq);
    if (leg && cancelled) this.#coincidences.end(leg, at);
    for (const one of (cancelled && leg?.transactions) ?? []) {
      if (one !== cancelled && one.parent !== cancelled) continue;
      if (!this.#progress.cancel(leg!, one, message, at) || one.cancelledBy === 'caller' || !one.party) continue;
      this.#joiner.pickups.cancel(leg!, one.party.extension.tenant, at);
    }
  }

  #observeBye(message: SipMessage, at: number): void {
    const { callId, fromTag, toTag } = message;
    for (let leg = this.#legs.first(callId); leg; leg = leg.next) {
      const byCaller = fromTag === leg.fromTag;
      if (!byCaller && toTag !== leg.fromTag && toTag !== '') continue;
      const dialog = leg.dialog(fromTag, toTag);
      const by = byCaller ? 'caller' : 'called';
      this.#coincidences.end(leg, at);
      if (dialog) this.#progress.close(leg, dialog, at, by);
      else if (leg.phase === 'pending') this.#progress.closeUnanswered(leg, byCaller ? toTag : fromTag, by, at);
    }
  }

  /** A response within a dialog: 2xx refreshes the session, 481 and 408 end it. RFC 5057 §5.1. */
  #observeInDialog(message: SipMessage, at: number): void {
    const { callId, statusCode } = message;
    for (let leg = this.#legs.first(callId); leg; leg = leg.next) {
      if (leg.phase !== 'answered') continue;
      const dialog = leg.dialog(message.fromTag, message.toTag);
      if (!dialog) continue;
      if (statusCode === 481 || statusCode === 408) this.#progress.close(leg, dialog, at, 'network');
      else if (statusCode < 300 && (message.method === 'INVITE' || message.method === 'UPDATE')) {
        this.#progress.refresh(leg, message, at);
      }
    }
  }

  #forget(leg: Leg): void {
    this.#coincidences.forget(leg);
    this.#legs.remove(leg);
    this.#calls.remove(leg);
  }
}
