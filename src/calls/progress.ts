import type { SipMessage } from '../sip/message.ts';
import { detach } from '../sip/text.ts';
import type { StatusTable } from './call-status.ts';
import { readCause } from './cause.ts';
import { Deadlines } from './deadlines.ts';
import type { CallEvent } from './event.ts';
import { type Ending, writeEvent } from './event-writer.ts';
import { judgeAddressee, judgeParty } from './judgement.ts';
import {
  findAnswerer,
  findEnder,
  isAnswerer,
  isCallerUnknown,
  isGivenUp,
  isLedTo,
  isLeftToReferee,
  isPartyOver,
  isRedirected,
  wasOffered,
} from './leg-facts.ts';
import { append, type Call, type Dialog, type Leg, Party, type Transaction } from './call.ts';
import { PARTY_STATES, type PartyInput } from './party-states.ts';
import type { TrackerOptions } from './tracker-options.ts';

export const CHALLENGES: ReadonlySet<number> = new Set([401, 407, 422]);
const MAX_PHRASE = 255;

type EndedBy = Ending['endedBy'];

/** Moves legs and their parties along as messages come and time passes, and collects the events that this makes. */
export class Progress {
  events: CallEvent[] = [];
  readonly #deadlines = new Deadlines<Leg>();
  readonly #options: TrackerOptions;
  readonly #statusTable: StatusTable;
  readonly #onOver: (leg: Leg) => void;

  /** `onOver` is told of every leg that is over. */
  constructor(options: TrackerOptions, statusTable: StatusTable, onOver: (leg: Leg) => void) {
    this.#options = options;
    this.#statusTable = statusTable;
    this.#onOver = onOver;
  }

  takeEvents(): readonly CallEvent[] {
    const events = this.events;
    this.events = [];
    return events;
  }

  /** The next leg whose deadline is at or before `now`. */
  nextDue(now: number): Leg | undefined {
    return this.#deadlines.take(now);
  }

  /** Takes in a leg that was up before a restart. */
  adopt(leg: Leg): void {
    this.#deadlines.set(leg, leg.deadline);
  }

  /** The clock was set by so many ms; the legs' own times are set by whoever holds them. */
  leap(byMs: number): void {
    this.#deadlines.leap(byMs);
  }

  /** A leg's first attempt, or another one with credentials or elsewhere: what became of those before counts no more. */
  begin(leg: Leg, cseq: number, at: number): void {
    leg.cseq = cseq;
    leg.attempts++;
    leg.transactions = [];
    leg.phase = leg.isReleased ? 'pending' : 'held';
    this.#deadlines.set(leg, at + (leg.isReleased ? this.#options.ringLimitMs : this.#options.dialHoldMs));
  }

  /** Who was sent elsewhere on this leg calls there on another: it need not be waited for. */
  follow(leg: Leg, at: number): void {
    const left = leg.call.legs.filter(
      (other) => other.phase === 'redirected' && (other === leg || other.join?.leg === leg),
    );
    if (left.length === 0) return;
    for (const other of left) this.#await(other, 'ended', at + this.#options.lingerMs);
    this.#endOver(leg.call, at, 'network', false);
  }

  /** A further hop. What it leads to takes the place of what the hop before seemed to lead to. */
  add(leg: Leg, transaction: Transaction, at: number): void {
    if (leg.feeder) this.#release(leg.feeder, at);
    const passed = transaction.parent?.party;
    if (passed && !leg.leadsTo(passed)) this.#change(passed, 'vanish', at);
    if (leg.attempts > 1) this.#endRole('called', leg.call, at, 'network', true);
    if (transaction.aim === 'offered') this.#release(leg, at);
    else if (leg.isReleased && transaction.party) this.#change(transaction.party, 'release', at);
  }

  /** A PBX makes a leg for this one: so it is a PBX that this one reached, and whoever it seemed to call is not there. */
  passOn(feeder: Leg): void {
    for (const transaction of feeder.transactions) {
      if (transaction.aim !== 'open' || !transaction.party) continue;
      this.#change(transaction.party, 'vanish', 0);
      if (transaction.party.state === 'over') transaction.passOn();
    }
  }

  #release(leg: Leg, at: number): void {
    if (leg.phase === 'held' || leg.phase === 'challenged') {
      leg.phase = 'pending';
      this.#deadlines.set(leg, at + this.#options.ringLimitMs);
    }
    if (leg.isReleased) return this.#releaseLeaves(leg, at);
    leg.isReleased = true;
    if (leg.caller) this.#change(leg.caller, 'release', at);
    this.#releaseLeaves(leg, at);
  }

  #releaseLeaves(leg: Leg, at: number): void {
    for (const { party, isLeaf } of leg.transactions) if (party && isLeaf) this.#change(party, 'release', at);
  }

  /** A provisional response but 100. */
  ring(leg: Leg, transaction: Transaction, message: SipMessage, at: number): void {
    if (transaction.code > 0) return;
    this.#release(leg, at);
    if (leg.phase === 'pending') this.#deadlines.set(leg, at + this.#options.ringLimitMs);
    if (transaction.earlyTag !== message.toTag) transaction.earlyTag = detach(message.toTag);
    if (message.statusCode < 180 || message.statusCode > 189) return;
    transaction.rang = true;
    if (leg.caller) this.#ringParty(leg.caller, at);
    if (transaction.isLeaf && transaction.party) this.#ringParty(transaction.party, at);
  }

  #ringParty(party: Party, at: number): void {
    party.rangAt ||= at;
    this.#change(party, 'ring', at);
  }

  /** A 2xx: each To-tag makes a dialog. False if there are too many. RFC 3261 §13.2.2.4. */
  accept(leg: Leg, transaction: Transaction | undefined, message: SipMessage, at: number): boolean {
    const { toTag } = message;
    if (transaction) {
      transaction.code ||= message.statusCode;
      transaction.endedAt ||= at;
    }
    this.refresh(leg, message, at);
    const known = leg.dialogs.find((dialog) => dialog.toTag === toTag);
    if (known) known.party ??= transaction?.isLeaf ? transaction.party : undefined;
    else if (leg.dialogs.length >= this.#options.maxForks) return false;
    else this.#openDialog(leg, toTag, findAnswerer(leg, transaction, toTag), at);
    return true;
  }

  #openDialog(leg: Leg, toTag: string, party: Party | undefined, at: number): Dialog {
    const dialog: Dialog = { toTag: detach(toTag), party, over: false, referral: undefined };
    leg.dialogs = append(leg.dialogs, dialog);
    this.#release(leg, at);
    leg.phase = 'answered';
    leg.answeredAt ||= at;
    this.#scheduleEnd(leg, at);
    if (party) this.#answerParty(party, at);
    if (leg.caller) this.#answerParty(leg.caller, at);
    return dialog;
  }

  #answerParty(party: Party, at: number): void {
    party.answeredAt ||= at;
    if (isAnswerer(party)) tellCallers(party);
    this.#change(party, 'answer', at);
  }

  /** A 2xx sets or takes away the session timer. RFC 4028 §7.2. */
  refresh(leg: Leg, message: SipMessage, at: number): void {
    const interval = message.has('Session-Expires') ? /^\d{1,7}/.exec(message.text('Session-Expires')!) : null;
    leg.sessionMs = interval ? Number(interval[0]) * 1000 : 0;
    if (leg.phase === 'answered') this.#scheduleEnd(leg, at);
  }

  #scheduleEnd(leg: Leg, at: number): void {
    const { callLimitMs, sessionSlackMs } = this.#options;
    const end = leg.sessionMs > 0 ? at + leg.sessionMs + sessionSlackMs : leg.answeredAt + callLimitMs;
    this.#deadlines.set(leg, end);
  }

  /** A final response other than 2xx. */
  fail(leg: Leg, transaction: Transaction, message: SipMessage, at: number): void {
    if (transaction.code > 0) return;
    transaction.code = message.statusCode;
    transaction.phrase = message.reasonPhrase.slice(0, MAX_PHRASE);
    transaction.endedAt = at;
    transaction.cause = readCause(message) ?? transaction.cause;
    if (CHALLENGES.has(message.statusCode)) return this.#challenge(leg, at);
    if (transaction.parent === undefined) passDown(leg, transaction);
    this.#release(leg, at);
    this.#settle(leg, at, findEnder(leg, transaction), false);
  }

  #challenge(leg: Leg, at: number): void {
    if (leg.answeredAt > 0 || !leg.hasFailed) return;
    leg.phase = 'challenged';
    this.#deadlines.set(leg, at + this.#options.challengeMs);
  }

  /**
   * A CANCEL, by the calling side or by a proxy or PBX between; what it comes to, the final response tells. False if that came
   * before, or it is not the first.
   */
  cancel(leg: Leg, transaction: Transaction, message: SipMessage, at: number): boolean {
    if (transaction.code > 0 || transaction.cancelledBy !== undefined) return false;
    if (transaction.parent === undefined && !leg.isFed) leg.callerLeft = true;
    transaction.cancelledBy = isGivenUp(leg) ? 'caller' : isCallerUnknown(leg, at) ? 'unknown' : 'network';
    transaction.cause = readCause(message) ?? transaction.cause;
    if (leg.phase !== 'answered' && transaction.parent === undefined) {
      this.#deadlines.set(leg, at + this.#options.lingerMs);
    }
    return true;
  }

  /** The end of a dialog. */
  close(leg: Leg, dialog: Dialog, at: number, by: EndedBy, synthesised = false): void {
    if (dialog.over) return;
    dialog.over = true;
    leg.isDropped = by === (leg.isFed ? 'caller' : 'called');
    this.#settle(leg, at, by, synthesised);
  }

  /** A BYE without a 2xx before it: of an early dialog (RFC 3261 §15.1.1), or the 2xx was missed. */
  closeUnanswered(leg: Leg, toTag: string, by: 'caller' | 'called', at: number): void {
    if (by === 'caller' && !leg.isAcknowledged) {
      leg.callerLeft = true;
      return this.#deadlines.set(leg, at + this.#options.lingerMs);
    }
    const party = findAnswerer(leg, undefined, toTag);
    this.close(leg, this.#openDialog(leg, toTag, party, at), at, by);
  }

  /** Ends what is over: called parties whose transactions or dialogs are, and callers when their legs are. */
  #settle(leg: Leg, at: number, by: EndedBy, synthesised: boolean): void {
    if (isLeftToReferee(leg, by, at, this.#options.redirectMs)) {
      this.#await(leg, 'redirected', at + this.#options.redirectMs);
      return this.#endOver(leg.call, at, by, synthesised);
    }
    this.#endRole('called', leg.call, at, by, synthesised);
    if (!leg.isOver || leg.phase === 'ended' || leg.phase === 'redirected') return;
    if (isRedirected(leg)) return this.#await(leg, 'redirected', at + this.#options.redirectMs);
    if (leg.phase !== 'failed') this.#endAddressee(leg, at, by);
    const hasForks = leg.dialogs.length === 0 && leg.transactions.some(({ code }) => code === 0);
    this.#await(leg, hasForks ? 'failed' : 'ended', at + this.#options.lingerMs);
    this.#endRole('called', leg.call, at, 'network', true); // whose final response was missed
    this.#endRole('caller', leg.call, at, by, synthesised);
  }

  /** Parties of the call that are over, the called ones first. */
  #endOver(call: Call, at: number, by: EndedBy, synthesised: boolean): void {
    this.#endRole('called', call, at, by, synthesised);
    this.#endRole('caller', call, at, by, synthesised);
  }

  /** Those of one side, and those that a further attempt no longer leads to. */
  #endRole(role: Party['role'], call: Call, at: number, by: EndedBy, synthesised: boolean): void {
    for (const party of call.parties) {
      if (party.role !== role || party.state === 'over' || !isPartyOver(party)) continue;
      if (party.state === 'held' && party.role === 'called' && !isLedTo(party)) this.#change(party, 'vanish', at);
      else this.#change(party, 'end', at, { ...judgeParty(party, this.#statusTable), endedBy: by, synthesised });
    }
  }

  #await(leg: Leg, phase: 'redirected' | 'failed' | 'ended', until: number): void {
    leg.phase = phase;
    this.#deadlines.set(leg, until);
    if (phase !== 'ended') return;
    leg.endedAt = until - this.#options.lingerMs;
    this.#onOver(leg);
  }

  /** A phone to which nothing was ever sent hears of the call when the leg addressed to it fails. Design §3. */
  #endAddressee(leg: Leg, at: number, endedBy: EndedBy): void {
    const { addressee, call } = leg;
    if (!addressee || leg.answeredAt > 0 || leg.callerLeft || wasOffered(leg)) return;
    const party = new Party(call, addressee.extension, 'called', addressee.params, leg.join);
    this.#change(party, 'end', at, { ...judgeAddressee(leg, this.#statusTable), endedBy, synthesised: false });
  }

  /** A leg's deadline has come. */
  expire(leg: Leg, at: number): void {
    switch (leg.phase) {
      case 'held':
        return this.#release(leg, at);
      case 'challenged':
        return this.#abandon(leg, at);
      case 'redirected':
        return this.#endAll(leg, at, 'network', false);
      case 'answered':
        for (const dialog of leg.dialogs) this.close(leg, dialog, at, 'timer', true);
        return;
      default:
        return this.#timeOut(leg, at);
    }
  }

  /** No credentials came: there was no call, unless it had been told. */
  #abandon(leg: Leg, at: number): void {
    if (leg.isReleased) return this.#endAll(leg, at, 'network', false);
    this.#await(leg, 'ended', at + this.#options.lingerMs);
    if (leg.caller) this.#change(leg.caller, 'vanish', at);
    for (const { party } of leg.transactions) if (party) this.#change(party, 'vanish', at);
    this.#endOver(leg.call, at, 'network', false);
  }

  /** Silence; after a CANCEL it is as good as the 487. RFC 3261 §9.1. */
  #timeOut(leg: Leg, at: number): void {
    const isLeft = isGivenUp(leg);
    const isCancelled = isLeft || leg.root?.cancelledBy !== undefined;
    this.#endAll(leg, at, isLeft ? 'caller' : 'timer', !isCancelled);
  }

  #endAll(leg: Leg, at: number, by: EndedBy, synthesised: boolean): void {
    this.#await(leg, 'ended', at + this.#options.lingerMs);
    for (const transaction of leg.transactions) transaction.endedAt ||= at;
    this.#endOver(leg.call, at, by, synthesised);
  }

  /** Moves a party along its state table, and tells what that line of it tells. */
  #change(party: Party, input: PartyInput, at: number, ending?: Ending): void {
    const transition = PARTY_STATES[party.state][input];
    if (!transition) return;
    party.state = transition.next;
    for (const kind of transition.tells) this.events.push(writeEvent(party, kind, at, ending));
  }
}

/** Whoever called is told in its own events who answered first. */
function tellCallers(answerer: Party): void {
  for (const party of answerer.call.parties) {
    if (party !== answerer && party.role === 'caller' && party.state !== 'over') {
      party.answeredBy ??= answerer.extension.number;
    }
  }
}

/**
 * A failure that a proxy passes back, or makes up because nothing came, is that of the branches whose own final response was
 * never seen; not where another branch has that code, and this one was only given up for it.
 */
function passDown(leg: Leg, root: Transaction): void {
  const others = leg.transactions.filter((transaction) => transaction !== root && transaction.cseq === root.cseq);
  if (others.some(({ code, isLeaf }) => isLeaf && code === root.code)) return;
  for (const transaction of others) {
    if (transaction.code > 0 || transaction.cancelledBy !== undefined) continue;
    transaction.code = root.code;
    transaction.phrase = root.phrase;
    transaction.cause = root.cause;
    transaction.endedAt = root.endedAt;
  }
}
