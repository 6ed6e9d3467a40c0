import { type Lane, type Merge, Script, type ScriptOptions } from './script.ts';

const MAX_EXACT = 8;

/** What the lanes know of a delivery. */
export interface LaneEntry {
  readonly id: number;
  readonly call: string;
  readonly follows: string | undefined;
  /** URL without query. */
  readonly script: string;
}

/**
 * Which delivery may be sent when: in order within a lane (script and call), as each script allows, and no script
 * waits for another. A delivery that has to wait is given back by `resume`.
 */
export class Lanes {
  readonly scripts = new Map<string, Script>();
  readonly #optionsOf: (script: string) => ScriptOptions;
  readonly #onHold: (script: Script, ms: number) => void;
  /** Scripts that may have something to send now: of thousands of scripts only these are looked at. */
  readonly #sendable = new Set<Script>();
  #size = 0;

  /** `onHold` is told of a script that may not be called before so many ms have passed: call `wake` then. */
  constructor(optionsOf: (script: string) => ScriptOptions, onHold: (script: Script, ms: number) => void) {
    this.#optionsOf = optionsOf;
    this.#onHold = onHold;
  }

  /** Deliveries waiting or under way. */
  get size(): number {
    return this.#size;
  }

  /** Deliveries to a script, waiting or under way. */
  pendingOf(script: string): number {
    return this.scripts.get(script)?.pending ?? 0;
  }

  /** Adds a delivery at the end of its lane; if it is the first there, the lane has to be offered. */
  append({ id, call, follows, script: url }: LaneEntry): Lane {
    const script = this.#scriptOf(url);
    this.#size++;
    script.pending++;
    const known = script.lanes.get(call);
    const lane = known ?? { call, script, first: id, isReady: false, rest: undefined, merge: undefined };
    if (follows !== undefined && script.lanes.has(follows)) mergeOf(lane).follows.set(id, follows);
    if (known) enqueue(known, id);
    else script.lanes.set(call, lane);
    return lane;
  }

  /** The first delivery of the lane may be sent, unless one of a merged call has to go before. */
  offer(lane: Lane): void {
    const before = this.#laneBefore(lane);
    if (before) return void mergeOf(before).followers.add(lane);
    lane.isReady = true;
    lane.script.ready.push(lane);
    this.#sendable.add(lane.script);
  }

  /** Takes the lanes whose first delivery may be sent now, also what becomes ready meanwhile; each has to be given back by `finish` or `release`. */
  *take(now: number): Generator<Lane> {
    for (const script of this.#sendable) {
      while (script.ready.length > 0 && !this.#isHeld(script, now)) {
        const lane = this.takeReady(script);
        if (!lane) break;
        script.active++;
        yield lane;
      }
      this.#sendable.delete(script);
    }
  }

  /** The next lane whose first delivery may be sent. */
  takeReady(script: Script): Lane | undefined {
    for (let lane = script.ready.shift(); lane; lane = script.ready.shift()) {
      lane.isReady = false;
      if (lane.first !== 0) return lane;
    }
    return undefined;
  }

  /** The first delivery of the lane is done: the next may follow. */
  finish(lane: Lane): void {
    this.release(lane);
    if (this.#advance(lane)) this.offer(lane);
    this.#offerFollowers(lane);
  }

  /** Whether a delivery waits for the script, or for others before it in its lane. */
  isWaiting(lane: Lane, id: number): boolean {
    return lane.first === id ? lane.isReady && !lane.merge : (lane.rest?.includes(id) ?? false);
  }

  /** A delivery that waits, and is not to be sent any more, leaves its lane. */
  drop(lane: Lane, id: number): void {
    if (lane.first === id) return void this.#advance(lane);
    lane.rest = lane.rest?.filter((other) => other !== id);
    this.#count(lane.script);
  }

  /** On to the next delivery of the lane; false if there is none. */
  #advance(lane: Lane): boolean {
    const { script, call } = lane;
    this.#count(script);
    lane.first = lane.rest?.shift() ?? 0;
    if (lane.first !== 0) return true;
    script.lanes.delete(call);
    if (script.pending === 0 && script.breaker.failures === 0 && !script.isHeld) this.scripts.delete(script.url);
    return false;
  }

  #count(script: Script): void {
    this.#size--;
    script.pending--;
  }

  /** Its delivery failed and waits; the rest of the lane waits with it, other lanes go on. */
  release({ script }: Lane): void {
    script.active--;
    if (script.ready.length > 0) this.#sendable.add(script);
  }

  /** The wait of a script is over. */
  wake(script: Script): void {
    script.isHeld = false;
    if (script.ready.length > 0) this.#sendable.add(script);
  }

  #isHeld(script: Script, now: number): boolean {
    const waitMs = script.waitMs(now);
    if (waitMs > 0 && waitMs < Infinity && !script.isHeld) {
      script.isHeld = true;
      this.#onHold(script, waitMs);
    }
    return waitMs > 0;
  }

  /** Ids ascend, so lanes never wait for each other in a circle. */
  #laneBefore({ script, first, merge }: Lane): Lane | undefined {
    const follows = merge?.follows.get(first);
    const before = follows === undefined ? undefined : script.lanes.get(follows);
    return before && before.first < first ? before : undefined;
  }

  #offerFollowers({ merge }: Lane): void {
    if (!merge || merge.followers.size === 0) return;
    const followers = [...merge.followers];
    merge.followers.clear();
    for (const follower of followers) this.offer(follower);
  }

  #scriptOf(url: string): Script {
    let script = this.scripts.get(url);
    if (!script) this.scripts.set(url, (script = new Script(url, this.#optionsOf(url))));
    return script;
  }
}

/** Short queues are kept without the room that an array leaves for more. */
function enqueue(lane: Lane, id: number): void {
  if (!lane.rest) lane.rest = [id];
  else if (lane.rest.length < MAX_EXACT) lane.rest = [...lane.rest, id];
  else lane.rest.push(id);
}

const mergeOf = (lane: Lane): Merge => (lane.merge ??= { follows: new Map(), followers: new Set() });
