import { type ConnectOptions, openSrf, socketsOf, type SrfApplication, type SrfReply, type SrfRequest } from './srf.ts';

/** A drachtio server that we connect to. */
export interface AdminServer {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly secret: string;
  readonly tags: readonly string[];
  /** Undefined for plain TCP. */
  readonly tls: ConnectOptions['tls'] | undefined;
}

/** What connections to servers tell. */
export interface LinkEvents {
  onRequest(srf: SrfApplication, request: SrfRequest, reply: SrfReply, server: string): void;
  /** A connection is up; `hostports` are the server's SIP addresses. */
  onUp(server: string, hostports: string): void;
  onDown(server: string): void;
  onLog(level: 'info' | 'warn', text: string, about: object): void;
}

const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 10_000;
const REFUSED_DELAY_MS = 10_000;
const ANSWER_MS = 5000;
const PING_MS = 10_000;
const SILENCE_MS = 45_000;
const SETTLE_MS = 50;

export const WRONG_SECRET = 'the drachtio server refuses our secret: it must be that of <admin secret="…"> there';

/**
 * The connection to one server, made again whenever it is gone. drachtio-srf's own way of doing so forgets TLS, and hammers a
 * server that refuses the secret; so it is asked for one connection at a time.
 */
export class ServerLink {
  readonly #server: AdminServer;
  readonly #events: LinkEvents;
  #srf: SrfApplication | undefined;
  #delayMs = FIRST_DELAY_MS;
  #reason = '';
  #toldReason = '';
  #isUp = false;
  #isClosed = false;
  #retry: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #settling: NodeJS.Timeout | undefined;

  constructor(server: AdminServer, events: LinkEvents) {
    this.#server = server;
    this.#events = events;
  }

  open(): void {
    const { name, host, port, secret, tags, tls } = this.#server;
    const srf = openSrf(tags, (self) => (request, reply) => {
      if (!this.#isClosed) this.#events.onRequest(self, request, reply, name);
    });
    this.#srf = srf;
    this.#reason = '';
    srf.on('connect', (error: unknown, hostports: string) => {
      if (srf !== this.#srf) closeAll(srf);
      else if (error instanceof Error) this.#refuse();
      else this.#greet(hostports);
    });
    srf.on('error', (error: Error) => (this.#reason ||= explain(error)));
    srf.on('close', () => this.#onGone(srf));
    srf.connect({
      host,
      port,
      secret,
      ...(tls && { tls }),
      enablePing: true,
      pingInterval: PING_MS,
      reconnect: { maxAttempts: 1 },
    });
    this.#watchSilence(srf);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#retry);
    this.#drop();
  }

  #greet(hostports: string): void {
    this.#isUp = true;
    this.#delayMs = FIRST_DELAY_MS;
    this.#toldReason = '';
    // What we want to be asked about is being told at this moment, and nothing says when that is in force.
    this.#settling = setTimeout(() => this.#events.onUp(this.#server.name, hostports), SETTLE_MS);
  }

  #refuse(): void {
    this.#reason = WRONG_SECRET;
    this.#delayMs = REFUSED_DELAY_MS;
  }

  #onGone(srf: SrfApplication): void {
    if (srf !== this.#srf) return;
    this.#srf = undefined;
    clearInterval(this.#watch);
    clearTimeout(this.#settling);
    if (this.#isUp) this.#events.onDown(this.#server.name);
    const wasUp = this.#isUp;
    this.#isUp = false;
    if (this.#isClosed) return;
    this.#tell(wasUp ? 'the connection was closed' : this.#reason || 'the connection was closed');
    this.#retry = setTimeout(() => this.open(), this.#delayMs);
    this.#delayMs = Math.min(this.#delayMs * 2, MAX_DELAY_MS);
  }

  /** Once for each reason: it is tried for as long as it takes. */
  #tell(reason: string): void {
    if (reason === this.#toldReason) return;
    this.#toldReason = reason;
    this.#events.onLog('warn', 'no connection to the drachtio server: trying again until there is one', {
      server: this.#server.name,
      reason,
    });
  }

  /** A server that is cut off says nothing at all, not even to pings; one that is none does not answer. */
  #watchSilence(srf: SrfApplication): void {
    let bytes = 0;
    let heardAt = performance.now();
    this.#watch = setInterval(() => {
      const read = socketsOf(srf).reduce((sum, { bytesRead }) => sum + bytesRead, 0);
      if (read !== bytes) heardAt = performance.now();
      bytes = read;
      const patienceMs = this.#isUp ? SILENCE_MS : ANSWER_MS;
      if (performance.now() - heardAt < patienceMs) return;
      this.#reason ||= 'nothing there answers as a drachtio server does';
      this.#drop();
    }, 1000);
  }

  #drop(): void {
    const srf = this.#srf;
    if (!srf) return;
    closeAll(srf);
    this.#onGone(srf);
  }
}

/** What was written still goes out. */
function closeAll(srf: SrfApplication): void {
  for (const socket of socketsOf(srf)) socket.destroySoon();
}

/** Why there is no connection, in words that help; an error for several addresses has those of each. */
function explain(error: Error): string {
  const { code, errors } = error as Error & { code?: string; errors?: readonly Error[] };
  if (errors?.[0]) return explain(errors[0]);
  return code === 'ECONNREFUSED' ? 'nothing listens there' : error.message;
}
