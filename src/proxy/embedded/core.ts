import { SipMessage } from '../../sip/message.ts';
import { SipParseError } from '../../sip/parse-error.ts';
import { parseVia, type Via } from '../../sip/via.ts';
import type { Decision, Reply, Routing } from '../decision.ts';
import { formatFlow } from '../token.ts';
import type { Branches } from './branches.ts';
import { ResponseContext } from './context.ts';
import type { Forwarder } from './forwarder.ts';
import type { Accepted, Intake } from './intake.ts';
import { defaultPort, type Link } from './link.ts';
import { copyLines, makeReply } from './replies.ts';
import { isTold } from './told.ts';
import { type ServerHost, ServerTransaction } from './server-transaction.ts';
import type { Timers } from './timers.ts';
import type { TransportLayer } from './transport-layer.ts';
import { findTopVia, responseFlow, sentBy, stampVia, type TopVia } from './via-fix.ts';

/** What the core is made of. */
export interface CoreParts {
  readonly intake: Intake;
  readonly routing: Routing;
  readonly forwarder: Forwarder;
  readonly transports: TransportLayer;
  readonly branches: Branches;
  readonly timers: Timers;
  readonly maxTransactions: number;
  /** Epoch ms. */
  readonly clock: () => number;
  readonly onSend: (link: Link, bytes: Buffer) => void;
  readonly onDrop: (reason: string) => void;
  readonly log: (text: string, about: object) => void;
}

/** The proxy: takes in messages, matches them to transactions, and sends them on. RFC 3261 §16. */
export class ProxyCore implements ServerHost {
  readonly timers: Timers;
  readonly #parts: CoreParts;
  readonly #servers = new Map<string, ServerTransaction>();
  readonly #message = new SipMessage();
  #isDraining = false;

  constructor(parts: CoreParts) {
    this.#parts = parts;
    this.timers = parts.timers;
  }

  /** Transactions that are not over. */
  get size(): number {
    return this.#servers.size + this.#parts.forwarder.size;
  }

  /** Requests that wait for their final response. */
  get pendingCount(): number {
    let count = 0;
    for (const server of this.#servers.values()) if (!server.isFinal) count++;
    return count;
  }

  /** From now on new calls are refused; those under way go on. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Takes in one message. Nothing that a peer sends makes it throw. */
  receive(bytes: Buffer, link: Link): void {
    try {
      const message = readWhole(this.#message, bytes);
      const via = findTopVia(message);
      if (!via) return this.#parts.onDrop('no Via');
      if (message.isRequest) this.#receiveRequest(message, via, link, message.bytes as Buffer);
      else this.#receiveResponse(message);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      this.#refuseUnreadable(bytes, link, error);
    }
  }

  sendResponse({ link, method }: ServerTransaction, bytes: Buffer, code: number): void {
    const isNews = code >= 300 || (code >= 200 && method === 'REGISTER');
    if (isNews && isTold(method)) this.#parts.onSend(link, bytes);
    const way = link.isOpen || code < 200 ? link : this.#reopen(link, bytes);
    way.send(bytes);
  }

  onSilence(server: ServerTransaction): void {
    const request = SipMessage.parse(server.request);
    server.respond(makeReply(request, server.link.remote, 100, 'Trying'), 100);
  }

  onEnd({ key }: ServerTransaction): void {
    this.#servers.delete(key);
  }

  #receiveRequest(message: SipMessage, via: TopVia, link: Link, bytes: Buffer): void {
    const key = makeKey(message, via);
    const known = this.#servers.get(key);
    if (message.method === 'ACK') return this.#receiveAck(message, via, link, known, bytes);
    if (message.method === 'CANCEL') return this.#receiveCancel(message, via, link, known);
    if (known) return known.retransmit();
    if (!this.#hasRoomFor(message, link)) return this.#parts.onDrop('more transactions than limits allow');
    this.#begin(key, message, via, link, bytes);
  }

  /** New calls are refused before the limit is reached, so that those that are up can go on. */
  #hasRoomFor(message: SipMessage, link: Link): boolean {
    const { maxTransactions } = this.#parts;
    const isCall = message.method === 'INVITE' && message.toTag === '';
    if (this.#servers.size < maxTransactions * (isCall ? NEW_CALLS_SHARE : 1)) return true;
    if (isCall) link.send(makeReply(message, link.remote, 503, 'Too many calls', 'Retry-After: 5\r\n'));
    return false;
  }

  #begin(key: string, message: SipMessage, via: TopVia, link: Link, bytes: Buffer): void {
    const accepted = this.#accept(message, via, link);
    const decision = 'action' in accepted ? accepted : this.#decide(accepted, message);
    const server = new ServerTransaction(key, message.method, this.#replyLink(via, link), bytes, this);
    this.#servers.set(key, server);
    if (decision.action === 'reply') return this.#answer(server, message, link, decision);
    const context = new ResponseContext(server, (accepted as Accepted).preparation, decision, this.#parts.forwarder);
    if (message.method === 'INVITE')
      server.onCancel = (cancel) => context.cancel(copyLines(SipMessage.parse(cancel), 'Reason')); // RFC 3326 §2;
    context.begin(message);
  }

  #accept(message: SipMessage, via: TopVia, link: Link): Accepted | Reply {
    return this.#parts.intake.accept(message, via, link, this.#parts.clock());
  }

  #decide(accepted: Accepted, message: SipMessage): Decision {
    if (this.#isDraining && message.method === 'INVITE' && message.toTag === '') return GOING_DOWN;
    return this.#parts.routing.decide(accepted.inbound);
  }

  #answer(server: ServerTransaction, message: SipMessage, link: Link, { code, phrase, headers = [] }: Reply): void {
    const lines = headers.map((line) => `${line}\r\n`).join('');
    if (code >= 300 && code !== 401 && code !== 407) {
      this.#parts.log('refused', { method: message.method, code, phrase, callId: message.callId, from: link.remote });
    }
    server.respond(makeReply(message, link.remote, code, phrase, lines), code);
  }

  /** The ACK of a failure ends here; that of a 2xx goes its own way. RFC 3261 §16.11, §17.2.1. */
  #receiveAck(message: SipMessage, via: TopVia, link: Link, known: ServerTransaction | undefined, bytes: Buffer): void {
    if (known && known.state !== 'accepted') return known.acknowledge();
    const accepted = this.#accept(message, via, link);
    if ('action' in accepted) return this.#parts.onDrop('ACK refused');
    const decision = this.#parts.routing.decide(accepted.inbound);
    const target = decision.action === 'relay' ? decision.groups[0]?.[0] : undefined;
    if (!target) return this.#parts.onDrop('ACK without a call');
    this.#parts.forwarder.sendAck(message, bytes, accepted.preparation, link, target);
  }

  #receiveCancel(message: SipMessage, via: TopVia, link: Link, known: ServerTransaction | undefined): void {
    const code = known ? 200 : 481;
    const bytes = makeReply(message, link.remote, code, known ? 'OK' : 'Call/Transaction Does Not Exist');
    this.#replyLink(via, link).send(bytes);
    known?.onCancel?.(Buffer.from(message.bytes));
  }

  #receiveResponse(message: SipMessage): void {
    if (this.#parts.forwarder.receive(message)) return;
    const next = message.all('Via')[1];
    const via = next === undefined ? undefined : parseVia(next);
    if (!via || !this.#parts.branches.isOurs(message.branch, formatFlow(responseFlow(via)))) {
      return this.#parts.onDrop('response to nothing we sent');
    }
    this.#passStray(message, via, next!);
  }

  /** A response to what was sent before a restart, or long ago, goes back by the Vias alone. RFC 3261 §16.7, §16.11. */
  #passStray(message: SipMessage, via: Via, text: string): void {
    if (message.statusCode < 200) return this.#parts.onDrop('stray response');
    const server = this.#servers.get(formatKey(via.parameters.get('branch') ?? '', message.method, text));
    const link = server?.link ?? this.#parts.transports.follow(responseFlow(via));
    if (!link) return this.#parts.onDrop('stray response');
    const bytes = this.#parts.forwarder.stripStray(message);
    this.#parts.onSend(link, bytes);
    link.send(bytes);
  }

  /** Another connection to whoever asked over one that is closed by now. RFC 3261 §18.2.2. */
  #reopen(link: Link, response: Buffer): Link {
    const { port, transport } = parseVia(SipMessage.parse(response).all('Via')[0] ?? '');
    const hop = { transport: link.transport, ip: link.remote.ip, port: port ?? defaultPort(transport) };
    return this.#parts.transports.connect(hop) ?? link;
  }

  /** Where responses go: over the same connection, or for UDP to where the Via tells. RFC 3261 §18.2.2. */
  #replyLink({ text }: TopVia, link: Link): Link {
    if (link.isReliable || sentBy(text).endsWith(`:${link.remote.port}`) || /;\s*rport/i.test(text)) return link;
    const { port } = responseFlow(parseVia(stampVia(text, link.remote))).remote;
    if (port === link.remote.port) return link;
    return this.#parts.transports.follow({ ...link.flow, remote: { ip: link.remote.ip, port } }) ?? link;
  }

  /** What can't be read is answered if that much of it can. RFC 3261 §21.4.1. */
  #refuseUnreadable(bytes: Buffer, link: Link, error: SipParseError): void {
    this.#parts.onDrop('not readable as SIP');
    try {
      const message = new SipMessage().read(Buffer.from(bytes.toString('latin1').replace(/\r(?!\n)/g, ' '), 'latin1'));
      if (!message.isRequest || message.method === 'ACK' || !findTopVia(message) || message.callId === '') return;
      link.send(makeReply(message, link.remote, 400, error.message.replace(/[^\x20-\x7e]/g, ' ')));
    } catch (second) {
      if (!(second instanceof SipParseError)) throw second;
    }
  }
}

/** Reads exactly one message: what stands behind it in a datagram is none of it. RFC 3261 §18.3. @throws SipParseError */
function readWhole(message: SipMessage, bytes: Buffer): SipMessage {
  message.read(bytes).check();
  const { bodyStart, latin1 } = message;
  if (latin1[bodyStart - 1] !== '\n' || !/\n\r?$/.test(latin1.slice(Math.max(0, bodyStart - 3), bodyStart - 1))) {
    throw new SipParseError('header section without end', bodyStart);
  }
  checkLineEnds(latin1, bodyStart);
  if (message.truncated) throw new SipParseError('body shorter than Content-Length', bodyStart);
  return message.bodyEnd < bytes.length ? message.read(bytes.subarray(0, message.bodyEnd)).check() : message;
}

/** A bare CR is a line end to some programs: what is one value to us would be two fields to them. @throws SipParseError */
function checkLineEnds(text: string, end: number): void {
  for (let at = text.indexOf('\r'); at >= 0 && at < end; at = text.indexOf('\r', at + 1)) {
    if (text.charCodeAt(at + 1) !== LINE_FEED) throw new SipParseError('CR without LF', at);
  }
}

const LINE_FEED = 10;

const GOING_DOWN: Reply = {
  action: 'reply',
  code: 503,
  phrase: 'Going down',
  headers: ['Retry-After: 5'],
};

/** New calls may take this share of the transactions that there may be. */
const NEW_CALLS_SHARE = 0.9;

const COOKIE = 'z9hG4bK';

/** What a request and its copies have in common, ACK and CANCEL included. RFC 3261 §17.2.3. */
function makeKey(message: SipMessage, { text }: TopVia): string {
  const { branch, method } = message;
  const kind = method === 'ACK' || method === 'CANCEL' ? 'INVITE' : method;
  if (branch.startsWith(COOKIE)) return formatKey(branch, kind, text);
  return `${message.callId} ${message.cseq} ${message.fromTag} ${kind} ${text}`;
}

const formatKey = (branch: string, kind: string, via: string): string => `${branch} ${kind} ${sentBy(via)}`;
