import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

/** What happens to packets: shares from 0 to 1, times in milliseconds. */
export interface Impairment {
  readonly loss: number;
  readonly duplicate: number;
  readonly delayMs: number;
  /** Added to the delay, evenly spread; packets overtake each other by it. */
  readonly jitterMs: number;
}

/** `up` is from the client to the target. */
export type Direction = 'up' | 'down';

export interface RelayOptions extends Partial<Impairment> {
  readonly target: Endpoint;
  /** Address to listen at, and to send to the target from. */
  readonly ip?: string;
  readonly port?: number;
  readonly seed?: number;
  /** Drops what it returns false for, before chance is asked; `index` counts the client's packets that way from 0. */
  readonly passes?: (packet: Buffer, direction: Direction, index: number) => boolean;
}

export class RelayCounts {
  received = 0;
  lost = 0;
  filtered = 0;
  duplicated = 0;
  sent = 0;
  /** Sent after one that came later. */
  overtaken = 0;
}

export interface Fate {
  readonly isLost: boolean;
  /** One delay per copy. */
  readonly delays: readonly number[];
}

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The fates of one client's packets one way, in order: they depend on seed, client and count alone, not on time. */
export function fates(seed: number, client: number, direction: Direction): (impairment: Readonly<Impairment>) => Fate {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) + client * 2 + (direction === 'up' ? 0 : 1));
  return ({ loss, duplicate, delayMs, jitterMs }) => {
    const [lossDraw, duplicateDraw, first, second] = [random(), random(), random(), random()];
    const draws = duplicateDraw < duplicate ? [first, second] : [first];
    return { isLost: lossDraw < loss, delays: draws.map((draw) => delayMs + draw * jitterMs) };
  };
}

/** One way of one client: decides what becomes of each packet. */
class Lane {
  #index = 0;
  #newestSent = -1;
  readonly #direction: Direction;
  readonly #relay: Relay;
  readonly #next: (impairment: Impairment) => Fate;
  readonly #forward: (packet: Buffer) => void;

  constructor(relay: Relay, client: number, direction: Direction, forward: (packet: Buffer) => void) {
    this.#relay = relay;
    this.#direction = direction;
    this.#next = fates(relay.seed, client, direction);
    this.#forward = forward;
  }

  take(packet: Buffer): void {
    const counts = this.#relay[this.#direction];
    const index = this.#index++;
    const fate = this.#next(this.#relay.impairment);
    counts.received++;
    if (!this.#relay.passes(packet, this.#direction, index)) return void counts.filtered++;
    if (fate.isLost) return void counts.lost++;
    if (fate.delays.length > 1) counts.duplicated++;
    for (const delay of fate.delays) this.#relay.later(delay, () => this.#send(packet, index));
  }

  #send(packet: Buffer, index: number): void {
    const counts = this.#relay[this.#direction];
    counts.sent++;
    if (index < this.#newestSent) counts.overtaken++;
    this.#newestSent = Math.max(this.#newestSent, index);
    this.#forward(packet);
  }
}

interface Client {
  readonly socket: Socket;
  readonly up: Lane;
}

/**
 * Stands between UDP clients and a server as a bad network behind a NAT does: every client address gets a socket of its
 * own towards the server.
 */
export class Relay {
  readonly up = new RelayCounts();
  readonly down = new RelayCounts();
  readonly seed: number;
  readonly passes: (packet: Buffer, direction: Direction, index: number) => boolean;
  impairment: Impairment;
  readonly #target: Endpoint;
  readonly #ip: string;
  readonly #socket = createSocket('udp4');
  readonly #clients = new Map<string, Client>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #clientCount = 0;
  #port = 0;
  #isClosed = false;

  constructor(options: RelayOptions) {
    this.seed = options.seed ?? 1;
    this.passes = options.passes ?? (() => true);
    const { loss = 0, duplicate = 0, delayMs = 0, jitterMs = 0 } = options;
    this.impairment = { loss, duplicate, delayMs, jitterMs };
    this.#target = options.target;
    this.#ip = options.ip ?? '127.0.0.1';
    this.#socket.on('message', (packet, { address, port }) => this.#clientAt(address, port).up.take(packet));
  }

  get ip(): string {
    return this.#ip;
  }

  get port(): number {
    return this.#port;
  }

  async listen(port: number): Promise<void> {
    this.#socket.bind(port, this.#ip);
    await once(this.#socket, 'listening');
    this.#port = this.#socket.address().port;
  }

  /** Changes the network from the next packet on. */
  impair(change: Partial<Impairment>): void {
    this.impairment = { ...this.impairment, ...change };
  }

  /** Loses all bindings, as a NAT that restarts: the next packets come from other ports, and answers get nowhere. */
  forget(): void {
    for (const { socket } of this.#clients.values()) socket.close();
    this.#clients.clear();
  }

  /** Runs `action` after some time, at once for none; never once the relay is closed. */
  later(delayMs: number, action: () => void): void {
    if (delayMs <= 0) return action();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      action();
    }, delayMs);
    this.#timers.add(timer);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.forget();
    await new Promise<void>((done) => this.#socket.close(done));
  }

  #clientAt(ip: string, port: number): Client {
    const key = `${ip}:${port}`;
    const known = this.#clients.get(key);
    if (known) return known;
    const client = this.#open(ip, port, this.#clientCount++);
    this.#clients.set(key, client);
    return client;
  }

  #open(ip: string, port: number, number: number): Client {
    const socket = createSocket('udp4');
    const isOpen = watchClose(socket);
    const upward = (packet: Buffer): void => {
      if (isOpen()) socket.send(packet, this.#target.port, this.#target.ip);
    };
    const down = new Lane(this, number, 'down', (packet) => {
      if (isOpen()) this.#socket.send(packet, port, ip);
    });
    socket.on('message', (packet) => down.take(packet));
    socket.on('error', () => undefined); // a target that is gone is a loss like any other
    socket.bind(0, this.#ip);
    return { socket, up: new Lane(this, number, 'up', upward) };
  }
}

function watchClose(socket: Socket): () => boolean {
  let isOpen = true;
  socket.on('close', () => (isOpen = false));
  return () => isOpen;
}

/** Opens a relay in front of a target. */
export async function openRelay(options: RelayOptions): Promise<Relay> {
  const relay = new Relay(options);
  await relay.listen(options.port ?? 0);
  return relay;
}
