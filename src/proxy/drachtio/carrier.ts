import { SipMessage } from '../../sip/message.ts';
import { MessageEdit } from '../../sip/message-edit.ts';
import { SipParseError } from '../../sip/parse-error.ts';
import type { Decision, Inbound, Relay, Reply } from '../decision.ts';
import type { EngineEvents } from '../engine.ts';
import { formatDestination } from './destination.ts';
import { copyHeaders, OWN_OF_REQUEST, OWN_OF_RESPONSE, readHeaderLines } from './header-copy.ts';
import { markInvite, planProxy } from './proxy-plan.ts';
import { makeCancel, sendCancel } from './ring-limit.ts';
import type { Site } from './site.ts';
import type { SrfApplication, SrfHeaders, SrfReply, SrfRequest, SrfResponse } from './srf.ts';

/** What it takes to carry a decision out. */
export interface CarrierParts {
  /** Name of the header that tells the PBX the CallAPIID; empty: none. */
  readonly marker: string;
  readonly makeId: (callId: string, fromTag: string) => string;
  /** How long a target may ring, 0: as long as the server lets it. */
  readonly ringMs: number;
  /** Stands in CANCELs of ours. */
  readonly proof: string;
  readonly log: EngineEvents['onLog'];
}

/** A request, and how to answer it. */
export interface Exchange {
  readonly srf: SrfApplication;
  readonly request: SrfRequest;
  readonly reply: SrfReply;
  readonly inbound: Inbound;
  readonly site: Site;
}

/** Has the server do what routing decided. */
export class Carrier {
  readonly #parts: CarrierParts;

  constructor(parts: CarrierParts) {
    this.#parts = parts;
  }

  carryOut(decision: Decision, exchange: Exchange): void {
    if (decision.action === 'reply') this.answer(decision, exchange.reply);
    else if (exchange.inbound.message.method === 'REGISTER') this.#register(decision, exchange);
    else this.#proxy(decision, exchange);
  }

  answer({ code, phrase, headers = [] }: Reply, reply: SrfReply): void {
    this.#send(reply, code, phrase, readHeaderLines(headers));
  }

  /** drachtio-srf throws at codes that it does not know. */
  #send(reply: SrfReply, code: number, phrase: string, headers: SrfHeaders): void {
    try {
      reply.send(code, phrase, { headers });
    } catch {
      reply.send(Math.floor(code / 100) * 100, phrase, { headers });
    }
  }

  #proxy(relay: Relay, exchange: Exchange): void {
    const { srf, request, reply, inbound } = exchange;
    const { message } = inbound;
    const { marker, makeId, log } = this.#parts;
    const mark = markInvite(message, relay.isTrusted, marker, () => makeId(message.callId, message.fromTag));
    const { destinations, options } = planProxy(relay, inbound, mark);
    if (destinations.length === 0) return this.answer(UNREACHABLE, reply);
    const stopRinging = this.#limitRinging(exchange);
    const about = { method: message.method, callId: message.callId, destinations };
    srf.proxyRequest(request, destinations, options, (error) => {
      stopRinging();
      if (error) log('warn', 'the drachtio server did not pass a request on', { ...about, reason: explain(error) });
    });
  }

  /** Returns what to do when it is over. */
  #limitRinging({ inbound: { message }, site }: Exchange): () => void {
    const { ringMs, proof } = this.#parts;
    const { udp } = site;
    if (ringMs === 0 || message.method !== 'INVITE' || !udp) return () => {};
    const cancel = makeCancel(message, proof);
    const timer = setTimeout(() => sendCancel(cancel, udp), ringMs);
    return () => clearTimeout(timer);
  }

  /**
   * A REGISTER gets a Path or other contacts, which the server can't do to what it passes on: it is sent as a request of its
   * own, with the same Call-ID, CSeq, From and To, and the answer is carried back.
   */
  #register({ groups, edit, editResponse }: Relay, { srf, request, reply, inbound }: Exchange): void {
    const { message, target } = inbound;
    const change = new MessageEdit(message);
    const first = groups[0]![0]!;
    if (first.uri !== undefined) change.setTarget(first.uri);
    edit?.(change, message);
    const changed = SipMessage.parse(change.toBuffer());
    const options = {
      method: message.method,
      headers: copyHeaders(changed, OWN_OF_REQUEST),
      proxy: formatDestination(first, target),
    };
    srf.request(request.socket, changed.target, options, (error, sent) => {
      if (error) return this.answer(failure(error), reply);
      sent.on('response', (response: SrfResponse) => this.#carryBack(response, reply, editResponse));
    });
  }

  #carryBack({ status, msg }: SrfResponse, reply: SrfReply, editResponse: Relay['editResponse']): void {
    if (status < 200) return;
    const response = SipMessage.parse(Buffer.from(msg.raw));
    const change = new MessageEdit(response);
    try {
      editResponse?.(change, response);
    } catch (error) {
      if (!(error instanceof SipParseError)) throw error; // what can't be read is no reason to keep the rest back
    }
    const changed = SipMessage.parse(change.toBuffer());
    this.#send(reply, status, changed.reasonPhrase, copyHeaders(changed, OWN_OF_RESPONSE));
  }
}

/** drachtio-srf passes on what the server says as text, and errors of its own. */
const explain = (error: unknown): string => (error instanceof Error ? error.message : `${error as string}`);

const UNREACHABLE: Reply = { action: 'reply', code: 503, phrase: 'Service Unavailable' };

const failure = (error: unknown): Reply => ({
  ...UNREACHABLE,
  headers: [`Reason: SIP;cause=503;text="${explain(error).replaceAll('"', "'")}"`],
});
