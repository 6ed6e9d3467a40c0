import { isUtf8 } from 'node:buffer';
import { createServer as createHttpServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as TlsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import type { Address } from '../../sip/observation.ts';
import type { Flow } from '../token.ts';
import type { Link, LinkEvents } from './link.ts';

const MAX_MESSAGE = 1_048_576;
const MAX_UNSENT_BYTES = 4 * 1024 * 1024;
const SUBPROTOCOL = 'sip';
const PING_MS = 30_000;

/** What a WebSocket server tells besides messages. */
export interface ConnectionEvents extends LinkEvents {
  onOpen(link: Link): void;
  onClose(link: Link): void;
}

/** Takes WebSocket connections that speak SIP. RFC 7118 §4. */
export function createWebSocketServer(
  transport: 'ws' | 'wss',
  tls: SecureContextOptions | undefined,
  local: (peerIp: string) => Address,
  events: ConnectionEvents,
): Server | TlsServer {
  const refuse = (_: IncomingMessage, response: { writeHead(code: number): { end(text: string): void } }): void =>
    response.writeHead(426).end('This address speaks SIP over WebSocket.\n');
  const server = transport === 'wss' ? createHttpsServer(tls ?? {}, refuse) : createHttpServer(refuse);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE,
    perMessageDeflate: false,
    handleProtocols: (protocols) => (protocols.has(SUBPROTOCOL) ? SUBPROTOCOL : false),
  });
  server.on('upgrade', (request: IncomingMessage, socket, head) => {
    socket.on('error', () => events.onDrop('WebSocket broken'));
    const offered = request.headers['sec-websocket-protocol']?.split(',').map((name) => name.trim());
    if (!offered?.includes(SUBPROTOCOL)) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    sockets.handleUpgrade(request, socket, head, (webSocket) => {
      const { remoteAddress = '', remotePort = 0 } = request.socket;
      const ip = remoteAddress.replace(/^::ffff:/, '');
      accept(new WebSocketLink(transport, webSocket, { ip, port: remotePort }, local(ip), events), webSocket, events);
    });
  });
  return server;
}

function accept(link: WebSocketLink, webSocket: WebSocket, events: ConnectionEvents): void {
  events.onOpen(link);
  keepAlive(webSocket);
  webSocket.on('message', (data) => link.receive(data));
  webSocket.on('error', () => events.onDrop('WebSocket broken'));
  webSocket.on('close', () => events.onClose(link));
}

/** Closes a connection on which nothing came for as long as two pings: who is gone often does not say so. RFC 6455 §5.5.2. */
export function keepAlive(webSocket: WebSocket, pingMs = PING_MS): void {
  let isAlive = true;
  const hear = (): void => void (isAlive = true);
  webSocket.on('pong', hear).on('message', hear);
  const timer = setInterval(() => {
    if (!isAlive) return webSocket.terminate();
    isAlive = false;
    webSocket.ping();
  }, pingMs).unref();
  webSocket.on('close', () => clearInterval(timer));
}

/** A WebSocket connection: every WebSocket message is a SIP message. RFC 7118 §5. */
export class WebSocketLink implements Link {
  readonly transport: 'ws' | 'wss';
  readonly isReliable = true;
  readonly isRenewable = false;
  readonly remote: Address;
  readonly local: Address;
  readonly flow: Flow;
  readonly #webSocket: WebSocket;
  readonly #events: LinkEvents;

  constructor(transport: 'ws' | 'wss', webSocket: WebSocket, remote: Address, local: Address, events: LinkEvents) {
    this.transport = transport;
    this.#webSocket = webSocket;
    this.remote = remote;
    this.local = local;
    this.flow = { transport, remote };
    this.#events = events;
  }

  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN;
  }

  send(bytes: Buffer): void {
    if (!this.isOpen) return;
    this.#webSocket.send(bytes, { binary: !isText(bytes) });
    if (this.#webSocket.bufferedAmount <= MAX_UNSENT_BYTES) return;
    this.#events.onDrop('connection that takes nothing');
    this.#webSocket.terminate();
  }

  resend(bytes: Buffer): void {
    this.send(bytes);
  }

  close(): void {
    this.#webSocket.terminate();
  }

  /** Takes in one WebSocket message; line ends alone are keep-alives. RFC 7118 §6. */
  receive(data: RawData): void {
    const bytes = Buffer.isBuffer(data) ? data : Buffer.concat(Array.isArray(data) ? data : [Buffer.from(data)]);
    if (bytes.length > 4) this.#events.onMessage(bytes, this);
    else if (this.isOpen) this.#webSocket.send('\r\n');
  }
}

const isText = (bytes: Buffer): boolean => isUtf8(bytes);
