import { MAX_FIELDS } from '../../sip/field-table.ts';
import type { SipMessage } from '../../sip/message.ts';
import { parseNameAddr } from '../../sip/name-addr.ts';
import { parseUri, type SipUri } from '../../sip/uri.ts';
import type { Accounts } from '../accounts.ts';
import { type Inbound, reply, type Reply } from '../decision.ts';
import type { PeerKind, Peers } from '../peers.ts';
import { parseFlow, type Tokens } from '../token.ts';
import { type Branches, hashRouting } from './branches.ts';
import type { Link } from './link.ts';
import type { Preparation } from './preparation.ts';
import type { Self } from './self.ts';
import { stampVia, type TopVia } from './via-fix.ts';

/** A request that may be routed. */
export interface Accepted {
  readonly inbound: Inbound;
  readonly preparation: Preparation;
}

interface Routes {
  readonly own: number;
  readonly token: string | undefined;
  readonly next: string;
}

/** Looks over a request and takes off the routes that named us, before anything is decided. RFC 3261 §16.3, §16.4. */
export class Intake {
  readonly #self: Self;
  readonly #peers: Peers;
  readonly #tokens: Tokens;
  readonly #branches: Branches;
  readonly #accounts: () => Accounts;

  constructor(self: Self, peers: Peers, tokens: Tokens, branches: Branches, accounts: () => Accounts) {
    this.#self = self;
    this.#peers = peers;
    this.#tokens = tokens;
    this.#branches = branches;
    this.#accounts = accounts;
  }

  /** The request, or why it is refused. @throws SipParseError */
  accept(message: SipMessage, via: TopVia, link: Pick<Link, 'remote' | 'flow'>, now: number): Accepted | Reply {
    const values = message.all('Route');
    const loopHash = hashRouting(message, values);
    const refusal = this.#refuse(message, loopHash);
    if (refusal) return refusal;
    const strictTarget = this.#findStrictTarget(message, values);
    const peer = this.#peers.kind(link.remote);
    const routes = this.#readRoutes(strictTarget === '' ? values : values.slice(0, -1), message, peer);
    const target = strictTarget || message.target;
    const uri = parseUri(target);
    const isOurAddress = this.#self.isAddress(uri);
    const sealed = routes.token ?? '';
    const stampedVia = stampVia(via.text, link.remote);
    return {
      preparation: { source: link.remote, via, stampedVia, ownRoutes: routes.own, strictTarget, loopHash },
      inbound: {
        message,
        flow: link.flow,
        peer,
        target,
        uri,
        isOurs: isOurAddress || this.#accounts().isDomain(uri.host),
        isOurAddress,
        isRouted: routes.token !== undefined,
        routeFlow: parseFlow(sealed),
        nextRoute: routes.next,
        now,
      },
    };
  }

  #refuse(message: SipMessage, loopHash: string): Reply | undefined {
    const { callId, cseq } = message;
    if (message.fields.length > MAX_FIELDS - ADDED_FIELDS) return reply(400, 'Too many header fields');
    if (message.indexes('Content-Length').length > 1) return reply(400, 'Content-Length twice');
    if (callId === '' || cseq < 0 || message.raw('From') === '' || message.raw('To') === '') {
      return reply(400, 'Call-ID, CSeq, From or To missing');
    }
    if (!/^(sips?|tel):/i.test(message.target)) return reply(416, 'Unsupported URI Scheme');
    const hops = message.raw('Max-Forwards');
    if (hops !== '' && !/^\d{1,9}$/.test(hops)) return reply(400, 'Max-Forwards is no number');
    if (hops !== '' && Number(hops) === 0) return reply(483, 'Too Many Hops');
    const required = message.raw('Proxy-Require');
    if (required !== '') return reply(420, 'Bad Extension', [`Unsupported: ${required}`]);
    return this.#branches.isLoop(message, loopHash) ? reply(482, 'Loop Detected') : undefined;
  }

  /** A strict router put our Record-Route into the Request-URI, and the Request-URI behind the routes. RFC 3261 §16.4. */
  #findStrictTarget(message: SipMessage, routes: readonly string[]): string {
    if (routes.length === 0 || !/;lr\b/i.test(message.target)) return '';
    if (!this.#self.isAddress(parseUri(message.target))) return '';
    return parseNameAddr(routes.at(-1)!).uri;
  }

  /** Our own routes stand on top, two of them where the transport changes; what the last one says counts. */
  #readRoutes(values: readonly string[], message: SipMessage, peer: PeerKind): Routes {
    let own = 0;
    let token: string | undefined;
    let next = '';
    for (const value of values) {
      const { uri } = parseNameAddr(value);
      const route = parseUri(uri);
      if (!this.#self.isAddress(route) && !this.#accounts().isDomain(route.host)) {
        next = uri;
        break;
      }
      own++;
      token = this.#open(route, message, peer);
    }
    if (own === 0) token = this.#openTarget(message, peer);
    return { own, token, next };
  }

  /** A route that was recorded is for requests within its dialog; a Path is for those whom it was given to. */
  #open({ user }: SipUri, message: SipMessage, peer: PeerKind): string | undefined {
    const recorded = message.toTag === '' ? undefined : this.#tokens.open(`call ${message.callId}`, user);
    const isOurs = peer === 'upstream' || peer === 'trusted';
    return recorded ?? (isOurs ? this.#tokens.open('path', user) : undefined);
  }

  /** Behind a strict router our route stands in the Request-URI. */
  #openTarget(message: SipMessage, peer: PeerKind): string | undefined {
    if (!/;lr\b/i.test(message.target)) return undefined;
    const uri = parseUri(message.target);
    return this.#self.isAddress(uri) ? this.#open(uri, message, peer) : undefined;
  }
}

/** Fields that we add ourselves must fit, too. */
const ADDED_FIELDS = 10;
