import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Test } from 'tap';
import { AdminFramer, writeFrame } from './admin-frames.ts';
import type { Certificate } from './certificate.ts';
import { until } from './ports.ts';

export interface AdminServerOptions {
  readonly port?: number;
  /** What it takes for right. */
  readonly secret: string;
  readonly certificate?: Certificate;
}

const HOSTPORTS = 'udp/127.0.0.1:5060,tcp/127.0.0.1:5060';

/** The admin port of a drachtio server, and nothing behind it: for what a real one can't be made to do. */
export class AdminServer {
  /** What the applications said, in order. */
  readonly frames: string[] = [];
  connections = 0;
  readonly #options: AdminServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  port: number;

  constructor(options: AdminServerOptions) {
    this.#options = options;
    this.port = options.port ?? 0;
  }

  async start(t: Test): Promise<this> {
    const { certificate } = this.#options;
    const take = (socket: Socket): void => this.#take(socket);
    const server = certificate ? createTlsServer(certificate, take) : createServer(take);
    server.on('tlsClientError', () => {});
    this.#server = server;
    await new Promise<void>((done) => server.listen(this.port, '127.0.0.1', done));
    this.port = (server.address() as AddressInfo).port;
    t.teardown(() => this.stop());
    return this;
  }

  stop(): void {
    this.#server?.close();
    this.drop();
  }

  /** Closes all connections. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Says these frames at once, to all. */
  say(...texts: readonly string[]): void {
    for (const socket of this.#sockets) socket.write(texts.map(writeFrame).join(''));
  }

  /** Until a frame of a kind was said, as often as that. */
  async waitFor(kind: string, count = 1): Promise<void> {
    await until(() => this.count(kind) >= count, `${count} ${kind} in ${this.frames.join('\n')}`);
  }

  count(kind: string): number {
    return this.frames.filter((frame) => frame.split('|')[1] === kind).length;
  }

  #take(socket: Socket): void {
    const framer = new AdminFramer();
    this.connections++;
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', (bytes: Buffer) => {
      for (const frame of framer.push(bytes)) this.#hear(frame, socket);
    });
  }

  #hear(frame: string, socket: Socket): void {
    this.frames.push(frame);
    const [id, kind, secret] = frame.split('|');
    if (kind === 'route') socket.write(writeFrame(`r|response|${id}|OK`));
    if (kind !== 'authenticate') return;
    const isRight = secret === this.#options.secret;
    socket.write(writeFrame(`r|response|${id}|${isRight ? `OK|${HOSTPORTS}|v0.9.10|` : 'NO|incorrect secret'}`));
    if (!isRight) socket.end();
  }
}

/** The frame by which a server asks about a request. */
export const askAbout = (request: string, transactionId: string): string =>
  `q|sip|network|${Buffer.byteLength(request)}|udp|127.0.0.1|5070|12:00:00.000000|${transactionId}||127.0.0.1|5060|\r\n${request}`;
