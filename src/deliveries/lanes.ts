import type { Delivery } from './store.ts';

/** Deliveries of one call to one script: one after the other, strictly in order. */
interface Lane {
  readonly key: string;
  readonly script: Script;
  readonly queue: Delivery[];
}

/** One script, whichever rules call it. */
interface Script {
  readonly key: string;
  lanes: number;
  active: number;
  /** Lanes whose first delivery may be sent. */
  readonly ready: Queue<Lane>;
}

/** First in, first out, in constant time also where a hundred thousand wait. */
class Queue<Item> {
  #incoming: Item[] = [];
  #outgoing: Item[] = [];

  get length(): number {
    return this.#incoming.length + this.#outgoing.length;
  }

  push(item: Item): void {
    this.#incoming.push(item);
  }

  shift(): Item | undefined {
    if (this.#outgoing.length === 0) {
      this.#outgoing = this.#incoming.reverse();
      this.#incoming = [];
    }
    return this.#outgoing.pop();
  }
}

/** A script's URL without its query: VoipNow rules differ in the query only. */
export const scriptOf = (url: string): string => url.split(/[?#]/, 1)[0]!;

/**
 * Which delivery may be sent when: in order within a lane (script and call), so many at a time per script, and no script
 * waits for another. Tells nothing of time: a delivery that has to wait is given back by `resume`.
 */
export class Lanes {
  readonly #concurrency: number;
  readonly #lanes = new Map<string, Lane>();
  readonly #scripts = new Map<string, Script>();
  /** Scripts that may have something to send now: of thousands of scripts only these are looked at. */
  readonly #sendable = new Set<Script>();
  #size = 0;

  constructor(concurrencyPerScript: number) {
    this.#concurrency = concurrencyPerScript;
  }

  /** Deliveries waiting or under way. */
  get size(): number {
    return this.#size;
  }

  add(delivery: Delivery): void {
    const lane = this.#laneOf(delivery);
    this.#size++;
    if (lane.queue.push(delivery) === 1) this.#offer(lane);
  }

  /** Takes the deliveries that may be sent now, also what becomes ready meanwhile; each has to be given back by `finish` or `wait`. */
  *take(): Generator<Delivery> {
    for (const script of this.#sendable) {
      while (script.active < this.#concurrency && script.ready.length > 0) {
        script.active++;
        yield script.ready.shift()!.queue[0]!;
      }
      this.#sendable.delete(script);
    }
  }

  /** The delivery is done: the next of its lane may follow. */
  finish(delivery: Delivery): void {
    const lane = this.#laneOf(delivery);
    this.#release(lane);
    lane.queue.shift();
    this.#size--;
    if (lane.queue.length > 0) this.#offer(lane);
    else this.#drop(lane);
  }

  /** The delivery failed and waits; the rest of its lane waits with it, other lanes go on. */
  wait(delivery: Delivery): void {
    const lane = this.#laneOf(delivery);
    this.#release(lane);
    lane.queue[0] = delivery;
  }

  /** The wait is over. */
  resume(delivery: Delivery): void {
    this.#offer(this.#laneOf(delivery));
  }

  #offer(lane: Lane): void {
    lane.script.ready.push(lane);
    this.#sendable.add(lane.script);
  }

  #release({ script }: Lane): void {
    script.active--;
    if (script.ready.length > 0) this.#sendable.add(script);
  }

  #laneOf({ request, call }: Delivery): Lane {
    const scriptKey = scriptOf(request.url);
    const key = `${call} ${scriptKey}`;
    let lane = this.#lanes.get(key);
    if (!lane) {
      this.#lanes.set(key, (lane = { key, script: this.#scriptOf(scriptKey), queue: [] }));
      lane.script.lanes++;
    }
    return lane;
  }

  #scriptOf(key: string): Script {
    let script = this.#scripts.get(key);
    if (!script) this.#scripts.set(key, (script = { key, lanes: 0, active: 0, ready: new Queue() }));
    return script;
  }

  #drop({ key, script }: Lane): void {
    this.#lanes.delete(key);
    if (--script.lanes === 0) this.#scripts.delete(script.key);
  }
}
