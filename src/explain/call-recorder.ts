import type { Call, Leg } from '../calls/call.ts';
import type { CallEvent } from '../calls/event.ts';
import type { CallTracker } from '../calls/tracker.ts';
import { SipMessage } from '../sip/message.ts';
import type { Observation } from '../sip/observation.ts';
import { attempt } from '../sip/parse-error.ts';
import { RecordedCall, type RecordedLeg, type RecordedMessage } from './recorded-call.ts';

/** How much is kept at most. */
export interface RecordLimits {
  /** Calls that are over. */
  readonly recentCalls: number;
  readonly messagesPerCall: number;
  /** Bytes of SIP of all calls. */
  readonly bytes: number;
}

/** What became of calls since it was last asked. */
export interface RecordedChanges {
  readonly changed: readonly RecordedCall[];
  /** Calls that became part of others. */
  readonly gone: readonly { readonly id: string; readonly into: string }[];
}

const MAX_LEGS = 200_000;

/**
 * Keeps, of what a live tracker takes in and tells, what shows and explains the calls that are live, and the latest of those
 * that are over. Messages are copied as they are, and read when somebody looks.
 */
export class CallRecorder {
  /** Messages that are not kept, as the limits were reached. */
  dropped = 0;
  readonly #tracker: CallTracker;
  readonly #limits: RecordLimits;
  readonly #calls = new Map<Call, RecordedCall>();
  /** Those that are over, in the order in which they ended. */
  readonly #recent = new Set<RecordedCall>();
  readonly #byCallId = new Map<string, RecordedLeg[]>();
  readonly #message = new SipMessage();
  #legs = 0;
  #bytes = 0;
  #order = 0;
  #changed = new Set<RecordedCall>();
  #gone: { id: string; into: string }[] = [];

  constructor(tracker: CallTracker, limits: RecordLimits) {
    this.#tracker = tracker;
    this.#limits = limits;
  }

  /** Takes in an observation that the tracker has taken in, and the events that it brought about. */
  observe(observation: Observation, events: readonly CallEvent[]): void {
    const message = attempt(() => this.#take(observation));
    if (events.length > 0) this.#tell(events, message, false);
    const call = message?.leg.call;
    if (call) this.#settle(call, observation.observedAt);
  }

  /** Takes in events that came by the time. */
  expire(events: readonly CallEvent[]): void {
    this.#tell(events, undefined, true);
  }

  /** Takes in calls that were up before a restart. */
  adopt(calls: Iterable<Call>): void {
    for (const call of calls) {
      const recorded = this.#callOf(call);
      for (const leg of call.legs) this.#addLeg(leg, recorded);
      this.#changed.add(recorded);
      for (const party of call.parties) {
        if (party.state !== 'held' && party.state !== 'over') recorded.adopt(party);
      }
    }
  }

  /** Looks for calls that ended without a message or event. */
  sweep(now: number): void {
    for (const call of this.#calls.values()) if (call.endedAt === 0) this.#settle(call, now);
  }

  takeChanges(): RecordedChanges {
    const changes = { changed: [...this.#changed].filter(({ isTold }) => isTold), gone: this.#gone };
    this.#changed = new Set();
    this.#gone = [];
    return changes;
  }

  /** Calls of which something was told, that are not over. */
  live(): RecordedCall[] {
    return [...this.#calls.values()].filter(({ endedAt, isTold }) => endedAt === 0 && isTold);
  }

  /** Calls that are over, the latest first. */
  recent(): RecordedCall[] {
    return [...this.#recent].reverse();
  }

  /** By any id that it was known by. */
  find(id: string): RecordedCall | undefined {
    for (const recorded of this.#calls.values()) if (recorded.id === id) return recorded;
    for (const recorded of this.#calls.values()) if (recorded.call.aliases.includes(id)) return recorded;
    return undefined;
  }

  #take(observation: Observation): RecordedMessage | undefined {
    const leg = this.#findLeg(this.#message.read(observation.bytes));
    if (!leg) return undefined;
    const { observedAt: at, source, destination, transport, bytes } = observation;
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
    const message = { order: this.#order++, at, source, destination, transport, text, leg };
    const recorded = this.#follow(leg, message);
    recorded.seen++;
    this.#changed.add(recorded);
    if (this.#makeRoom(text.length)) this.#bytes += recorded.addMessage(message);
    else this.#drop(recorded);
    return message;
  }

  /** The leg of a message; one that the tracker has forgotten is known here still. */
  #findLeg({ callId, fromTag, toTag }: SipMessage): RecordedLeg | undefined {
    const isOf = (leg: Leg): boolean => leg.fromTag === fromTag || leg.fromTag === toTag;
    const known = this.#byCallId.get(callId);
    for (let leg = this.#tracker.findLeg(callId); leg; leg = leg.next) {
      if (!isOf(leg)) continue;
      return known?.find((other) => other.leg === leg) ?? this.#addLeg(leg, this.#callOf(leg.call));
    }
    return known?.findLast(({ leg }) => isOf(leg));
  }

  #addLeg(leg: Leg, call: RecordedCall): RecordedLeg | undefined {
    if (this.#legs >= MAX_LEGS) return void this.dropped++;
    this.#legs++;
    const recorded: RecordedLeg = { leg, call, merge: undefined };
    call.legs.push(recorded);
    const same = this.#byCallId.get(leg.callId);
    if (same) same.push(recorded);
    else this.#byCallId.set(leg.callId, [recorded]);
    return recorded;
  }

  #callOf(call: Call): RecordedCall {
    let recorded = this.#calls.get(call);
    if (!recorded) this.#calls.set(call, (recorded = new RecordedCall(call, this.#limits.messagesPerCall)));
    return recorded;
  }

  /** The call that a leg is in: other calls may have become part of it just now. */
  #follow(leg: RecordedLeg, by: RecordedMessage): RecordedCall {
    const { call } = leg.leg;
    const recorded = this.#callOf(call);
    if (leg.call === recorded && recorded.merges === call.aliases.length) return recorded;
    recorded.merges = call.aliases.length;
    for (const other of call.legs) {
      const known = this.#byCallId.get(other.callId)?.find((record) => record.leg === other);
      if (known && known.call !== recorded) this.#merge(known.call, recorded, by);
    }
    return recorded;
  }

  #merge(from: RecordedCall, into: RecordedCall, by: RecordedMessage): void {
    for (const leg of from.legs) leg.merge = { at: by.at, by, from: from.id };
    into.absorb(from);
    this.#calls.delete(from.call);
    this.#recent.delete(from);
    this.#changed.delete(from);
    this.#gone.push({ id: from.id, into: into.id });
  }

  #tell(events: readonly CallEvent[], by: RecordedMessage | undefined, isTimed: boolean): void {
    for (const event of events) {
      const call = this.#byCallId.get(event.params.CallID)?.at(-1)?.call;
      if (!call) continue;
      call.addEvent({ order: this.#order++, event, by, isTimed });
      this.#changed.add(call);
      if (isTimed) this.#settle(call, event.at);
    }
  }

  /** A call ends with its last leg, and may begin anew with another. */
  #settle(call: RecordedCall, at: number): void {
    const { isUp } = call.call;
    if (isUp === (call.endedAt === 0)) return;
    call.endedAt = isUp ? 0 : at;
    this.#changed.add(call);
    if (isUp) this.#recent.delete(call);
    else if (!call.isTold) this.#forget(call);
    else this.#recent.add(call);
    if (this.#recent.size > this.#limits.recentCalls) this.#forgetOldest();
  }

  #makeRoom(bytes: number): boolean {
    while (this.#bytes + bytes > this.#limits.bytes) if (!this.#forgetOldest()) return false;
    return true;
  }

  #forgetOldest(): boolean {
    const [oldest] = this.#recent;
    if (oldest) this.#forget(oldest);
    return oldest !== undefined;
  }

  #forget(call: RecordedCall): void {
    this.#calls.delete(call.call);
    this.#recent.delete(call);
    this.#bytes -= call.size;
    this.#legs -= call.legs.length;
    for (const { leg } of call.legs) {
      const left = this.#byCallId.get(leg.callId)?.filter((other) => other.leg !== leg) ?? [];
      if (left.length > 0) this.#byCallId.set(leg.callId, left);
      else this.#byCallId.delete(leg.callId);
    }
  }

  #drop(call: RecordedCall): void {
    this.dropped++;
    call.dropped++;
  }
}
