import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import type { WebSocket } from 'ws';
import { makeCertificate, type Certificate } from './certificate.ts';
import type { Endpoint } from './relay.ts';

export type WireTransport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss';

/** Carries texts between a phone and its peers. */
export interface Wire {
  readonly port: number;
  /** Peers of open connections; none for UDP. */
  readonly peers: readonly Endpoint[];
  send(text: string, to: Endpoint): Promise<void>;
  /** Breaks off all connections. */
  disconnect(): void;
  close(): Promise<void>;
}

export interface WireOptions {
  readonly transport: WireTransport;
  readonly ip: string;
  readonly port?: number;
  /** For the listener, and for connections to servers that ask for one; made up unless given. */
  readonly certificate?: Certificate;
  /** Authority that a server must be certified by; any will do without it. */
  readonly ca?: string;
  /** Path of the WebSocket to connect to. */
  readonly path?: string;
}

export type Take = (text: string, from: Endpoint) => void;

const keyOf = ({ ip, port }: Endpoint): string => `${ip}:${port}`;

async function openUdp({ ip, port = 0 }: WireOptions, take: Take): Promise<Wire> {
  const socket = createSocket('udp4');
  socket.on('message', (packet, from) => take(packet.toString(), { ip: from.address, port: from.port }));
  socket.bind(port, ip);
  await once(socket, 'listening');
  return {
    port: socket.address().port, // as it was: a closed socket has none
    peers: [],
    send: (text, to) =>
      new Promise((done, fail) =>
        socket.send(Buffer.from(text), to.port, to.ip, (error) => (error ? fail(error) : done())),
      ),
    disconnect: () => undefined,
    close: () => new Promise((done) => socket.close(done)),
  };
}

/** A connection to one peer, whatever it is made of. */
interface Link {
  readonly peer: Endpoint;
  send(text: string): Promise<void>;
  destroy(): void;
}

/** Connections by peer, and the server that takes in new ones. */
class LinkWire implements Wire {
  port = 0;
  readonly #links = new Map<string, Link>();
  readonly #opening = new Map<string, Promise<Link>>();
  readonly #server: Server;
  readonly #dial: (to: Endpoint) => Promise<Link>;

  constructor(server: Server, dial: (to: Endpoint) => Promise<Link>) {
    this.#server = server;
    this.#dial = dial;
  }

  get peers(): Endpoint[] {
    return [...this.#links.values()].map(({ peer }) => peer);
  }

  async listen(port: number, ip: string): Promise<this> {
    this.#server.listen(port, ip);
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    return this;
  }

  add(link: Link): void {
    this.#links.set(keyOf(link.peer), link);
  }

  remove(peer: Endpoint): void {
    this.#links.delete(keyOf(peer));
  }

  async send(text: string, to: Endpoint): Promise<void> {
    await (await this.#linkTo(to)).send(text);
  }

  disconnect(): void {
    for (const link of this.#links.values()) link.destroy();
    this.#links.clear();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    this.disconnect();
    await closed;
  }

  async #linkTo(to: Endpoint): Promise<Link> {
    const key = keyOf(to);
    const open = this.#links.get(key) ?? this.#opening.get(key);
    if (open) return open;
    const opening = this.#dial(to).finally(() => this.#opening.delete(key));
    this.#opening.set(key, opening);
    return opening;
  }
}

const peerOf = (socket: Socket): Endpoint => ({ ip: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 });

/** Cuts a stream into messages by Content-Length; line ends between them come out by themselves. */
function cutStream(take: (text: string) => void): (bytes: Buffer) => void {
  let held = Buffer.alloc(0);
  const cut = (): number => {
    const blank = /^[\r\n]+/.exec(held.toString('latin1'));
    if (blank) return blank[0].length;
    const head = held.indexOf('\r\n\r\n');
    if (head < 0) return 0;
    const length = /^(?:content-length|l)\s*:\s*(\d+)/im.exec(held.toString('latin1', 0, head));
    const size = head + 4 + Number(length?.[1] ?? 0);
    return size <= held.length ? size : 0;
  };
  return (bytes) => {
    held = Buffer.concat([held, bytes]);
    for (let size = cut(); size > 0; size = cut()) {
      take(held.toString('utf8', 0, size));
      held = held.subarray(size);
    }
  };
}

function adoptSocket(wire: LinkWire, socket: Socket, take: Take): Link {
  const peer = peerOf(socket);
  const send = (text: string): Promise<void> =>
    new Promise((done, fail) => socket.write(text, (error) => (error ? fail(error) : done())));
  const link = { peer, send, destroy: () => socket.destroy() };
  socket.on(
    'data',
    cutStream((text) => take(text, peer)),
  );
  socket.on('error', () => undefined); // its close follows
  socket.on('close', () => wire.remove(peer));
  wire.add(link);
  return link;
}

async function openStream({ transport, ip, port = 0, certificate, ca }: WireOptions, take: Take): Promise<Wire> {
  const isTls = transport === 'tls';
  const credentials = isTls ? (certificate ?? makeCertificate(ip)) : undefined;
  const server = credentials ? createTlsServer(credentials) : createServer();
  const wire: LinkWire = new LinkWire(server, async (to) => {
    const place = { host: to.ip, port: to.port, localAddress: ip };
    const trust = { ...credentials, rejectUnauthorized: ca !== undefined, ...(ca !== undefined && { ca }) };
    const socket = isTls ? connectTls({ ...place, ...trust }) : connect(place);
    await once(socket, isTls ? 'secureConnect' : 'connect');
    return adoptSocket(wire, socket, take);
  });
  server.on(isTls ? 'secureConnection' : 'connection', (socket: Socket) => adoptSocket(wire, socket, take));
  return wire.listen(port, ip);
}

function adoptWebSocket(wire: LinkWire, socket: WebSocket, peer: Endpoint, take: Take): Link {
  const send = (text: string): Promise<void> =>
    new Promise((done, fail) => socket.send(text, (error) => (error ? fail(error) : done())));
  const link = { peer, send, destroy: () => socket.terminate() };
  socket.on('message', (data: Buffer) => take(data.toString(), peer));
  socket.on('error', () => undefined);
  socket.on('close', () => wire.remove(peer));
  wire.add(link);
  return link;
}

async function openWeb({ transport, ip, port = 0, ...rest }: WireOptions, take: Take): Promise<Wire> {
  const { WebSocket, WebSocketServer } = await import('ws');
  const isTls = transport === 'wss';
  const server = isTls ? createHttpsServer(rest.certificate ?? makeCertificate(ip)) : createHttpServer();
  const trust = { rejectUnauthorized: rest.ca !== undefined, ...(rest.ca !== undefined && { ca: rest.ca }) };
  const wire: LinkWire = new LinkWire(server, async (to) => {
    const url = `${transport}://${keyOf(to)}${rest.path ?? '/'}`;
    const socket = new WebSocket(url, 'sip', { localAddress: ip, ...trust });
    await once(socket, 'open');
    return adoptWebSocket(wire, socket, { ip: to.ip, port: to.port }, take);
  });
  const taker = new WebSocketServer({ server, handleProtocols: (offered) => offered.has('sip') && 'sip' });
  taker.on('connection', (socket, { socket: { remoteAddress = '', remotePort = 0 } }) =>
    adoptWebSocket(wire, socket, { ip: remoteAddress, port: remotePort }, take),
  );
  return wire.listen(port, ip);
}

/** Opens a wire; for a connection-oriented transport it listens as well. */
export function openWire(options: WireOptions, take: Take): Promise<Wire> {
  if (options.transport === 'udp') return openUdp(options, take);
  return options.transport === 'ws' || options.transport === 'wss' ? openWeb(options, take) : openStream(options, take);
}
