import type { EventEmitter } from 'node:events';
import type { Server, Socket } from 'node:net';
import type { SecureContextOptions, TlsOptions } from 'node:tls';
import Srf from 'drachtio-srf';

// What is used of drachtio-srf, as it is: its own types leave much of it out.

/** A request that the server asks us about. */
export interface SrfRequest extends EventEmitter {
  readonly source_address: string;
  readonly source_port: number;
  readonly protocol: string;
  readonly msg: SrfMessage;
  readonly server: { readonly hostport: string };
  readonly socket: Socket;
}

export interface SrfMessage {
  /** The whole message. */
  readonly raw: string;
}

/** Takes our answer to a request. */
export interface SrfReply {
  send(code: number, phrase: string, options: { readonly headers: SrfHeaders }): void;
}

/** A response to a request of ours. */
export interface SrfResponse {
  readonly status: number;
  readonly reason: string;
  readonly msg: SrfMessage;
}

/** Values by name; several fields of one name are one value with line ends in it. */
export interface SrfHeaders {
  [name: string]: string;
}

export interface ProxyOptions {
  readonly recordRoute: boolean;
  readonly forking: 'simultaneous' | 'sequential';
  readonly headers: SrfHeaders;
}

/** How proxying a request ended; no status where time ran out. */
export interface ProxyResult {
  readonly finalStatus?: number;
}

export interface SrfRequestOptions {
  readonly method: string;
  readonly headers: SrfHeaders;
  /** Next hop. */
  readonly proxy: string;
}

interface ServerPlace {
  readonly host: string;
  readonly port: number;
  readonly secret: string;
}

export interface ConnectOptions extends ServerPlace {
  readonly tls?: SecureContextOptions & { readonly rejectUnauthorized: boolean; readonly servername?: string };
  readonly enablePing: boolean;
  readonly pingInterval: number;
  readonly reconnect: { readonly maxAttempts: number };
}

export interface ListenOptions extends ServerPlace {
  readonly tls?: TlsOptions;
}

type Handler = (request: SrfRequest, reply: SrfReply) => void;

export interface SrfApplication extends EventEmitter {
  readonly app: { readonly client: { readonly mapServer: ReadonlyMap<Socket, unknown> } };
  use(method: string, handler: Handler): void;
  connect(options: ConnectOptions): void;
  listen(options: ListenOptions): Server;
  request(
    connection: Socket,
    uri: string,
    options: SrfRequestOptions,
    done: (error: unknown, sent: EventEmitter) => void,
  ): void;
  proxyRequest(
    request: SrfRequest,
    destinations: readonly string[],
    options: ProxyOptions,
    done: (error: unknown, result: ProxyResult) => void,
  ): void;
}

/** Requests that the server asks about: those that begin something. It answers or discards all others itself. */
const METHODS = ['invite', 'register', 'options', 'message', 'subscribe', 'notify', 'publish', 'info'] as const;

/** An application that takes all requests the server asks about. */
export function openSrf(tags: readonly string[], handler: (srf: SrfApplication) => Handler): SrfApplication {
  const srf = new Srf([...tags]) as unknown as SrfApplication;
  const handle = handler(srf);
  for (const method of METHODS) srf.use(method, handle);
  return srf;
}

/** The connections of an application. */
export const socketsOf = (srf: SrfApplication): readonly Socket[] => [...srf.app.client.mapServer.keys()];
