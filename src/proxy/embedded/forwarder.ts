import { SipMessage } from '../../sip/message.ts';
import { MessageEdit } from '../../sip/message-edit.ts';
import { SipParseError } from '../../sip/parse-error.ts';
import { decodeToken } from '../../sip/text.ts';
import type { Hop, PeerKind } from '../peers.ts';
import type { Tokens } from '../token.ts';
import type { Final } from './best-response.ts';
import type { Branches } from './branches.ts';
import { ClientTransaction } from './client-transaction.ts';
import type { Branch, ContextHost, ResponseContext } from './context.ts';
import { formatHostPort, type Link } from './link.ts';
import type { Marker } from './marker.ts';
import { prepareCopy, type Preparation } from './preparation.ts';
import { beginsDialog, callerFlow, makeRecordRoutes, targetFlow } from './record-route.ts';
import { makeFollowUp, makeReply, phraseOf } from './replies.ts';
import type { Resolver } from './resolver.ts';
import type { Timers } from './timers.ts';
import type { TransportLayer } from './transport-layer.ts';
import { findTopVia } from './via-fix.ts';

/** Cause of a branch whose target refuses or can't be reached: destination out of order. ITU-T Q.850 §2.2.7. */
export const OUT_OF_ORDER = 'Q.850;cause=27;text="Destination out of order"';

/** What the forwarder is made of. */
export interface ForwarderParts {
  readonly transports: TransportLayer;
  readonly resolver: Resolver;
  readonly tokens: Tokens;
  readonly branches: Branches;
  readonly timers: Timers;
  readonly marker: Marker;
  readonly ringMs: number;
  readonly peerKind: (link: Link) => PeerKind;
  /** Tells what is sent. */
  readonly onSend: (link: Link, bytes: Buffer) => void;
}

/** Sends copies of requests to targets, and hands what comes back to their contexts. */
export class Forwarder implements ContextHost {
  readonly ringMs: number;
  readonly #parts: ForwarderParts;
  readonly #clients = new Map<string, { readonly transaction: ClientTransaction; readonly branch: Branch }>();

  constructor(parts: ForwarderParts) {
    this.#parts = parts;
    this.ringMs = parts.ringMs;
  }

  /** Transactions that are not over. */
  get size(): number {
    return this.#clients.size;
  }

  /** Takes in a response to a request that was sent; false if there is none such. */
  receive(response: SipMessage): boolean {
    const isCancel = response.method === 'CANCEL';
    const known = this.#clients.get(isCancel ? `${response.branch} CANCEL` : response.branch);
    if (!known) return false;
    if (isCancel) known.transaction.receive(response.statusCode);
    else if (known.transaction.method === response.method) known.branch.context.receive(known.branch, response);
    return true;
  }

  /** A peer can't be reached: what waits for it need not wait. */
  failLink(link: Link): void {
    for (const { transaction, branch } of [...this.#clients.values()]) {
      if (transaction.link !== link || !transaction.isPending) continue;
      if (transaction.method === 'CANCEL') transaction.abandon();
      else if (transaction.state === 'calling' || !link.isOpen) branch.context.fail(branch, UNREACHABLE);
    }
  }

  open(branch: Branch): void {
    const { target } = branch;
    const { to } = target;
    if (typeof to !== 'string') {
      const link =
        'transport' in to ? this.#parts.transports.follow(to, target.uri) : this.#parts.transports.connect(to[0]!);
      return this.#send(branch, link);
    }
    this.#parts.resolver.resolve(to, (hops) => {
      if (branch.context.isOver(branch)) return;
      branch.alternates = hops.slice(1);
      this.#send(branch, hops[0] && this.#parts.transports.connect(hops[0]));
    });
  }

  /** Sends a request that nobody answers: an ACK of a 2xx. */
  sendAck(message: SipMessage, preparation: Preparation, from: Link, uri: string, to: Branch['target']['to']): void {
    const send = (hop: Link | undefined): void => {
      if (!hop) return;
      const bytes = this.#copy(SipMessage.parse(request), preparation, from, hop, uri, undefined);
      this.#parts.onSend(hop, bytes);
      hop.send(bytes);
    };
    const request = Buffer.from(message.bytes);
    if (typeof to === 'string')
      this.#parts.resolver.resolve(to, ([hop]) => send(hop && this.#parts.transports.connect(hop)));
    else
      send(
        'transport' in to ? this.#parts.transports.follow(to, uri) : this.#parts.transports.connect((to as Hop[])[0]!),
      );
  }

  cancel(branch: Branch): void {
    const { request, link, key } = branch.transaction!;
    const invite = SipMessage.parse(request);
    const bytes = makeFollowUp(invite, 'CANCEL', invite.raw('To'), branch.cancelLines ?? '');
    const transaction = new ClientTransaction(`${key} CANCEL`, 'CANCEL', link, bytes, this.#parts.timers, this);
    this.#clients.set(transaction.key, { transaction, branch });
    transaction.start();
  }

  acknowledge(branch: Branch, response: SipMessage): void {
    const transaction = branch.transaction!;
    const ack = makeFollowUp(SipMessage.parse(transaction.request), 'ACK', response.raw('To'), '');
    transaction.acknowledge(ack);
  }

  strip(response: SipMessage, { relay }: ResponseContext): Buffer {
    const edit = new MessageEdit(response).removeFirstValue(findTopVia(response)!.index);
    if (response.statusCode >= 200) relay.editResponse?.(edit, response);
    return edit.toBuffer();
  }

  /** A response that no transaction is left for, without our Via. */
  stripStray(response: SipMessage): Buffer {
    return new MessageEdit(response).removeFirstValue(findTopVia(response)!.index).toBuffer();
  }

  makeResponse({ server, preparation }: ResponseContext, { code, reason }: Final): Buffer {
    const lines = reason === '' ? '' : `Reason: ${reason}\r\n`;
    return makeReply(SipMessage.parse(server.request), preparation.source, code, phraseOf(code), lines);
  }

  /** The challenges of all branches go back together. RFC 3261 §16.7 step 7. */
  mergeChallenges(best: Buffer, others: readonly Buffer[]): Buffer {
    const lines = others.flatMap((bytes) => {
      const response = SipMessage.parse(bytes);
      return (['WWW-Authenticate', 'Proxy-Authenticate'] as const).flatMap((name) =>
        response.indexes(name).map((index) => {
          const { start, end } = response.fields.place(index);
          return `${name}: ${response.latin1.slice(start, end)}\r\n`;
        }),
      );
    });
    return new MessageEdit(SipMessage.parse(best)).append(lines.join('')).toBuffer();
  }

  onSend({ link, request }: ClientTransaction, isCopy: boolean): void {
    this.#parts.onSend(link, request);
    if (isCopy) link.resend(request);
    else link.send(request);
  }

  onTimeout(transaction: ClientTransaction): void {
    const known = this.#clients.get(transaction.key);
    if (transaction.method === 'CANCEL') transaction.abandon();
    else known?.branch.context.timeOut(known.branch);
  }

  onEnd({ key }: ClientTransaction): void {
    this.#clients.delete(key);
  }

  #send(branch: Branch, link: Link | undefined): void {
    const { context, target } = branch;
    if (!link) return context.fail(branch, UNREACHABLE);
    try {
      const message = SipMessage.parse(context.server.request);
      const bytes = this.#copy(message, context.preparation, context.server.link, link, target.uri ?? '', branch);
      const key = findBranch(bytes);
      const transaction = new ClientTransaction(key, message.method, link, bytes, this.#parts.timers, this);
      branch.transaction = transaction;
      this.#clients.set(key, { transaction, branch });
      transaction.start();
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      context.fail(branch, { code: 400, response: undefined, reason: '' });
    }
  }

  #copy(
    message: SipMessage,
    preparation: Preparation,
    from: Link,
    link: Link,
    uri: string,
    branch: Branch | undefined,
  ): Buffer {
    const { branches, tokens, marker, peerKind } = this.#parts;
    const loopHash = preparation.loopHash;
    const via = `Via: SIP/2.0/${link.transport.toUpperCase()} ${formatHostPort(link.local)};branch=${branches.next(loopHash)};rport\r\n`;
    const target = uri || preparation.strictTarget;
    let lines = via;
    if (branch && beginsDialog(message)) {
      const caller = { link: from, flow: callerFlow(message, from, peerKind(from)) };
      const called = { link, flow: targetFlow(target || message.target, branch.target.to, link) };
      lines += makeRecordRoutes(tokens, message.callId, caller, called);
    }
    const edit = prepareCopy(message, findTopVia(message)!, preparation, { target, lines });
    if (branch && message.method === 'INVITE')
      marker.apply(edit, message, peerKind(from), branch.context.relay.isTrusted);
    branch?.context.relay.edit?.(edit, message);
    return edit.toBuffer();
  }
}

const UNREACHABLE: Final = { code: 503, response: undefined, reason: OUT_OF_ORDER };

const BRANCH = ';branch=';

/** The branch of the Via that we put on top. */
function findBranch(bytes: Buffer): string {
  const start = bytes.indexOf(BRANCH) + BRANCH.length;
  return decodeToken(bytes, start, bytes.indexOf(';', start));
}
