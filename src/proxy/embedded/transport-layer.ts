import { connect as connectTcp, createServer as createTcpServer, isIP, type Server, type Socket } from 'node:net';
import {
  connect as connectTls,
  createSecureContext,
  createServer as createTlsServer,
  type SecureContextOptions,
  type Server as TlsServer,
} from 'node:tls';
import { LRUCache } from 'lru-cache';
import { type ListenAddress, ListenError } from '../../sip/listen-address.ts';
import { type Address, isSameAddress, type Transport } from '../../sip/observation.ts';
import { SipParseError } from '../../sip/parse-error.ts';
import { parseUri } from '../../sip/uri.ts';
import type { Hop } from '../peers.ts';
import type { Flow } from '../token.ts';
import { defaultPort, type Link, type LinkEvents, linkKey } from './link.ts';
import { StreamLink } from './stream-link.ts';
import { UdpSocket } from './udp-socket.ts';
import { createWebSocketServer } from './websocket-server.ts';

const CONNECT_MS = 4000;
const MAX_NAMES = 10_000;

/** Certificates of TLS and WSS, and whether those of others are verified. */
export interface TlsOptions {
  readonly server: SecureContextOptions | undefined;
  readonly ca: string | undefined;
  readonly verify: boolean;
}

/** Bounds and settings of the transports. */
export interface TransportOptions {
  readonly tls: TlsOptions;
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** Our address as a peer is told. */
  readonly local: (transport: Transport, peerIp: string) => Address;
}

/** All sockets of the engine: listens, connects, and finds the way to a peer again. RFC 3261 §18. */
export class TransportLayer {
  readonly #events: LinkEvents;
  readonly #options: TransportOptions;
  readonly #udp: UdpSocket[] = [];
  readonly #servers: (Server | TlsServer)[] = [];
  readonly #tlsServers: TlsServer[] = [];
  readonly #sockets = new Set<Socket>(); // that others opened, in whatever state
  readonly #perAddress = new Map<string, number>(); // connections that others opened, by IP address
  #certificates: SecureContextOptions | undefined;
  /** Names of peers that we connected to, for when a connection has to be opened again. */
  readonly #names = new LRUCache<string, string>({ max: MAX_NAMES });
  readonly #connections = new Map<string, Link & { close(): void }>();

  constructor(events: LinkEvents, options: TransportOptions) {
    this.#events = events;
    this.#options = options;
    this.#certificates = options.tls.server;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Listens on all addresses; returns them with the ports they got. @throws ListenError */
  async listen(addresses: readonly ListenAddress[]): Promise<ListenAddress[]> {
    const bound: ListenAddress[] = [];
    for (const address of addresses) {
      try {
        const isNamed = addresses.filter((other) => isSameKind(other, address)).length > 1;
        bound.push(
          await (address.transport === 'udp' ? this.#listenUdp(address, isNamed) : this.#listenStream(address)),
        );
      } catch (error) {
        await this.close();
        throw ListenError.at(address, error);
      }
    }
    return bound;
  }

  /** New certificates for connections to come, in both directions. @throws Error where they can't be used: then the old ones stay. */
  reload(server: SecureContextOptions): void {
    createSecureContext(server);
    this.#certificates = server;
    for (const tlsServer of this.#tlsServers) tlsServer.setSecureContext(server);
  }

  /** A way to an address; undefined where that transport is not to be had. */
  connect({ transport, ip, port, host }: Hop): Link | undefined {
    if (!isPlace(ip, port)) return undefined;
    if (transport === 'udp') return this.#udpFor(ip)?.link({ ip, port });
    const key = linkKey(transport, { ip, port });
    if (host !== undefined) this.#names.set(key, host);
    const known = this.#connections.get(key);
    if (known?.isOpen || transport === 'ws' || transport === 'wss') return known?.isOpen ? known : undefined;
    if (transport === 'sctp' || this.#connections.size >= this.#options.maxConnections) return undefined;
    return this.#open(transport, { ip, port }, this.#names.get(key) ?? ip);
  }

  /** The way along which a phone registered; if its connection is gone, one to its contact if that can be reached. */
  follow({ transport, remote, local }: Flow, contact?: string): Link | undefined {
    if (!isPlace(remote.ip, remote.port)) return undefined;
    if (transport === 'udp') return this.#udpFor(remote.ip, local)?.link(remote);
    const known = this.#connections.get(linkKey(transport, remote));
    if (known?.isOpen) return known;
    if (transport === 'ws' || transport === 'wss' || contact === undefined) return undefined;
    const uri = readUri(contact);
    return uri?.host === remote.ip
      ? this.connect({ transport, ip: uri.host, port: uri.port ?? defaultPort(transport) })
      : undefined;
  }

  async close(): Promise<void> {
    for (const connection of this.#connections.values()) connection.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#connections.clear();
    const servers = this.#servers.splice(0).map((server) => new Promise<void>((done) => server.close(() => done())));
    await Promise.all([...this.#udp.splice(0).map((socket) => socket.close()), ...servers]);
  }

  /** The socket that was told of, if it is still there; else the one nearest to the peer. */
  #udpFor(ip: string, told?: Address): UdpSocket | undefined {
    const isV6 = ip.includes(':');
    const fitting = this.#udp.filter(({ listening }) => listening.ip.includes(':') === isV6);
    if (fitting.length < 2) return fitting[0];
    const find = (place: Address): UdpSocket | undefined =>
      fitting.find(({ listening }) => isSameAddress(listening, place));
    return (told && find(told)) ?? find(this.#options.local('udp', ip)) ?? fitting[0];
  }

  async #listenUdp(address: ListenAddress, isNamed: boolean): Promise<ListenAddress> {
    const socket: UdpSocket = new UdpSocket(
      address,
      (ip) => {
        const local = this.#options.local('udp', ip);
        const { listening } = socket;
        if (listening.ip === '0.0.0.0' || listening.ip === '::') return local;
        const isOneOfOurs = this.#udp.some((other) => other.listening.ip === local.ip);
        return { ip: isOneOfOurs ? listening.ip : local.ip, port: listening.port };
      },
      isNamed,
      this.#events,
    );
    await socket.open();
    this.#udp.push(socket);
    return socket.listening;
  }

  async #listenStream({ transport, ip, port }: ListenAddress): Promise<ListenAddress> {
    const server = this.#createServer(transport);
    server.maxConnections = this.#options.maxConnections;
    server.on('connection', (socket: Socket) => this.#admit(socket));
    server.on('drop', () => this.#events.onDrop('more connections than limits allow'));
    server.on('tlsClientError', () => this.#events.onDrop('TLS handshake failed'));
    await new Promise<void>((done, fail) => {
      server.once('error', fail);
      server.listen(port, ip, () => {
        server.removeListener('error', fail);
        server.on('error', () => this.#events.onDrop('server socket error'));
        done();
      });
    });
    this.#servers.push(server);
    return { transport, ip, port: (server.address() as { port: number }).port };
  }

  /** One address must not take the connections of all others. */
  #admit(socket: Socket): void {
    const ip = socket.remoteAddress ?? '';
    const count = (this.#perAddress.get(ip) ?? 0) + 1;
    this.#sockets.add(socket);
    this.#perAddress.set(ip, count);
    socket.once('close', () => this.#release(socket, ip));
    if (count <= this.#options.maxConnectionsPerAddress) return;
    this.#events.onDrop('more connections from one address than limits allow');
    socket.destroy();
  }

  #release(socket: Socket, ip: string): void {
    this.#sockets.delete(socket);
    const left = this.#perAddress.get(ip)! - 1;
    if (left > 0) this.#perAddress.set(ip, left);
    else this.#perAddress.delete(ip);
  }

  #createServer(transport: Transport): Server | TlsServer {
    const server = this.#certificates;
    if (transport === 'tcp') return createTcpServer((socket) => this.#accept('tcp', socket));
    if (transport === 'tls') {
      const tlsServer = createTlsServer(server ?? {}, (socket) => this.#accept('tls', socket));
      this.#tlsServers.push(tlsServer);
      return tlsServer;
    }
    const kind = transport === 'wss' ? 'wss' : 'ws';
    const webSockets = createWebSocketServer(kind, server, (ip) => this.#options.local(kind, ip), {
      ...bindEvents(this.#events),
      onOpen: (link) => this.#connections.set(linkKey(link.transport, link.remote), link as never),
      onClose: (link) => this.#forget(link),
    });
    if (kind === 'wss') this.#tlsServers.push(webSockets as TlsServer);
    return webSockets;
  }

  #accept(transport: 'tcp' | 'tls', socket: Socket): void {
    const remote = { ip: (socket.remoteAddress ?? '').replace(/^::ffff:/, ''), port: socket.remotePort ?? 0 };
    if (remote.port === 0) return void socket.destroy();
    this.#adopt(transport, socket, remote).expectSpeech();
  }

  #open(transport: 'tcp' | 'tls', remote: Address, host: string): StreamLink {
    const { ca, verify } = this.#options.tls;
    const place = { host: remote.ip, port: remote.port };
    const secure = {
      ...place,
      servername: /^[\d.:]+$/.test(host) ? '' : host,
      rejectUnauthorized: verify,
      ...(ca ? { ca } : {}),
    };
    const socket = transport === 'tls' ? connectTls({ ...this.#certificates, ...secure }) : connectTcp(place);
    const timer = setTimeout(() => socket.destroy(new Error('connect time-out')), CONNECT_MS);
    socket.once(transport === 'tls' ? 'secureConnect' : 'connect', () => clearTimeout(timer));
    socket.once('close', () => clearTimeout(timer));
    return this.#adopt(transport, socket, remote);
  }

  #adopt(transport: 'tcp' | 'tls', socket: Socket, remote: Address): StreamLink {
    const link = new StreamLink(transport, socket, remote, this.#options.local(transport, remote.ip), this.#events);
    this.#connections.set(linkKey(transport, remote), link);
    let reason = 'connection closed';
    socket.on('error', (error: NodeJS.ErrnoException) => (reason = error.code ?? error.message));
    socket.on('close', () => {
      this.#forget(link, reason);
    });
    return link;
  }

  #forget(link: Link, reason = 'connection closed'): void {
    const key = linkKey(link.transport, link.remote);
    if (this.#connections.get(key) === link) this.#connections.delete(key);
    this.#events.onUnreachable(link, reason);
  }
}

const isSameKind = (a: ListenAddress, b: ListenAddress): boolean =>
  a.transport === b.transport && a.ip.includes(':') === b.ip.includes(':');

/** What a peer wrote as its address may be anything. */
const isPlace = (ip: string, port: number): boolean => port > 0 && port < 65_536 && isIP(ip) > 0;

const bindEvents = (events: LinkEvents): LinkEvents => ({
  onMessage: (bytes, link) => events.onMessage(bytes, link),
  onUnreachable: (link, reason) => events.onUnreachable(link, reason),
  onDrop: (reason) => events.onDrop(reason),
});

function readUri(text: string): ReturnType<typeof parseUri> | undefined {
  try {
    return parseUri(text);
  } catch (error) {
    if (error instanceof SipParseError) return undefined;
    throw error;
  }
}
