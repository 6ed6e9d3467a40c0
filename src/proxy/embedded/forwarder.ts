import { SipMessage } from '../../sip/message.ts';
import { MessageEdit } from '../../sip/message-edit.ts';
import { SipParseError } from '../../sip/parse-error.ts';
import { removeReferMarker } from '../../sip/refer-marker.ts';
import { formatHostPort } from '../../sip/uri.ts';
import { parseVia } from '../../sip/via.ts';
import type { Relay, Target } from '../decision.ts';
import type { PeerKind } from '../peers.ts';
import { formatFlow, type Tokens } from '../token.ts';
import type { Final } from './best-response.ts';
import type { Branches } from './branches.ts';
import { ClientTransaction } from './client-transaction.ts';
import type { Branch, ContextHost, ResponseContext } from './context.ts';
import type { Link } from './link.ts';
import type { Marker } from './marker.ts';
import { prepareCopy, type Preparation } from './preparation.ts';
import { beginsDialog, callerFlow, makeRecordRoutes, type OwnerOf, targetFlow } from './record-route.ts';
import { isTold } from './told.ts';
import { copyLines, makeFollowUp, makeReply, makeVias, phraseOf } from './replies.ts';
import type { Resolver } from './resolver.ts';
import type { Timers } from './timers.ts';
import type { TransportLayer } from './transport-layer.ts';
import { findTopVia, isLastVia, responseFlow } from './via-fix.ts';

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
  readonly ownerOf: OwnerOf;
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

  /**
   * A peer can't be reached: what waits for it need not wait. Where a connection of ours closed while it rang, the answer
   * comes over another. RFC 3261 §18.2.2.
   */
  failLink(link: Link): void {
    for (const { transaction, branch } of [...this.#clients.values()]) {
      if (transaction.link !== link || !transaction.isPending) continue;
      if (transaction.method === 'CANCEL') transaction.abandon();
      else if (transaction.state !== 'calling' && (link.isOpen || link.isRenewable)) continue;
      branch.context.fail(branch, UNREACHABLE);
    }
  }

  open(branch: Branch, request?: SipMessage): void {
    const hops = this.#findHops(branch.target);
    if (hops) return this.#send(branch, hops.link, request);
    this.#parts.resolver.resolve(branch.target.to as string, (found) => {
      if (branch.context.isOver(branch)) return;
      branch.alternates = found.slice(1);
      this.#send(branch, found[0] && this.#parts.transports.connect(found[0]), undefined);
    });
  }

  /** Sends a request that nobody answers: an ACK of a 2xx. `bytes` are those of the message. */
  sendAck(message: SipMessage, bytes: Buffer, preparation: Preparation, from: Link, target: Target): void {
    const send = (ack: SipMessage, link: Link | undefined): void => {
      if (!link) return;
      const copy = this.#copy(ack, preparation, from, link, target.uri ?? '', undefined);
      link.send(copy.bytes);
    };
    const hops = this.#findHops(target);
    if (hops) return send(message, hops.link);
    this.#parts.resolver.resolve(target.to as string, ([hop]) => {
      send(SipMessage.parse(bytes), hop && this.#parts.transports.connect(hop));
    });
  }

  /** The way to a target; undefined if a name has to be resolved for that. */
  #findHops({ to, uri, parsed }: Target): { readonly link: Link | undefined } | undefined {
    const { transports, resolver } = this.#parts;
    if (typeof to !== 'string')
      return { link: 'transport' in to ? transports.follow(to, uri) : transports.connect(to[0]!) };
    const hops = resolver.findNow(to, parsed);
    return hops && { link: hops[0] && transports.connect(hops[0]) };
  }

  cancel(branch: Branch): void {
    const { request, key } = branch.transaction!;
    const link = this.#renew(branch.transaction!);
    const invite = SipMessage.parse(request);
    const bytes = makeFollowUp(invite, 'CANCEL', invite.raw('To'), branch.cancelLines ?? '');
    const transaction = new ClientTransaction(`${key} CANCEL`, 'CANCEL', link, bytes, this.#parts.timers, this);
    this.#clients.set(transaction.key, { transaction, branch });
    transaction.start();
  }

  acknowledge(branch: Branch, response: SipMessage): void {
    const transaction = branch.transaction!;
    const ack = makeFollowUp(SipMessage.parse(transaction.request), 'ACK', response.raw('To'), '');
    this.#renew(transaction);
    transaction.acknowledge(ack);
  }

  /** The way of a transaction, opened again if it was closed. */
  #renew(transaction: ClientTransaction): Link {
    const { transport, remote, isOpen, isRenewable } = transaction.link;
    if (!isOpen && isRenewable)
      transaction.link = this.#parts.transports.connect({ transport, ...remote }) ?? transaction.link;
    return transaction.link;
  }

  strip(response: SipMessage, { relay, server, preparation }: ResponseContext): Buffer {
    const edit = new MessageEdit(response).removeFirstValue(findTopVia(response)!.index);
    if (isLastVia(response) && server.request.length > 0)
      edit.prepend(makeVias(SipMessage.parse(server.request), preparation.source));
    if (server.link.isReliable) tellLength(edit, response);
    if (response.statusCode >= 200) applyEdit(relay.editResponse, edit, response);
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
    const lines = others.map((bytes) => {
      const response = SipMessage.parse(bytes);
      return copyLines(response, 'WWW-Authenticate') + copyLines(response, 'Proxy-Authenticate');
    });
    return new MessageEdit(SipMessage.parse(best)).append(lines.join('')).toBuffer();
  }

  onSend({ link, method, request }: ClientTransaction, isCopy: boolean): void {
    if (isTold(method)) this.#parts.onSend(link, request);
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

  #send(branch: Branch, link: Link | undefined, request: SipMessage | undefined): void {
    const { context } = branch;
    if (!link) return context.fail(branch, UNREACHABLE);
    try {
      const message = request ?? SipMessage.parse(context.server.request);
      const from = context.server.link;
      const { bytes, key } = this.#copy(message, context.preparation, from, link, branch.target.uri ?? '', branch);
      const transaction = new ClientTransaction(key, message.method, link, bytes, this.#parts.timers, this);
      branch.transaction = transaction;
      this.#clients.set(key, { transaction, branch });
      transaction.start();
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error;
      context.fail(branch, { code: 400, response: undefined, reason: '' });
    }
  }

  /** A copy of a request for a target, and the branch of its Via. */
  #copy(
    message: SipMessage,
    preparation: Preparation,
    from: Link,
    link: Link,
    uri: string,
    branch: Branch | undefined,
  ): { readonly bytes: Buffer; readonly key: string } {
    const { branches, marker, peerKind } = this.#parts;
    const { loopHash, stampedVia } = preparation;
    const key = branches.next(loopHash, branch ? formatFlow(responseFlow(parseVia(stampedVia))) : '');
    const target = withoutMarker(uri || preparation.strictTarget, message);
    const via = `Via: SIP/2.0/${link.transport.toUpperCase()} ${formatHostPort(link.local)};branch=${key};rport\r\n`;
    const recordRoutes =
      branch && beginsDialog(message) ? this.#recordRoutes(message, from, link, target, branch.target) : '';
    const edit = prepareCopy(message, preparation, { target, via, recordRoutes, routes: branch?.target.routes ?? [] });
    if (branch && message.method === 'INVITE')
      marker.apply(edit, message, peerKind(from), branch.context.relay.isTrusted);
    if (branch && message.method === 'REFER') marker.applyToRefer(edit, message, branch.context.relay.isTrusted);
    branch?.context.relay.edit?.(edit, message);
    if (link.isReliable) tellLength(edit, message);
    return { bytes: edit.toBuffer(), key };
  }

  #recordRoutes(message: SipMessage, from: Link, link: Link, uri: string, { to }: Target): string {
    const { peerKind, ownerOf } = this.#parts;
    const caller = { link: from, flow: callerFlow(message, from, peerKind(from), ownerOf) };
    const called = { link, flow: targetFlow(uri || message.target, to, link) };
    return makeRecordRoutes(this.#parts.tokens, message.callId, caller, called);
  }
}

/** The new Request-URI, without the mark by which we know an INVITE again; empty where it stays as it is. */
function withoutMarker(target: string, message: SipMessage): string {
  if (message.method !== 'INVITE') return target;
  const current = target || message.target;
  const bare = removeReferMarker(current);
  return bare === current ? target : bare;
}

/** On a stream nothing else tells where a message ends. RFC 3261 §18.3. */
function tellLength(edit: MessageEdit, message: SipMessage): void {
  if (!message.has('Content-Length')) edit.append(`Content-Length: ${message.bodyEnd - message.bodyStart}\r\n`);
}

/** What can't be read of a response is no reason to keep it from whoever waits for it. */
function applyEdit(apply: Relay['editResponse'], edit: MessageEdit, response: SipMessage): void {
  try {
    apply?.(edit, response);
  } catch (error) {
    if (!(error instanceof SipParseError)) throw error;
  }
}

const UNREACHABLE: Final = { code: 503, response: undefined, reason: OUT_OF_ORDER };
