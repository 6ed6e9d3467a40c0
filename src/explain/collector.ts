import type { Call, Leg } from '../calls/call.ts';
import type { CallEvent } from '../calls/event.ts';
import { connectPipeline } from '../calls/pipeline.ts';
import type { CallTracker } from '../calls/tracker.ts';
import { SipMessage } from '../sip/message.ts';
import type { Address, Observation } from '../sip/observation.ts';
import { attempt } from '../sip/parse-error.ts';
import { seeMessage, type SeenMessage } from './seen-message.ts';

/** How much is kept at most; what comes on top is counted. */
export interface CollectLimits {
  readonly legs: number;
  readonly messages: number;
}

export const COLLECT_LIMITS: CollectLimits = { legs: 50_000, messages: 500_000 };

/** A leg, and all that was seen of it. */
export interface LegStory {
  readonly leg: Leg;
  readonly messages: SeenMessage[];
  /** Its call at present; another than the leg's own just after a merge. */
  call: Call;
  /** Its call became part of an older one: when, at which message, and which id it had till then. */
  merge: { readonly at: number; readonly by: SeenMessage | undefined; readonly from: string } | undefined;
}

/** An event, and what brought it about. */
export interface ToldEvent {
  readonly order: number;
  readonly event: CallEvent;
  /** Undefined where it was the time, or a message that is not kept. */
  readonly by: SeenMessage | undefined;
  readonly isTimed: boolean;
}

/** Sends observations through the tracker, and keeps what tells why it told what it told. */
export class Collector {
  readonly legs: LegStory[] = [];
  readonly events: ToldEvent[] = [];
  /** Messages beyond the limits. */
  dropped = 0;
  readonly #tracker: CallTracker;
  readonly #limits: CollectLimits;
  readonly #onEvent: (event: CallEvent) => void;
  readonly #pipeline: (observation: Observation) => void;
  readonly #byLeg = new Map<Leg, LegStory>();
  readonly #byCallId = new Map<string, LegStory[]>();
  readonly #aliases = new WeakMap<Call, number>();
  readonly #addresses = new Map<string, Address>();
  readonly #message = new SipMessage();
  #caused: CallEvent[] = [];
  #messages = 0;
  #order = 0;

  /** `onEvent` is told of all events, those that are not kept included. */
  constructor(tracker: CallTracker, limits = COLLECT_LIMITS, onEvent: (event: CallEvent) => void = () => {}) {
    this.#tracker = tracker;
    this.#limits = limits;
    this.#onEvent = onEvent;
    this.#pipeline = connectPipeline(tracker, (events, cause) => {
      if (cause) this.#caused.push(...events);
      else this.#tell(events, undefined, true);
    });
  }

  observe(observation: Observation): void {
    this.#pipeline(observation);
    const seen = attempt(() => this.#see(observation));
    if (this.#caused.length === 0) return;
    this.#tell(this.#caused, seen, false);
    this.#caused = [];
  }

  /** Lets time pass to the end of all calls. */
  finish(): void {
    this.#tell(this.#tracker.expire(Infinity), undefined, true);
  }

  #tell(events: readonly CallEvent[], by: SeenMessage | undefined, isTimed: boolean): void {
    for (const event of events) {
      this.#onEvent(event);
      const isKept = this.#byCallId.has(event.params.CallID);
      if (isKept) this.events.push({ order: this.#order++, event, by, isTimed });
    }
  }

  #see(observation: Observation): SeenMessage | undefined {
    const message = this.#message.read(observation.bytes);
    const story = this.#find(message);
    if (!story) return undefined;
    const seen = this.#messages < this.#limits.messages ? this.#keep(story, message, observation) : undefined;
    if (!seen) this.dropped++;
    this.#noteMerge(story.leg.call, observation.observedAt, seen);
    return seen;
  }

  /** The leg of a message; one that the tracker has forgotten is known here still. */
  #find(message: SipMessage): LegStory | undefined {
    const { callId, fromTag, toTag } = message;
    const isOf = (leg: Leg): boolean => leg.fromTag === fromTag || leg.fromTag === toTag;
    for (let leg = this.#tracker.findLeg(callId); leg; leg = leg.next) if (isOf(leg)) return this.#storyOf(leg);
    return this.#byCallId.get(callId)?.findLast(({ leg }) => isOf(leg));
  }

  #storyOf(leg: Leg): LegStory | undefined {
    const known = this.#byLeg.get(leg);
    if (known) return known;
    if (this.legs.length >= this.#limits.legs) return void this.dropped++;
    const story: LegStory = { leg, messages: [], call: leg.call, merge: undefined };
    this.legs.push(story);
    this.#byLeg.set(leg, story);
    const same = this.#byCallId.get(leg.callId);
    if (same) same.push(story);
    else this.#byCallId.set(leg.callId, [story]);
    return story;
  }

  #keep(story: LegStory, message: SipMessage, { observedAt, source, destination }: Observation): SeenMessage {
    this.#messages++;
    const hop = { source: this.#share(source), destination: this.#share(destination) };
    const seen = seeMessage(message, { ...hop, at: observedAt, order: this.#order++ }, story.leg, story.messages);
    story.messages.push(seen);
    return seen;
  }

  #share(address: Address): Address {
    const key = `${address.ip} ${address.port}`;
    const known = this.#addresses.get(key);
    if (known) return known;
    this.#addresses.set(key, address);
    return address;
  }

  /** Legs that came over from another call are known by the call that they were in. */
  #noteMerge(call: Call, at: number, by: SeenMessage | undefined): void {
    if (call.aliases.length === (this.#aliases.get(call) ?? 0)) return;
    this.#aliases.set(call, call.aliases.length);
    for (const leg of call.legs) {
      const story = this.#byLeg.get(leg);
      if (!story || story.call === call) continue;
      story.merge = { at, by, from: story.call.id };
      story.call = call;
    }
  }
}
