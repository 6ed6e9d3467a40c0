import { createSocket, type Socket } from 'node:dgram';
import type { ListenAddress } from '../../sip/listen-address.ts';
import type { Address } from '../../sip/observation.ts';
import type { Flow } from '../token.ts';
import type { Link, LinkEvents } from './link.ts';

const BUFFER_BYTES = 4 * 1024 * 1024;
const MAX_LINKS = 50_000;
const MAX_PROBES = 64;
const PROBE_MS = 40_000;

/** Our address as that peer is told. */
export type LocalAddress = (peerIp: string) => Address;

/** A UDP socket and the peers that were heard or sent to on it. */
export class UdpSocket {
  readonly #events: LinkEvents;
  readonly #local: LocalAddress;
  readonly #isNamed: boolean;
  readonly #links = new Map<string, UdpLink>();
  readonly #probes = new Map<UdpLink, Socket>();
  #socket: Socket | undefined;
  #listening: ListenAddress;

  /** `isNamed`: there are others, and flows tell it apart from them. */
  constructor(listening: ListenAddress, local: LocalAddress, isNamed: boolean, events: LinkEvents) {
    this.#listening = listening;
    this.#local = local;
    this.#isNamed = isNamed;
    this.#events = events;
  }

  get listening(): ListenAddress {
    return this.#listening;
  }

  get place(): Address {
    return { ip: this.#listening.ip, port: this.#listening.port };
  }

  /** @throws Error where the address can't be had. */
  async open(): Promise<void> {
    const { ip } = this.#listening;
    // A port that another program has must not be shared with it: tried first without `reuseAddr`, which probes need.
    const trial = await bind(createSocket({ type: typeOf(ip) }), this.#listening);
    this.#listening = { ...this.#listening, port: trial.address().port };
    await new Promise<void>((done) => trial.close(() => done()));
    this.#socket = await bind(this.#makeSocket(), this.#listening);
    this.#socket.on('message', (bytes, { address, port }) => this.#receive(bytes, address, port));
    this.#socket.on('error', () => this.#events.onDrop('UDP socket error'));
  }

  link({ ip, port }: Address): UdpLink {
    return this.#find(ip, port);
  }

  async close(): Promise<void> {
    for (const probe of this.#probes.values()) probe.close();
    this.#probes.clear();
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket) await new Promise<void>((done) => socket.close(() => done()));
  }

  send(bytes: Buffer, { ip, port }: Address): void {
    this.#socket?.send(bytes, port, ip);
  }

  /**
   * Sends through a socket of the same port that is connected to the peer: that one is told of ICMP refusals. It takes in what
   * the peer sends, too.
   */
  probe(link: UdpLink, bytes: Buffer): void {
    const known = this.#probes.get(link);
    if (known) return void this.#sendProbe(known, bytes);
    if (this.#probes.size >= MAX_PROBES || !this.#socket) return this.send(bytes, link.remote);
    const socket = this.#makeSocket();
    this.#probes.set(link, socket);
    socket.on('message', (message, { address, port }) => this.#receive(message, address, port));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#fail(link, error, bytes));
    socket.bind(this.#listening.port, this.#listening.ip, () => {
      socket.connect(link.remote.port, link.remote.ip, () => this.#sendProbe(socket, bytes));
    });
    setTimeout(() => this.#closeProbe(link), PROBE_MS).unref();
  }

  #sendProbe(socket: Socket, bytes: Buffer): void {
    try {
      socket.send(bytes, (error) => void (error && socket.emit('error', error)));
    } catch {
      // not connected yet: the copy that goes next will do
    }
  }

  #fail(link: UdpLink, { code = 'error', syscall }: NodeJS.ErrnoException, bytes: Buffer): void {
    this.#closeProbe(link);
    // That we can have no socket for it says nothing of the peer, who gets its copy all the same.
    if (syscall === 'bind') return this.send(bytes, link.remote);
    this.#events.onUnreachable(link, code);
  }

  #closeProbe(link: UdpLink): void {
    const socket = this.#probes.get(link);
    this.#probes.delete(link);
    socket?.close();
  }

  #makeSocket(): Socket {
    const family = this.#listening.ip.includes(':') ? 6 : 4;
    return createSocket({
      type: typeOf(this.#listening.ip),
      reuseAddr: true,
      recvBufferSize: BUFFER_BYTES,
      sendBufferSize: BUFFER_BYTES,
      lookup: (host, _options, done) => done(null, host, family),
    });
  }

  #receive(bytes: Buffer, ip: string, port: number): void {
    if (port === 0) return this.#events.onDrop('from port 0');
    this.#events.onMessage(bytes, this.#find(ip, port));
  }

  #find(ip: string, port: number): UdpLink {
    const key = `${ip} ${port}`;
    const known = this.#links.get(key);
    if (known) return known;
    if (this.#links.size >= MAX_LINKS) this.#links.clear();
    const remote = { ip, port };
    const flow = { transport: 'udp', remote, ...(this.#isNamed ? { local: this.place } : {}) } as const;
    const link = new UdpLink(this, flow, this.#local(ip));
    this.#links.set(key, link);
    return link;
  }
}

/** A peer that is reached over UDP. */
export class UdpLink implements Link {
  readonly transport = 'udp';
  readonly isReliable = false;
  readonly isOpen = true;
  readonly isRenewable = false;
  readonly remote: Address;
  readonly local: Address;
  readonly flow: Flow;
  readonly #socket: UdpSocket;

  constructor(socket: UdpSocket, flow: Flow, local: Address) {
    this.#socket = socket;
    this.flow = flow;
    this.remote = flow.remote;
    this.local = local;
  }

  send(bytes: Buffer): void {
    this.#socket.send(bytes, this.remote);
  }

  resend(bytes: Buffer): void {
    this.#socket.probe(this, bytes);
  }
}

const typeOf = (ip: string): 'udp4' | 'udp6' => (ip.includes(':') ? 'udp6' : 'udp4');

function bind(socket: Socket, { ip, port }: ListenAddress): Promise<Socket> {
  return new Promise((done, fail) => {
    socket.once('error', fail);
    socket.bind(port, ip, () => {
      socket.removeListener('error', fail);
      done(socket);
    });
  });
}
