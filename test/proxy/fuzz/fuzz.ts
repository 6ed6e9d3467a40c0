import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from '../support/pbx/agent.ts';
import { seededRandom, type Endpoint } from '../support/relay.ts';
import type { WireTransport } from '../support/wire-transports.ts';
import { Attack, type Places } from './attack.ts';
import { callOnAndOn, openAnswerer, type Calls } from './beside.ts';
import { Mutator } from './mutation.ts';

// Nearly right messages over every transport, and calls beside them that must all go well.

export interface FuzzOptions {
  readonly seconds: number;
  /** Of the random choices; the order in which answers come is not repeated. */
  readonly seed: number;
  /** Steps a second, of a message by each transport. */
  readonly rate: number;
}

export interface Fuzzed {
  readonly sent: number;
  readonly calls: Calls;
}

/** Where messages that the proxy sends on arrive, and how those are learned from. */
export class Fuzzer {
  readonly #mutator: Mutator;
  readonly #random: () => number;
  #upstream!: Awaited<ReturnType<typeof openAnswerer>>;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
    this.#mutator = new Mutator(this.#random, 'acme.example.com');
  }

  /** Opens the PBX; returns its port. */
  async open(): Promise<number> {
    this.#upstream = await openAnswerer((text) => this.#mutator.learn(text));
    return this.#upstream.port;
  }

  close(): Promise<void> {
    return this.#upstream.close();
  }

  async run(places: Places, { seconds, rate }: Omit<FuzzOptions, 'seed'>): Promise<Fuzzed> {
    const attack = new Attack(places, this.#mutator, this.#random);
    const agents = await Promise.all((['udp', 'tcp', 'ws'] as const).map((name) => openCaller(name, places[name])));
    const [endAt, calls] = [performance.now() + seconds * 1000, { made: 0, failures: [] }];
    const isOver = (): boolean => performance.now() >= endAt;
    const calling = agents.map((agent) => callOnAndOn(agent, calls, isOver));
    await attackUntil(isOver, attack, rate);
    await Promise.all(calling);
    attack.close();
    await Promise.all(agents.map((agent) => agent.close()));
    return { sent: attack.sent, calls };
  }
}

/** Spreads the steps evenly; what can't be done in time is left out. */
async function attackUntil(isOver: () => boolean, attack: Attack, rate: number): Promise<void> {
  const tickMs = 10;
  for (let due = 0; !isOver(); await sleep(tickMs)) {
    for (due += (rate * tickMs) / 1000; due >= 1; due--) attack.step();
  }
}

async function openCaller(transport: WireTransport, proxy: Endpoint): Promise<Agent> {
  const agent = new Agent({ ip: '127.0.0.1', user: '101', domain: 'acme.example.com', transport });
  agent.proxy = proxy;
  return agent.open();
}
