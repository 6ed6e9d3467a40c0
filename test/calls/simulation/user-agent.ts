import type { Address } from '../../../src/sip/observation.ts';
import type { Clock } from './clock.ts';
import type { Message } from './message.ts';
import type { Network, Receiver } from './network.ts';
import type { Random } from './random.ts';
import { Session } from './session.ts';
import { ClientTransaction, ServerTransaction } from './transaction.ts';

/** Time, network and chance: all that everybody shares. */
export interface World {
  readonly clock: Clock;
  readonly network: Network;
  readonly random: Random;
}

const key = ({ branch, method }: Message): string => `${branch} ${method === 'ACK' ? 'INVITE' : method}`;

/** One end of SIP sessions: transactions, and sessions by their Call-ID. */
export abstract class UserAgent implements Receiver {
  readonly world: World;
  readonly address: Address;
  readonly sessions = new Map<string, Session>();
  readonly #clients = new Map<string, ClientTransaction>();
  readonly #servers = new Map<string, ServerTransaction>();

  constructor(world: World, ip: string, isSensor = false) {
    this.world = world;
    this.address = { ip, port: 5060 };
    world.network.attach(this, isSensor);
  }

  /** URI at which it takes requests within a dialog. */
  abstract get contact(): string;

  /** An INVITE that begins a session; false: it is refused already. */
  protected abstract admit(server: ServerTransaction): boolean;

  /** A session began by an INVITE of the other side. */
  protected abstract welcome(session: Session): void;

  send(message: Message, destination: Address): void {
    this.world.network.send(message, this.address, destination);
  }

  /** Sends a request and tells of its answers. */
  request(request: Message, destination: Address, onResponse: (response: Message) => void): ClientTransaction {
    const send = (message: Message): void => this.send(message, destination);
    const client = new ClientTransaction(this.world.clock, request, send, onResponse);
    this.#clients.set(key(request), client);
    return client;
  }

  receive(message: Message, source: Address): void {
    if (message.status > 0) return this.#clients.get(key(message))?.receive(message);
    const known = this.#servers.get(key(message));
    if (known) return message.method === 'ACK' ? known.acknowledge() : known.repeat();
    if (message.method === 'ACK') return this.sessions.get(message.callId)?.receiveAck(message);
    const send = (response: Message): void => this.send(response, source);
    const server = new ServerTransaction(this.world.clock, message, source, send);
    this.#servers.set(key(message), server);
    this.#dispatch(server);
  }

  #dispatch(server: ServerTransaction): void {
    const { request } = server;
    if (request.method === 'INVITE' && request.toTag === '') return this.#begin(server);
    const session = this.sessions.get(request.callId);
    if (session) return session.receive(server);
    server.respond(481, this.world.random.hex(8));
  }

  #begin(server: ServerTransaction): void {
    if (!this.admit(server)) return;
    const session = Session.answer(this, server);
    this.sessions.set(session.callId, session);
    this.welcome(session);
  }
}
