import type { Address, Observation } from '../../../src/sip/observation.ts';
import type { Clock } from './clock.ts';
import { type Message, write } from './message.ts';
import type { Random } from './random.ts';

/** Whoever messages can be sent to. */
export interface Receiver {
  readonly address: Address;
  receive(message: Message, source: Address): void;
}

/** UDP that loses packets, with a sensor at the interface of every PBX. */
export class Network {
  readonly observations: Observation[] = [];
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #loss: number;
  readonly #receivers = new Map<string, Receiver>();
  readonly #sensors = new Set<string>();
  readonly #arrivals = new Map<string, number>();

  /** `loss`: share of the packets that get lost. */
  constructor(clock: Clock, random: Random, loss: number) {
    this.#clock = clock;
    this.#random = random;
    this.#loss = loss;
  }

  attach(receiver: Receiver, isSensor: boolean): void {
    this.#receivers.set(receiver.address.ip, receiver);
    if (isSensor) this.#sensors.add(receiver.address.ip);
  }

  /** What the PBX sends is seen even if it gets lost; what gets lost on its way to the PBX is not. */
  send(message: Message, source: Address, destination: Address): void {
    if (this.#sensors.has(source.ip)) this.#observe(message, source, destination);
    if (this.#random.chance(this.#loss)) return;
    this.#clock.after(this.#arrival(source, destination) - this.#clock.now, () => {
      if (this.#sensors.has(destination.ip)) this.#observe(message, source, destination);
      this.#receivers.get(destination.ip)?.receive(message, source);
    });
  }

  /** Packets between two hosts do not overtake each other. */
  #arrival(source: Address, destination: Address): number {
    const way = `${source.ip} ${destination.ip}`;
    const at = Math.max(this.#clock.now + this.#random.between(0.2, 4), (this.#arrivals.get(way) ?? 0) + 0.01);
    this.#arrivals.set(way, at);
    return at;
  }

  #observe(message: Message, source: Address, destination: Address): void {
    const observedAt = this.#clock.now;
    this.observations.push({ observedAt, source, destination, transport: 'udp', bytes: write(message) });
  }
}
