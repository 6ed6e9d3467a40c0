import type { Address } from '../../../src/sip/observation.ts';
import { Signal } from './clock.ts';
import { describeSession, type Message } from './message.ts';
import type { ClientTransaction, ServerTransaction } from './transaction.ts';
import type { UserAgent } from './user-agent.ts';

/** How a session is named, seen from one of its ends. */
interface Ends {
  readonly callId: string;
  readonly local: string;
  readonly remote: string;
  readonly peer: Address;
  /** Where requests go, until a Contact tells better. */
  readonly target: string;
}

/** An INVITE to be sent. */
export interface Invite extends Ends {
  readonly headers?: readonly string[];
  /** Sent again with these once challenged. */
  readonly credentials?: string;
}

/** What a REFER asks for. RFC 3515. */
export interface Referral {
  readonly target: string;
  readonly referredBy: string;
}

/** One end of a session that an INVITE begins. */
export class Session {
  readonly agent: UserAgent;
  readonly callId: string;
  readonly peer: Address;
  readonly localTag: string;
  remoteTag = '';
  /** This end sent the INVITE. */
  readonly isCaller: boolean;
  readonly rung = new Signal();
  /** The final answer to the INVITE, sent or received. */
  readonly final = new Signal<number>();
  readonly acknowledged = new Signal();
  /** Refused, given up or hung up. */
  readonly over = new Signal();
  readonly referral = new Signal<Referral>();
  /** A CANCEL went out; one came in before the final answer. */
  hasCancelled = false;
  wasCancelled = false;
  redirectedTo = '';
  /** Who is at this end put the other on hold; the other did so. */
  holds = false;
  isOnHold = false;
  readonly #local: string;
  readonly #remote: string;
  #target: string;
  #cseq: number;
  #client: ClientTransaction | undefined;
  #server: ServerTransaction | undefined;
  readonly #answered = new Map<number, ServerTransaction>();
  #givesUp: readonly string[] | undefined;
  #isProceeding = false;
  readonly #acks = new Map<number, Message>();

  private constructor(agent: UserAgent, ends: Ends, isCaller: boolean) {
    const { random } = agent.world;
    this.agent = agent;
    this.isCaller = isCaller;
    this.callId = ends.callId;
    this.peer = ends.peer;
    this.#local = ends.local;
    this.#remote = ends.remote;
    this.#target = ends.target;
    this.localTag = random.hex(10);
    this.#cseq = random.whole(1, 30_000);
  }

  /** Begins a session. */
  static begin(agent: UserAgent, invite: Invite): Session {
    const session = new Session(agent, invite, true);
    agent.sessions.set(session.callId, session);
    session.#invite(invite.headers ?? [], invite.credentials);
    return session;
  }

  /** The other end of a session that an INVITE began. */
  static answer(agent: UserAgent, server: ServerTransaction): Session {
    const { from, to, callId, fromTag, headers } = server.request;
    const target = readContact(headers) ?? '';
    const session = new Session(agent, { callId, local: to, remote: from, peer: server.source, target }, false);
    session.remoteTag = fromTag;
    session.#server = server;
    session.#answered.set(server.request.cseq, server);
    server.respond(100, '');
    return session;
  }

  get isUp(): boolean {
    return this.final.isSet && this.final.value! < 300 && !this.over.isSet;
  }

  /** The dialog as a Replaces names it to the other end. RFC 3891. */
  get name(): string {
    return `${this.callId};to-tag=${this.remoteTag};from-tag=${this.localTag}`;
  }

  /** The number that was called, as the request names it. */
  get dialled(): string {
    return /^sip:([^@]*)@/.exec(this.#server?.request.uri ?? this.#target)?.[1] ?? '';
  }

  ring(headers: readonly string[] = [], status = 180): void {
    if (this.final.isSet) return;
    this.rung.set();
    this.#server!.respond(status, this.localTag, [this.#contact, ...headers]);
  }

  accept(headers: readonly string[] = []): void {
    if (this.final.isSet) return;
    this.final.set(200);
    this.#server!.respond(200, this.localTag, [this.#contact, ...headers], describeSession(this.agent.address.ip));
  }

  reject(status: number, headers: readonly string[] = []): void {
    if (this.final.isSet) return;
    this.final.set(status);
    this.over.set();
    this.#server!.respond(status, this.localTag, headers);
  }

  /** Gives up calling, as soon as that is allowed. RFC 3261 §9.1. */
  cancel(headers: readonly string[] = []): void {
    if (this.final.isSet || this.#givesUp) return;
    this.#givesUp = headers;
    if (this.#isProceeding) this.#sendCancel();
  }

  /** Hangs up; who answered may do so only once that was acknowledged. RFC 3261 §15. */
  bye(headers: readonly string[] = []): void {
    if (!this.isUp) return;
    this.over.set();
    if (this.isCaller) return void this.request('BYE', headers);
    this.agent.world.clock.spawn(this.acknowledged.promise.then(() => this.request('BYE', headers)));
  }

  /** A request within the dialog; resolves to its final status. */
  request(method: string, headers: readonly string[] = [], body = ''): Promise<number> {
    const request = this.#write(method, ++this.#cseq, headers, body);
    return new Promise((resolve) => {
      this.agent.request(request, this.peer, (response) => {
        if (response.status < 200) return;
        if (method === 'INVITE' && response.status < 300) this.#acknowledge(response.cseq);
        resolve(response.status);
      });
    });
  }

  /** Puts the other side on hold, or takes it back. */
  async hold(isHeld: boolean): Promise<void> {
    await this.acknowledged.promise;
    if (this.holds === isHeld || !this.isUp) return;
    this.holds = isHeld;
    await this.request('INVITE', [this.#contact], describeSession(this.agent.address.ip, isHeld));
  }

  receive(server: ServerTransaction): void {
    const { method } = server.request;
    if (method === 'CANCEL') return this.#receiveCancel(server);
    if (method === 'BYE') return this.#receiveBye(server);
    if (this.over.isSet) return server.respond(481, this.localTag);
    if (method === 'INVITE') return this.#receiveInvite(server);
    if (method === 'REFER') return this.#receiveRefer(server);
    server.respond(200, this.localTag, method === 'UPDATE' ? [this.#contact] : []);
  }

  receiveAck(message: Message): void {
    this.#answered.get(message.cseq)?.acknowledge();
    this.acknowledged.set();
  }

  get #contact(): string {
    return `Contact: <${this.agent.contact}>`;
  }

  #write(method: string, cseq: number, headers: readonly string[], body = ''): Message {
    const { agent, callId } = this;
    const branch = `z9hG4bK${agent.world.random.hex(16)}`;
    const named = { from: this.#local, fromTag: this.localTag, to: this.#remote, toTag: this.remoteTag };
    return {
      method,
      status: 0,
      phrase: '',
      uri: this.#target,
      branch,
      sentBy: agent.address,
      ...named,
      callId,
      cseq,
      headers,
      body,
    };
  }

  #invite(headers: readonly string[], credentials: string | undefined): void {
    const all = [
      this.#contact,
      'Allow: INVITE, ACK, CANCEL, BYE, UPDATE, REFER, NOTIFY',
      'Supported: replaces',
      ...headers,
    ];
    const request = this.#write('INVITE', ++this.#cseq, all, describeSession(this.agent.address.ip));
    this.#client = this.agent.request(request, this.peer, (response) => {
      const isAsked = response.status === 401 && credentials !== undefined && !this.#givesUp;
      if (isAsked) this.#invite([...headers, credentials], undefined);
      else this.#receiveAnswer(response);
    });
  }

  #receiveAnswer(response: Message): void {
    const { status } = response;
    if (status < 200) return this.#proceed(response);
    if (status < 300) return this.#establish(response);
    this.redirectedTo = /^sip:([^@]*)@/.exec(readContact(response.headers) ?? '')?.[1] ?? '';
    this.final.set(status);
    this.over.set();
  }

  #proceed({ status, toTag, headers }: Message): void {
    if (!this.#isProceeding && this.#givesUp) this.#sendCancel();
    this.#isProceeding = true;
    if (status === 100) return;
    this.remoteTag = toTag;
    this.#target = readContact(headers) ?? this.#target;
    this.rung.set();
  }

  /** Every 2xx is acknowledged; where the call was given up meanwhile, it is hung up. */
  #establish({ toTag, headers, cseq }: Message): void {
    const isFirst = !this.final.isSet;
    this.remoteTag = toTag;
    this.#target = readContact(headers) ?? this.#target;
    this.#acknowledge(cseq);
    if (!isFirst) return;
    this.final.set(200);
    this.acknowledged.set();
    if (this.#givesUp) this.bye(this.#givesUp);
  }

  #acknowledge(cseq: number): void {
    let ack = this.#acks.get(cseq);
    if (!ack) this.#acks.set(cseq, (ack = this.#write('ACK', cseq, [])));
    this.agent.send(ack, this.peer);
  }

  #sendCancel(): void {
    const { request } = this.#client!;
    this.hasCancelled = true;
    const cancel = { ...request, method: 'CANCEL', headers: this.#givesUp ?? [], body: '' };
    this.agent.request(cancel, this.peer, () => undefined);
  }

  #receiveInvite(server: ServerTransaction): void {
    this.isOnHold = server.request.body.includes('a=sendonly');
    this.#answered.set(server.request.cseq, server);
    server.respond(200, this.localTag, [this.#contact], describeSession(this.agent.address.ip));
  }

  #receiveCancel(server: ServerTransaction): void {
    server.respond(200, this.localTag);
    if (this.final.isSet) return;
    this.wasCancelled = true;
    this.reject(487);
  }

  #receiveBye(server: ServerTransaction): void {
    server.respond(200, this.localTag);
    this.over.set();
  }

  #receiveRefer(server: ServerTransaction): void {
    const { headers } = server.request;
    server.respond(202, this.localTag, [this.#contact]);
    const target = /sip:([^@]*)@/.exec(readHeader(headers, 'Refer-To') ?? '')?.[1] ?? '';
    this.referral.set({ target, referredBy: readHeader(headers, 'Referred-By') ?? this.#remote });
  }
}

function readHeader(headers: readonly string[], name: string): string | undefined {
  return headers.find((header) => header.startsWith(`${name}: `))?.slice(name.length + 2);
}

const readContact = (headers: readonly string[]): string | undefined => readHeader(headers, 'Contact')?.slice(1, -1);
