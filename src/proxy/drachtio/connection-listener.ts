import type { Server } from 'node:net';
import { formatListenAddress, type ListenAddress, ListenError } from '../../sip/listen-address.ts';
import { type LinkEvents, WRONG_SECRET } from './server-link.ts';
import { openSrf, socketsOf } from './srf.ts';

/** Where servers connect to us, one connection for each request ("outbound" in their words). */
export interface ListenPlace {
  readonly address: ListenAddress;
  readonly secret: string;
  readonly tags: readonly string[];
  /** PEM; needed for TLS. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
}

/** Takes the connections of servers. */
export class ConnectionListener {
  readonly #place: ListenPlace;
  readonly #events: LinkEvents;
  #close = (): void => {};

  constructor(place: ListenPlace, events: LinkEvents) {
    this.#place = place;
    this.#events = events;
  }

  /** Returns the address. @throws ListenError */
  async open(): Promise<string> {
    const { address, secret, tags, certificate } = this.#place;
    const srf = openSrf(tags, (self) => (request, reply) => {
      this.#events.onRequest(self, request, reply, `of ${request.source_address}`);
    });
    srf.on('connect', (error: unknown) => {
      if (error instanceof Error) this.#events.onLog('warn', WRONG_SECRET, { listen: formatListenAddress(address) });
    });
    srf.on('error', () => {}); // of one connection; its server makes another
    const tls = address.transport === 'tls' && certificate;
    const server = srf.listen({ host: address.ip, port: address.port, secret, ...(tls && { tls }) });
    this.#close = () => {
      server.close();
      for (const socket of socketsOf(srf)) socket.destroySoon();
    };
    return formatListenAddress({ ...address, port: await listening(server, address) });
  }

  close(): void {
    this.#close();
  }
}

async function listening(server: Server, address: ListenAddress): Promise<number> {
  await new Promise<void>((done, fail) => {
    server.once('listening', done);
    server.once('error', (error) => fail(ListenError.at(address, error)));
  });
  return (server.address() as { port: number }).port;
}
