import { findComma, type MessageEdit } from '../sip/message-edit.ts';
import type { SipMessage } from '../sip/message.ts';
import { parseNameAddr } from '../sip/name-addr.ts';
import { formatAor, formatHostPort, parseUri, userNumber } from '../sip/uri.ts';
import { detach } from '../sip/text.ts';
import { type Binding, type Bindings, MAX_PER_ACCOUNT } from './bindings.ts';
import type { Contacts } from './contacts.ts';
import {
  type Change,
  type Decision,
  type Inbound,
  type Relay,
  relayTo,
  reply,
  type Routing,
  type Target,
} from './decision.ts';
import type { Hop, Peers } from './peers.ts';
import { answerOptions, followRoute } from './routing-common.ts';
import { formatFlow, type Flow, type Tokens, withAccount } from './token.ts';

/** What routing in front of a PBX needs to know of us. */
export interface EdgeOptions {
  /** `host:port` at which the PBX reaches us, and `;transport=…` where that is not UDP. */
  readonly ourAddress: (upstream: Hop) => { readonly hostPort: string; readonly transport: string };
  /** Whether a REGISTER gets a Path: where the phone says it knows it, or never. */
  readonly path: 'auto' | 'never';
}

/** Routing in front of a PBX: what comes from phones and trunks goes to it, what comes from it goes out. */
export class EdgeRouting implements Routing {
  readonly #peers: Peers;
  readonly #tokens: Tokens;
  readonly #contacts: Contacts;
  readonly #bindings: Bindings;
  readonly #options: EdgeOptions;

  constructor(peers: Peers, tokens: Tokens, contacts: Contacts, bindings: Bindings, options: EdgeOptions) {
    this.#peers = peers;
    this.#tokens = tokens;
    this.#contacts = contacts;
    this.#bindings = bindings;
    this.#options = options;
  }

  decide(inbound: Inbound): Decision {
    const fromPbx = inbound.peer === 'upstream' || inbound.peer === 'trusted';
    if (inbound.isRouted) return followRoute(inbound, this.#bindings, !fromPbx);
    const restored = this.#contacts.restore(inbound.target);
    if (restored) {
      const { uri, flow } = restored;
      return relayTo({ uri, to: this.#bindings.currentFlow(flow, uri, inbound.now) }, false);
    }
    const options = answerOptions(inbound);
    if (options) return options;
    return fromPbx ? this.#goOut(inbound) : this.#goIn(inbound);
  }

  /** From the PBX: to a trunk or whatever it names, and to a registered phone if it names us. */
  #goOut(inbound: Inbound): Decision {
    const { message, nextRoute, target, isOurAddress, uri, now } = inbound;
    if (nextRoute !== '') return relayTo({ to: nextRoute }, false);
    if (!isOurAddress) return relayTo({ to: target }, false);
    const bindings = this.#bindings.findUser(userNumber(uri), parseUri(message.to?.uri ?? '').host, now);
    if (bindings.length === 0) return message.method === 'ACK' ? reply(0, '') : reply(404, 'Not Found');
    return {
      action: 'relay',
      groups: [bindings.map(({ contact, flow }) => ({ uri: contact, to: flow }))],
      isTrusted: false,
    };
  }

  /** From a phone or a trunk: to the PBX. */
  #goIn(inbound: Inbound): Decision {
    const { upstream } = this.#peers;
    if (upstream.length === 0) return reply(503, 'PBX address unknown', ['Retry-After: 10']);
    const { message, target, isOurAddress } = inbound;
    const place = formatHostPort(upstream[0]!);
    const to: Target = isOurAddress ? { uri: replacePlace(target, place), to: upstream } : { to: upstream };
    const relay = relayTo(to, true);
    return message.method === 'REGISTER' ? this.#register(inbound, relay, upstream[0]!) : relay;
  }

  #register(inbound: Inbound, relay: Relay, pbx: Hop): Relay {
    const account = detach(formatAor(parseUri(inbound.message.to?.uri ?? '')));
    const flow = withAccount(inbound.flow, account);
    const edit = this.#leadBack(inbound.message, flow, pbx);
    return { ...relay, edit, editResponse: this.#learnFrom(inbound, account, flow) };
  }

  /** Sees to it that calls to the phone come back through us. RFC 3327 §5.1. */
  #leadBack(message: SipMessage, flow: Flow, pbx: Hop): Change {
    const { hostPort, transport } = this.#options.ourAddress(pbx);
    const knowsPath = this.#options.path === 'auto' && /(^|[,\s])path($|[,\s])/i.test(message.raw('Supported'));
    const path = knowsPath ? this.#tokens.seal('path', formatFlow(flow)) : '';
    return (change, request) => {
      if (knowsPath) change.prepend(`Path: <sip:${path}@${hostPort}${transport};lr>\r\n`);
      else this.#rewriteContacts(change, request, (uri) => this.#contacts.rewrite(uri, flow, hostPort) + transport);
    };
  }

  /** Gives the phone its own contacts back, and learns from the answer which of them are bound. */
  #learnFrom({ message, now }: Inbound, account: string, flow: Flow): Change {
    const own = new Set(message.all('Contact').map((value) => detach(parseNameAddr(value).uri)));
    return (change, response) => {
      this.#rewriteContacts(change, response, (uri) => this.#contacts.restore(uri)?.uri ?? uri);
      if (response.statusCode < 200 || response.statusCode >= 300) return;
      this.#learn(response, account, now, (contact) => (own.has(contact) ? flow : undefined));
    };
  }

  #rewriteContacts(change: MessageEdit, message: SipMessage, rewrite: (uri: string) => string): void {
    for (const index of message.indexes('Contact')) {
      const start = message.fields.startOf(index);
      const value = message.latin1.slice(start, message.fields.endOf(index));
      for (const { from, to, isBare } of findUris(value)) {
        const uri = value.slice(from, to);
        const changed = rewrite(uri);
        if (changed !== uri) change.replace(start + from, start + to, isBare ? `<${changed}>` : changed);
      }
    }
  }

  /** The 200 lists all contacts of the account; those that lead through us are phones of ours. */
  #learn(response: SipMessage, account: string, now: number, findOwn: (contact: string) => Flow | undefined): void {
    const known = this.#bindings.find(account, now);
    const fallback = Number(response.text('Expires') ?? 3600);
    const bindings = response.all('Contact').flatMap((value): Binding[] => {
      const { uri, parameters } = parseNameAddr(value);
      const seconds = Number(parameters.get('expires') ?? fallback);
      const restored = this.#contacts.restore(uri);
      const contact = detach(restored?.uri ?? uri);
      const flow = findOwn(contact) ?? restored?.flow ?? known.find((binding) => binding.contact === contact)?.flow;
      if (!flow || !(seconds > 0)) return [];
      const expiresAt = now + 1000 * seconds;
      return [{ account, contact, flow, path: [], q: 1, expiresAt, callId: '', cseq: 0, instance: '' }];
    });
    this.#bindings.replace(account, bindings.slice(-MAX_PER_ACCOUNT));
  }
}

const replacePlace = (uri: string, hostPort: string): string =>
  uri.replace(/^(sips?:(?:[^@]*@)?)(\[[^\]]*\]|[^:;?]*)(:\d+)?/i, `$1${hostPort}`);

/** Where the URIs of Contact values stand: in angle brackets, or up to the first parameter. */
function findUris(values: string): { from: number; to: number; isBare: boolean }[] {
  const uris: { from: number; to: number; isBare: boolean }[] = [];
  for (let start = 0; start < values.length;) {
    const comma = findComma(values, start, values.length);
    const end = comma < 0 ? values.length : comma;
    const uri = findUri(values.slice(start, end));
    if (uri) uris.push({ ...uri, from: start + uri.from, to: start + uri.to });
    start = end + 1;
  }
  return uris;
}

function findUri(value: string): { from: number; to: number; isBare: boolean } | undefined {
  const quoteEnd = /^\s*"(?:[^"\\]|\\.)*"/.exec(value)?.[0].length ?? 0;
  const open = value.indexOf('<', quoteEnd);
  const semicolon = value.indexOf(';');
  if (open >= 0 && (semicolon < 0 || open < semicolon || quoteEnd > 0)) {
    const close = value.indexOf('>', open);
    return close < 0 ? undefined : { from: open + 1, to: close, isBare: false };
  }
  const from = value.search(/\S/);
  if (from < 0 || value.trim() === '*') return undefined;
  const length = value.slice(from).search(/[;\s]/);
  return { from, to: length < 0 ? value.length : from + length, isBare: true };
}
