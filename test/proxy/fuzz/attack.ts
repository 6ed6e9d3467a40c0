import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { Endpoint } from '../support/relay.ts';
import type { Mutator, Random } from './mutation.ts';

// Whoever sends nearly right messages over UDP, TCP and WebSockets, and breaks connections off.

const MAX_DATAGRAM = 60_000;
const CONNECTIONS = 8;

export interface Places {
  readonly udp: Endpoint;
  readonly tcp: Endpoint;
  readonly ws: Endpoint;
}

export class Attack {
  sent = 0;
  readonly #places: Places;
  readonly #mutator: Mutator;
  readonly #random: Random;
  readonly #udp: UdpSocket = createSocket('udp4');
  readonly #tcp: (Socket | undefined)[] = Array<undefined>(CONNECTIONS).fill(undefined);
  readonly #web: (WebSocket | undefined)[] = Array<undefined>(CONNECTIONS).fill(undefined);

  constructor(places: Places, mutator: Mutator, random: Random) {
    this.#places = places;
    this.#mutator = mutator;
    this.#random = random;
    this.#udp.on('error', () => {}).on('message', (packet) => mutator.learn(packet.toString('latin1')));
  }

  /** One message by each transport. */
  step(): void {
    this.#sendUdp();
    this.#sendTcp(Math.floor(this.#random() * CONNECTIONS));
    this.#sendWeb(Math.floor(this.#random() * CONNECTIONS));
    this.sent += 3;
  }

  close(): void {
    this.#udp.close();
    for (const socket of this.#tcp) socket?.destroy();
    for (const socket of this.#web) socket?.terminate();
  }

  #sendUdp(): void {
    const { ip, port } = this.#places.udp;
    this.#udp.send(this.#mutator.next('UDP').subarray(0, MAX_DATAGRAM), port, ip);
  }

  #sendTcp(index: number): void {
    const { ip, port } = this.#places.tcp;
    const socket = (this.#tcp[index] ??= connect(port, ip)
      .on('error', () => {})
      .on('data', () => {})
      .on('close', () => (this.#tcp[index] = undefined)));
    const bytes = this.#mutator.next('TCP');
    const cut = this.#random() < 0.3 ? Math.floor(this.#random() * bytes.length) : 0;
    socket.write(bytes.subarray(0, cut));
    socket.write(bytes.subarray(cut));
    if (this.#random() < 0.05) socket.destroy();
  }

  #sendWeb(index: number): void {
    const { ip, port } = this.#places.ws;
    const socket = (this.#web[index] ??= new WebSocket(`ws://${ip}:${port}/`, 'sip')
      .on('error', () => {})
      .on('close', () => (this.#web[index] = undefined)));
    if (socket.readyState !== WebSocket.OPEN) return;
    const bytes = this.#mutator.next('WS');
    socket.send(this.#random() < 0.5 ? bytes.toString('latin1') : bytes);
    if (this.#random() < 0.02) socket.terminate();
  }
}
