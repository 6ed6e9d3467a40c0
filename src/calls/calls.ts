import { Call, type Leg, MAX_ALIASES } from './call.ts';
import type { JoinMethod } from './join.ts';

const MAX_IDLE_PARTIES = 16;
const MAX_RECENT = 20_000;

/** The calls that are up, by every id that they are known under. */
export class Calls {
  readonly #byId = new Map<string, Call>();
  /** Ids of calls that are over, the last ones and those before: a phone that starts anew may begin with the same Call-ID and tag again. */
  #recent = new Set<string>();
  #former = new Set<string>();
  /** How many began. */
  begun = 0;
  readonly #onMerge: (call: Call) => void;

  /** `onMerge` is told of every call that took in another one. */
  constructor(onMerge: (call: Call) => void) {
    this.#onMerge = onMerge;
  }

  get byId(): ReadonlyMap<string, Call> {
    return this.#byId;
  }

  /** A call of that id is up, or was not long ago. */
  isUsed(id: string): boolean {
    return this.#byId.has(id) || this.#recent.has(id) || this.#former.has(id);
  }

  open(id: string, startedAt: number, dialled: string, did: string): Call {
    this.begun++;
    const call = new Call(id, startedAt, dialled, did);
    this.#byId.set(id, call);
    return call;
  }

  /** Takes in a call that was up before a restart. */
  adopt(call: Call): void {
    for (const id of [call.id, ...call.aliases]) this.#byId.set(id, call);
  }

  /** Makes a call known under a further id: our marker named it before it was joined to an older one. */
  alias(call: Call, id: string): void {
    if (this.#byId.has(id) || call.aliases.length >= MAX_ALIASES) return;
    call.aliases = [...call.aliases, id];
    this.#byId.set(id, call);
  }

  /** Two legs turn out to be of one call: the older one's id stays. Design §5. */
  merge(a: Leg, b: Leg, method: JoinMethod): void {
    if (a.call === b.call) return;
    const [kept, moved] = isOlder(a.call, b.call) ? [a, b] : [b, a];
    const join = { method, leg: kept, feeder: undefined };
    for (const leg of moved.call.legs) leg.join ??= join;
    for (const party of moved.call.parties) party.join ??= join;
    kept.call.absorb(moved.call);
    for (const id of kept.call.aliases) this.#byId.set(id, kept.call);
    this.#onMerge(kept.call);
  }

  /** It turns out which leg a PBX made another for: so it is known who withdrew it. */
  attach(leg: Leg, feeder: Leg, method: JoinMethod): void {
    leg.join = { method, leg: feeder, feeder };
    leg.candidates = [];
    for (const transaction of leg.transactions) {
      if (transaction.cancelledBy === 'unknown')
        transaction.cancelledBy = hasLeftBefore(feeder, leg) ? 'caller' : 'network';
    }
    for (const party of leg.call.parties) if (leg.leadsTo(party)) party.join ??= leg.join;
    this.merge(leg, feeder, method);
  }

  /** Forgets a leg, and the call with its last. */
  remove(leg: Leg): void {
    const { call } = leg;
    call.legs = call.legs.filter((other) => other !== leg);
    if (call.legs.length > 0) return dropParties(call);
    this.#remember(call.id);
    for (const id of [call.id, ...call.aliases]) if (this.#byId.get(id) === call) this.#byId.delete(id);
  }

  /** An id goes with all others of its time: to find the oldest one in a set takes as long as many were deleted. */
  #remember(id: string): void {
    if (this.#recent.size >= MAX_RECENT) [this.#former, this.#recent] = [this.#recent, new Set()];
    this.#recent.add(id);
  }
}

/** Parties that are over and on no leg any more: a call that waits in a queue for hours may try a thousand agents. */
function dropParties(call: Call): void {
  if (call.parties.length <= MAX_IDLE_PARTIES) return;
  call.parties = call.parties.filter(
    (party) => party.state !== 'over' || call.legs.some((leg) => leg.caller === party || leg.leadsTo(party)),
  );
}

/** Its caller gave up, or hung up, before the other one was withdrawn. */
const hasLeftBefore = ({ callerLeft, answeredAt, goneAt }: Leg, other: Leg): boolean =>
  (callerLeft || answeredAt > 0) && goneAt > 0 && goneAt <= other.goneAt;

const isOlder = (a: Call, b: Call): boolean => (a.startedAt === b.startedAt ? a.id < b.id : a.startedAt < b.startedAt);
