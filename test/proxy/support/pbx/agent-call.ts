import {
  calledDialog,
  callerDialog,
  contactUri,
  makeFollowUp,
  makeInDialog,
  makeResponse,
  SDP,
  unique,
  type Dialog,
  type Sender,
} from '../wire-builders.ts';
import { soon } from '../ports.ts';
import { uriOf, userOf, type Received } from '../wire-message.ts';

/** What a call needs of the agent that has it. */
export interface Line extends Sender {
  readonly user: string;
  readonly onRefer: ((call: AgentCall, refer: Received) => void) | undefined;
  send(text: string): void;
  reply(request: Received, text: string): void;
  request(text: string): Promise<Received>;
}

/** How a request in the dialog differs from others. */
export interface Additions {
  readonly headers?: readonly string[];
  readonly body?: string;
}

const FIRST_CSEQ = 100; // above that of the INVITE, with credentials or without

/** A call as one of its two ends has it: an INVITE and its dialog. */
export class AgentCall {
  readonly side: 'caller' | 'called';
  /** As it went last: with credentials, if they were asked for. */
  invite: Received;
  readonly callId: string;
  readonly localTag: string;
  state: 'early' | 'up' | 'over' = 'early';
  /** Who is at the other end, as the other end of a bridge is told. */
  number: string;
  name: string | undefined;
  remoteTag: string | undefined;
  /** Final response to the INVITE. */
  final: Received | undefined;
  readonly #line: Line;
  readonly #rung = Promise.withResolvers<void>();
  readonly #answered = Promise.withResolvers<boolean>();
  readonly #over = Promise.withResolvers<number>();
  #dialog: Dialog | undefined;
  #cseq = FIRST_CSEQ;
  #ack = '';
  #isCancelled = false;
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(line: Line, invite: Received, side: 'caller' | 'called') {
    this.#line = line;
    this.invite = invite;
    this.side = side;
    this.callId = invite.callId;
    this.localTag = side === 'caller' ? invite.fromTag! : unique();
    this.remoteTag = side === 'caller' ? undefined : invite.fromTag;
    const other = side === 'caller' ? invite.uri : invite.header('From')!;
    this.number = userOf(other);
    this.name = /^"([^"]*)"/.exec(other)?.[1];
  }

  /** Once the other end rings. */
  get rung(): Promise<void> {
    return this.#rung.promise;
  }

  /** True once it is answered, false if it never was. */
  get answered(): Promise<boolean> {
    return this.#answered.promise;
  }

  /** Once it is over: the final response that refused it, or 200. */
  get over(): Promise<number> {
    return this.#over.promise;
  }

  /** The number that was dialled. */
  get dialled(): string {
    return userOf(this.invite.uri);
  }

  /** Value of a Replaces that stands for this dialog. RFC 3891 §6.1. */
  get replaces(): string {
    return `${this.callId};to-tag=${this.remoteTag};from-tag=${this.localTag}`;
  }

  owns({ callId, fromTag, toTag }: Received): boolean {
    return callId === this.callId && (fromTag === this.invite.fromTag || toTag === this.invite.fromTag);
  }

  ring(code = 180, headers: readonly string[] = []): void {
    if (this.state === 'early') this.#respond(code, headers);
  }

  /** A call that is up already stays so. */
  answer(headers: readonly string[] = []): void {
    if (this.state !== 'early') return;
    this.#dialog = calledDialog(this.invite, this.localTag);
    this.#respond(200, headers, SDP);
    this.#begin();
  }

  /** A call that is up already ends. */
  refuse(code: number, headers: readonly string[] = []): void {
    if (this.state === 'up') return this.hangUp(headers);
    if (this.state === 'over') return;
    this.#respond(code, headers);
    this.#end(code);
  }

  /** Withdraws a call that is not answered yet. */
  cancel(headers: readonly string[] = []): void {
    if (this.state !== 'early') return;
    this.#isCancelled = true;
    const text = makeFollowUp('CANCEL', this.invite);
    this.#line.send(text.replace('Content-Length', [...headers, 'Content-Length'].join('\r\n')));
  }

  hangUp(headers: readonly string[] = []): void {
    if (this.state !== 'up') return;
    void this.send('BYE', { headers });
    this.#end(200);
  }

  /** Ends it however it stands. */
  leave(headers: readonly string[] = []): void {
    if (this.state === 'up') this.hangUp(headers);
    else if (this.side === 'caller') this.cancel(headers);
    else this.refuse(603, headers);
  }

  /** Asks the other end to call a target; the response. */
  async refer(target: string, headers: readonly string[] = []): Promise<number> {
    return (await this.send('REFER', { headers: [`Refer-To: <${target}>`, ...headers] })).code;
  }

  /** Tells the other end whom it is connected to. */
  update(number: string): void {
    void this.send('UPDATE', { headers: [`P-Asserted-Identity: <sip:${number}@${this.#line.at}>`] });
  }

  /** A request in the dialog; its final response. */
  async send(method: string, { headers = [], body = '' }: Additions = {}): Promise<Received> {
    const dialog = this.#dialog;
    if (!dialog) throw new Error(`${this.#line.user} has no dialog for a ${method}`);
    const cseq = this.#cseq++;
    const response = await this.#line.request(makeInDialog(this.#line, dialog, method, cseq, headers, body));
    if (method === 'INVITE' && response.code < 300) this.#line.send(makeInDialog(this.#line, dialog, 'ACK', cseq));
    return response;
  }

  /** Until the other end sends such a request. */
  next(method: string): Promise<void> {
    const coming = new Promise<void>((done) => this.#waiting.set(method, [...(this.#waiting.get(method) ?? []), done]));
    return soon(coming, `${this.#line.user} gets ${method}`);
  }

  takeResponse(response: Received): void {
    this.remoteTag = response.toTag;
    if (response.code < 200) return void (response.code > 100 && this.#rung.resolve());
    this.final = response;
    if (response.code >= 300) return this.#end(response.code);
    this.#dialog = callerDialog(response);
    this.#ack = makeInDialog(this.#line, this.#dialog, 'ACK', response.cseq);
    this.#line.send(this.#ack);
    this.#begin();
    if (this.#isCancelled) this.hangUp();
  }

  /** A 2xx that comes again. */
  confirmAgain(response: Received): void {
    if (response.code >= 200 && response.method === 'INVITE' && this.#ack !== '') this.#line.send(this.#ack);
  }

  takeRequest(request: Received): void {
    if (request.method === 'ACK') return;
    if (this.state === 'over') return this.#line.reply(request, makeResponse(request, 481));
    const isAccepted = request.method === 'REFER' && this.#line.onRefer !== undefined;
    const body = request.method === 'INVITE' ? { body: SDP } : {};
    this.#line.reply(request, makeResponse(request, isAccepted ? 202 : 200, { contact: this.#contact, ...body }));
    if (isAccepted) this.#line.onRefer?.(this, request);
    for (const wake of this.#waiting.get(request.method) ?? []) wake();
    if (request.method === 'BYE') this.#end(200);
    if (request.method === 'CANCEL' && this.state === 'early') this.refuse(487);
  }

  get #contact(): string {
    return `<${contactUri(this.#line, this.#line.user)}>`;
  }

  #respond(code: number, headers: readonly string[], body?: string): void {
    const contact = headers.some((header) => header.startsWith('Contact:')) ? '' : this.#contact;
    const options = { toTag: this.localTag, headers, contact, ...(body !== undefined && { body }) };
    this.#line.reply(this.invite, makeResponse(this.invite, code, options));
  }

  #begin(): void {
    this.state = 'up';
    this.#rung.resolve();
    this.#answered.resolve(true);
  }

  #end(code: number): void {
    this.state = 'over';
    this.#answered.resolve(false);
    this.#over.resolve(code);
  }
}

/** What a Refer-To asks for: the URI to call, and the dialog to replace. RFC 3891 §4. */
export function readTarget(refer: Received): { uri: string; replaces: string | undefined } {
  const [uri = '', headers = ''] = uriOf(refer.header('Refer-To')!).split('?');
  const replaces = /(?:^|&)Replaces=([^&]*)/i.exec(headers)?.[1];
  return { uri, replaces: replaces === undefined ? undefined : decodeURIComponent(replaces) };
}
