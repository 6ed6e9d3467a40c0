import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { formatListenAddress, type ListenAddress, ListenError } from '../sip/listen-address.ts';
import type { ObservationSink } from '../sip/observation.ts';
import { HepFramer, parseHep } from './hep.ts';
import type { SourceCounts } from './source-counts.ts';

const MAX_CONNECTIONS = 256;
const IDLE_MS = 10 * 60_000;
const RECEIVE_BUFFER = 4 * 1024 * 1024;

/** Receives HEP packets from capture agents, over UDP and TCP. */
export class HepListener {
  readonly #sink: ObservationSink;
  readonly #counts: SourceCounts;
  readonly #now: () => number;
  readonly #datagramSockets: DatagramSocket[] = [];
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Socket>();

  /** `now` tells the time of packets that do not tell it themselves, in epoch ms. */
  constructor(sink: ObservationSink, counts: SourceCounts, now: () => number) {
    this.#sink = sink;
    this.#counts = counts;
    this.#now = now;
  }

  /** Listens on all addresses; returns those it got. @throws ListenError */
  async listen(addresses: readonly ListenAddress[]): Promise<string[]> {
    const bound: string[] = [];
    for (const address of addresses) {
      try {
        bound.push(await (address.transport === 'udp' ? this.#listenUdp(address) : this.#listenTcp(address)));
      } catch (error) {
        await this.close();
        throw ListenError.at(address, error);
      }
    }
    return bound;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.destroy();
    const closings = [
      ...this.#datagramSockets.splice(0).map((socket) => new Promise<void>((done) => socket.close(() => done()))),
      ...this.#servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done()))),
    ];
    await Promise.all(closings);
  }

  async #listenUdp(address: ListenAddress): Promise<string> {
    const socket = createSocket({ type: address.ip.includes(':') ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BUFFER });
    socket.on('message', (bytes) => this.#receive(bytes));
    await new Promise<void>((done, fail) => {
      socket.once('error', fail);
      socket.bind(address.port, address.ip, () => {
        socket.removeListener('error', fail);
        socket.on('error', () => this.#counts.drop('HEP socket error'));
        done();
      });
    });
    this.#datagramSockets.push(socket);
    return formatListenAddress({ ...address, port: socket.address().port });
  }

  #receive(bytes: Buffer): void {
    this.#counts.packets++;
    const result = parseHep(bytes, this.#now());
    if (typeof result === 'string') return this.#counts.drop(result);
    this.#counts.messages++;
    this.#sink(result);
  }

  async #listenTcp(address: ListenAddress): Promise<string> {
    const server = createServer((connection) => this.#accept(connection));
    server.maxConnections = MAX_CONNECTIONS;
    server.on('drop', () => this.#counts.drop('too many HEP connections'));
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(address.port, address.ip, () => {
        server.removeListener('error', fail);
        done();
      });
    });
    this.#servers.push(server);
    const { port } = server.address() as { port: number };
    return formatListenAddress({ ...address, port });
  }

  #accept(connection: Socket): void {
    const framer = new HepFramer(this.#sink, this.#counts);
    this.#connections.add(connection);
    connection.setTimeout(IDLE_MS, () => connection.destroy());
    connection.on('data', (bytes) => {
      this.#counts.packets++;
      framer.push(bytes, this.#now());
      if (framer.isLost) connection.destroy();
    });
    connection.on('error', () => this.#counts.drop('HEP connection broken'));
    connection.on('close', () => this.#connections.delete(connection));
  }
}
