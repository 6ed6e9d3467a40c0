import type { Call, Leg, Party } from '../calls/call.ts';
import type { CallEvent } from '../calls/event.ts';
import { SipMessage } from '../sip/message.ts';
import type { Address, Transport } from '../sip/observation.ts';
import { attempt } from '../sip/parse-error.ts';
import type { LegStory, ToldEvent } from './collector.ts';
import { seeMessage, type SeenMessage } from './seen-message.ts';
import type { CallStory } from './story.ts';

/** A SIP message as it was seen, not read yet. */
export interface RecordedMessage {
  readonly order: number;
  readonly at: number;
  readonly source: Address;
  readonly destination: Address;
  readonly transport: Transport;
  /** One character a byte. */
  readonly text: string;
  readonly leg: RecordedLeg;
}

export interface RecordedLeg {
  readonly leg: Leg;
  /** The call that it is in. */
  call: RecordedCall;
  /** Its call became part of an older one: when, at which message, and which id it had till then. */
  merge: { readonly at: number; readonly by: RecordedMessage | undefined; readonly from: string } | undefined;
}

export interface RecordedEvent {
  readonly order: number;
  readonly event: CallEvent;
  readonly by: RecordedMessage | undefined;
  readonly isTimed: boolean;
}

/** A party that was told of, with its events. */
export interface RecordedParty {
  /** The extra SubCallID. */
  readonly id: string;
  readonly party: Party;
  hangup: CallEvent | undefined;
}

const MAX_PARTIES = 100;

/** All that is kept of one call. */
export class RecordedCall {
  readonly call: Call;
  readonly legs: RecordedLeg[] = [];
  messages: RecordedMessage[] = [];
  events: RecordedEvent[] = [];
  readonly parties = new Map<string, RecordedParty>();
  /** Characters of its messages. */
  size = 0;
  /** Messages that are not kept, and all that were seen. */
  dropped = 0;
  seen = 0;
  /** Epoch ms; 0 while it is live. */
  endedAt = 0;
  /** How many calls had become part of it when that was looked at last. */
  merges: number;
  readonly #maxMessages: number;

  constructor(call: Call, maxMessages: number) {
    this.call = call;
    this.merges = call.aliases.length;
    this.#maxMessages = maxMessages;
  }

  get id(): string {
    return this.call.id;
  }

  /** Something was told of it: somebody in it is an extension. */
  get isTold(): boolean {
    return this.parties.size > 0;
  }

  /** How many of its parties are not over. */
  get openParties(): number {
    let open = 0;
    for (const { hangup } of this.parties.values()) if (!hangup) open++;
    return open;
  }

  /** Keeps a message; of too many those in the middle give way. Returns by how much its size changed. */
  addMessage(message: RecordedMessage): number {
    const before = this.size;
    this.messages.push(message);
    this.size += message.text.length;
    if (this.messages.length > this.#maxMessages) {
      const [left] = this.messages.splice(this.#maxMessages >> 1, 1);
      this.size -= left!.text.length;
      this.dropped++;
    }
    return this.size - before;
  }

  addEvent(told: RecordedEvent): void {
    const { event } = told;
    this.events.push(told);
    if (this.events.length > this.#maxMessages) this.events.splice(this.#maxMessages >> 1, 1);
    const id = String(event.extras.SubCallID);
    const known = this.parties.get(id);
    const party = known?.party ?? this.call.parties.find((other) => nameOf(other) === id);
    if (!party) return;
    this.parties.set(id, { id, party, hangup: event.event === 'hangup' ? event : known?.hangup });
    if (this.parties.size > MAX_PARTIES) this.#dropParty();
  }

  /** Takes in a party that was told of in an earlier run. */
  adopt(party: Party): void {
    const id = nameOf(party);
    this.parties.set(id, { id, party, hangup: undefined });
  }

  /** Another call turned out to be part of this one. */
  absorb(other: RecordedCall): void {
    for (const leg of other.legs) leg.call = this;
    this.legs.push(...other.legs);
    this.messages = [...this.messages, ...other.messages].sort((a, b) => a.order - b.order);
    this.events = [...this.events, ...other.events].sort((a, b) => a.order - b.order);
    for (const [id, party] of other.parties) this.parties.set(id, party);
    this.size += other.size;
    this.dropped += other.dropped;
    this.seen += other.seen;
  }

  #dropParty(): void {
    const over = [...this.parties.values()].find(({ hangup }) => hangup);
    if (over) this.parties.delete(over.id);
  }
}

const nameOf = ({ birthCallId, ordinal }: Party): string => `${birthCallId}-p${ordinal}`;

/** A call's story, and which of its messages was read from what. */
export interface ReadStory {
  readonly story: CallStory;
  readonly records: ReadonlyMap<SeenMessage, RecordedMessage>;
}

/** Reads all that was kept of a call. */
export function readStory(recorded: RecordedCall): ReadStory {
  const legs = new Map<RecordedLeg, LegStory>();
  const seen = new Map<RecordedMessage, SeenMessage>();
  for (const leg of recorded.legs) {
    legs.set(leg, { leg: leg.leg, messages: [], call: recorded.call, merge: undefined });
  }
  const share = shareAddresses();
  const message = new SipMessage();
  for (const kept of recorded.messages) {
    const leg = legs.get(kept.leg)!;
    const place = { order: kept.order, at: kept.at, source: share(kept.source), destination: share(kept.destination) };
    const read = attempt(() =>
      seeMessage(message.read(Buffer.from(kept.text, 'latin1')), place, leg.leg, leg.messages),
    );
    if (!read) continue;
    seen.set(kept, read);
    leg.messages.push(read);
  }
  for (const [{ merge }, leg] of legs) leg.merge = merge && { ...merge, by: merge.by && seen.get(merge.by) };
  const { id, aliases } = recorded.call;
  const events = recorded.events.map((told): ToldEvent => ({ ...told, by: told.by && seen.get(told.by) }));
  const story = {
    number: 1,
    id,
    otherIds: [...aliases],
    call: recorded.call,
    legs: inOrder([...legs.values()]),
    events,
  };
  return { story, records: new Map([...seen].map(([kept, read]) => [read, kept])) };
}

/** By their first messages; those of which none is kept come last. */
const inOrder = (legs: LegStory[]): LegStory[] =>
  legs.sort((a, b) => (a.messages[0]?.order ?? Infinity) - (b.messages[0]?.order ?? Infinity) || 0);

/** One object for each address, as they are compared by that. */
function shareAddresses(): (address: Address) => Address {
  const known = new Map<string, Address>();
  return (address) => {
    const key = `${address.ip} ${address.port}`;
    const shared = known.get(key) ?? address;
    known.set(key, shared);
    return shared;
  };
}
