import { soon } from '../ports.ts';
import type { Endpoint } from '../relay.ts';
import { authorize } from '../wire-digest.ts';
import { makeFollowUp, makeRequest, makeResponse, unique } from '../wire-builders.ts';
import { Received } from '../wire-message.ts';
import { openWire, type Wire, type WireTransport } from '../wire-transports.ts';
import { AgentCall } from './agent-call.ts';

// A SIP user agent with a mind of its own, made with no code of the project: the phones and the PBX of the scenes.

export interface AgentOptions {
  readonly ip: string;
  /** Number, display name and domain that it calls itself by. */
  readonly user: string;
  readonly name?: string;
  readonly domain: string;
  /** Its answer to a challenge. */
  readonly password?: string;
  /** UDP unless told. */
  readonly transport?: WireTransport;
}

export interface CallOptions {
  readonly headers?: readonly string[];
  /** From, and its display name, where it is not the agent itself. */
  readonly from?: string;
  readonly name?: string | undefined;
}

interface Pending {
  readonly request: Received;
  readonly onResponse: (response: Received) => void;
  /** Told what went out in its place, with credentials. */
  readonly onAgain: (request: Received) => void;
}

export class Agent {
  readonly transport: WireTransport;
  readonly options: AgentOptions;
  /** Where all that it sends goes first. */
  proxy: Endpoint = { ip: '127.0.0.1', port: 5060 };
  /** Dialogs that are up or being set up. */
  readonly calls = new Set<AgentCall>();
  /** What is to be done with a request outside a dialog; the text to answer it with. */
  onRequest: (request: Received) => string = (request) => makeResponse(request, 200);
  /** A new call; unless taken here, `rings` gives it. */
  onCall: ((call: AgentCall) => void) | undefined;
  /** A REFER that was accepted. */
  onRefer: ((call: AgentCall, refer: Received) => void) | undefined;
  #wire!: Wire;
  readonly #pending = new Map<string, Pending>();
  /** Last response by branch and method: for requests that come again. */
  readonly #answered = new Map<string, string>();
  readonly #ringing: AgentCall[] = [];
  readonly #waiting: ((call: AgentCall) => void)[] = [];

  constructor(options: AgentOptions) {
    this.options = options;
    this.transport = options.transport ?? 'udp';
  }

  async open(port = 0): Promise<this> {
    const take = (text: string): void => this.#take(new Received(text));
    this.#wire = await openWire({ transport: this.transport, ip: this.options.ip, port }, take);
    return this;
  }

  get at(): string {
    return `${this.options.ip}:${this.#wire.port}`;
  }

  get user(): string {
    return this.options.user;
  }

  /** The URI of a number at the agent's domain. */
  uri(number: string): string {
    return `sip:${number}@${this.options.domain}`;
  }

  close(): Promise<void> {
    return this.#wire.close();
  }

  /** Its binding at the server, or none any more. */
  async register(expires = 300): Promise<void> {
    const [to, from] = [`sip:${this.options.domain}`, this.uri(this.user)];
    const text = makeRequest(this, { method: 'REGISTER', to, from, headers: [`Expires: ${expires}`] });
    const { code } = await soon(this.request(text), `${this.user} registers`);
    if (code !== 200) throw new Error(`${this.user} got ${code} for its REGISTER`);
  }

  /** Calls a number of the domain or a URI. */
  call(target: string, options: CallOptions = {}): AgentCall {
    const { headers = [], from = this.uri(this.user), name = this.options.name } = options;
    const to = target.includes(':') ? target : this.uri(target);
    const text = makeRequest(this, { to, from, fromTag: unique(), callId: unique(), headers });
    const invite = new Received(name === undefined ? text : text.replace('From: <', `From: "${name}" <`));
    const call = new AgentCall(this, invite, 'caller');
    this.calls.add(call);
    this.#send(
      invite,
      (response) => call.takeResponse(response),
      (sent) => (call.invite = sent),
    );
    return call;
  }

  /** The next call that comes in. */
  rings(): Promise<AgentCall> {
    const there = this.#ringing.shift();
    if (there) return Promise.resolve(there);
    return soon(new Promise((done) => this.#waiting.push(done)), `${this.user} is called`);
  }

  /** Sends a request; its final response. */
  request(text: string): Promise<Received> {
    return new Promise((done) => this.#send(new Received(text), (response) => response.code >= 200 && done(response)));
  }

  /** Sends without waiting for anything. */
  send(text: string): void {
    void this.#wire.send(text, this.proxy);
  }

  /** Answers a request, and again if it comes again. */
  reply(request: Received, text: string): void {
    this.#answered.set(keyOf(request), text);
    this.send(text);
  }

  #send(request: Received, onResponse: Pending['onResponse'], onAgain: Pending['onAgain'] = () => {}): void {
    this.#pending.set(keyOf(request), { request, onResponse, onAgain });
    this.send(request.text);
  }

  /** What is not whole is passed over. */
  #take(message: Received): void {
    if (!message.isWhole) return;
    if (message.isRequest) this.#takeRequest(message);
    else this.#takeResponse(message);
  }

  #takeResponse(response: Received): void {
    const pending = this.#pending.get(keyOf(response));
    if (!pending) return void this.#callOf(response)?.confirmAgain(response);
    if (response.code < 200) return pending.onResponse(response);
    this.#pending.delete(keyOf(response));
    const { request, onResponse, onAgain } = pending;
    const isRefused = request.method === 'INVITE' && response.code >= 300;
    if (isRefused) this.send(makeFollowUp('ACK', request, response.header('To')));
    const again = this.#withCredentials(request, response);
    if (!again) return onResponse(response);
    onAgain(again);
    this.#send(again, onResponse);
  }

  /** The request for the second time, if that was asked for. */
  #withCredentials(request: Received, challenge: Received): Received | undefined {
    const { password } = this.options;
    if ((challenge.code !== 401 && challenge.code !== 407) || password === undefined) return undefined;
    if (/^(Proxy-)?Authorization:/m.test(request.text)) return undefined;
    return new Received(authorize(request, challenge, { user: this.user, password }));
  }

  #takeRequest(request: Received): void {
    const again = this.#answered.get(keyOf(request));
    if (again !== undefined) return void (request.method === 'ACK' || this.send(again));
    const call = this.#callOf(request);
    if (call) call.takeRequest(request);
    else if (request.method === 'INVITE') this.#takeCall(request);
    else if (request.method !== 'ACK') this.reply(request, this.onRequest(request));
  }

  #takeCall(invite: Received): void {
    const refusal = this.onRequest(invite);
    if (!refusal.startsWith('SIP/2.0 200')) return this.reply(invite, refusal);
    const call = new AgentCall(this, invite, 'called');
    this.calls.add(call);
    this.reply(invite, makeResponse(invite, 100));
    if (this.onCall) return this.onCall(call);
    const waiting = this.#waiting.shift();
    if (waiting) waiting(call);
    else this.#ringing.push(call);
  }

  #callOf(message: Received): AgentCall | undefined {
    return [...this.calls].find((call) => call.owns(message));
  }
}

const keyOf = (message: Received): string =>
  `${message.branch} ${message.method === 'ACK' ? 'INVITE' : message.method}`;
