import { createSocket } from 'node:dgram';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import type { Test } from 'tap';
import { parseHep } from '../../src/sources/hep.ts';
import type { ObservationSink } from '../../src/sip/observation.ts';
import { AdminFramer, writeFrame } from './support/admin-frames.ts';
import { soon } from './support/ports.ts';

// What a drachtio server and our engine said to each other, with what the server mirrored: recorded, and played again.

/** One thing that was said. `at` in epoch ms. */
export interface Saying {
  readonly at: number;
  /** A frame of the engine's, a frame of the server's, or a HEP packet of the server's in Base64. */
  readonly by: 'engine' | 'server' | 'mirror';
  readonly text: string;
}

/** Stands between the engine and a server, and before the place that it mirrors to. */
export class Recorder {
  readonly sayings: Saying[] = [];
  adminPort = 0;

  async open(t: Test, serverPort: number, mirrorPort: number, observe: ObservationSink): Promise<this> {
    const server = createServer((engine) => this.#relay(engine, connect(serverPort, '127.0.0.1')));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.adminPort = (server.address() as AddressInfo).port;
    const mirror = createSocket('udp4');
    mirror.on('message', (bytes) => {
      this.#note('mirror', bytes.toString('base64'));
      show(bytes, observe);
    });
    await new Promise<void>((done) => mirror.bind(mirrorPort, '127.0.0.1', done));
    t.teardown(() => {
      server.close();
      mirror.close();
    });
    return this;
  }

  #relay(engine: Socket, server: Socket): void {
    for (const [from, to, by] of [
      [engine, server, 'engine'],
      [server, engine, 'server'],
    ] as const) {
      const framer = new AdminFramer();
      from.on('data', (bytes: Buffer) => {
        for (const frame of framer.push(bytes)) this.#note(by, frame);
        to.write(bytes);
      });
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  }

  #note(by: Saying['by'], text: string): void {
    this.sayings.push({ at: Date.now(), by, text });
  }
}

function show(bytes: Buffer, observe: ObservationSink): void {
  const seen = parseHep(bytes, 0);
  if (typeof seen === 'string') throw new Error(seen);
  observe(seen);
}

/** Says what a server once said, and holds what the engine says against what it said then. */
export class Player {
  adminPort = 0;
  /** Epoch ms of what is being said. */
  now: number;
  /** Frames of the engine that are not what they were: then, and now. */
  readonly differences: (readonly [string, string | undefined])[] = [];
  readonly #sayings: readonly Saying[];
  readonly #observe: ObservationSink;
  readonly #ids = new Map<string, string>(); // of the engine's frames, then and now
  readonly #heard: string[] = [];
  #at = 0;
  #engine: Socket | undefined;
  #finish = (): void => {};
  readonly #finished = new Promise<void>((done) => (this.#finish = done));

  constructor(sayings: readonly Saying[], observe: ObservationSink) {
    this.#sayings = sayings;
    this.#observe = observe;
    this.now = sayings[0]!.at;
  }

  async open(t: Test): Promise<this> {
    const server = createServer((engine) => {
      const framer = new AdminFramer();
      this.#engine = engine;
      engine.on('data', (bytes: Buffer) => {
        this.#heard.push(...framer.push(bytes));
        this.#goOn();
      });
      engine.on('error', () => {});
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.adminPort = (server.address() as AddressInfo).port;
    t.teardown(() => server.close());
    return this;
  }

  /** Until all has been said. */
  get finished(): Promise<void> {
    return soon(this.#finished, 'the end of the conversation').catch((error: Error) => {
      throw new Error(`${error.message}; the next is ${JSON.stringify(this.#sayings[this.#at])}`);
    });
  }

  /** What was said one after the other may arrive at once. */
  #goOn(): void {
    this.#engine!.cork();
    process.nextTick(() => this.#engine!.uncork());
    for (; this.#at < this.#sayings.length; this.#at++) {
      const saying = this.#sayings[this.#at]!;
      this.now = Math.max(this.now, saying.at);
      if (saying.by === 'mirror') show(Buffer.from(saying.text, 'base64'), this.#observe);
      else if (saying.by === 'server') this.#engine!.write(writeFrame(this.#translate(saying.text)));
      else if (!this.#hear(saying.text)) return;
    }
    this.#finish();
  }

  /** False: the engine has not said it yet. */
  #hear(then: string): boolean {
    const now = this.#heard.shift();
    if (now === undefined) return false;
    this.#ids.set(idOf(then), idOf(now));
    if (withoutChance(now) !== withoutChance(then)) this.differences.push([then, now]);
    return true;
  }

  /** A reply names the frame that it replies to. */
  #translate(frame: string): string {
    const [id, kind, to = '', ...rest] = frame.split('|');
    return kind === 'response' ? [id, kind, this.#ids.get(to) ?? to, ...rest].join('|') : frame;
  }
}

const idOf = (frame: string): string => frame.slice(0, frame.indexOf('|'));

/** But for its id, and for nonces. */
const withoutChance = (frame: string): string => frame.slice(frame.indexOf('|')).replace(/nonce="[^"]*"/g, 'nonce=""');
