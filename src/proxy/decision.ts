import type { SipMessage } from '../sip/message.ts';
import type { MessageEdit } from '../sip/message-edit.ts';
import type { SipUri } from '../sip/uri.ts';
import type { Hop, PeerKind } from './peers.ts';
import type { Flow } from './token.ts';

/** A request that asks for a decision. */
export interface Inbound {
  /** Valid until the decision is made. */
  readonly message: SipMessage;
  /** How it came in. */
  readonly flow: Flow;
  readonly peer: PeerKind;
  /** The Request-URI, after the routes that name us are taken off, as text (one character a byte) and read. */
  readonly target: string;
  readonly uri: SipUri;
  /** The Request-URI names this server, or a domain that it serves. */
  readonly isOurs: boolean;
  /** The Request-URI names this server by address. */
  readonly isOurAddress: boolean;
  /** It came along a route that we recorded for its Call-ID, or gave to the PBX as Path; where that leads, if anywhere. */
  readonly isRouted: boolean;
  readonly routeFlow: Flow | undefined;
  /** URI of the first route that is left; empty if there is none. */
  readonly nextRoute: string;
  /** Epoch ms. */
  readonly now: number;
}

/** One place to send a request to: a way that is known, hops to try in order, or a URI to resolve. */
export interface Target {
  /** New Request-URI; else it stays. */
  readonly uri?: string;
  readonly to: Flow | readonly Hop[] | string;
  /** The URI in `to`, where it was read already. */
  readonly parsed?: SipUri;
  /** Values of Route to go before those that are there. */
  readonly routes?: readonly string[];
}

/** Notes changes to a message. */
export type Change = (edit: MessageEdit, message: SipMessage) => void;

/** Passes the request on. */
export interface Relay {
  readonly action: 'relay';
  /** Tried in order; the targets of a group all at once. */
  readonly groups: readonly (readonly Target[])[];
  /** The targets are ours: what we say of the call may be told. */
  readonly isTrusted: boolean;
  /** Further changes to the request. */
  readonly edit?: Change;
  /** Changes to its final responses. */
  readonly editResponse?: Change;
}

/** Answers the request itself. */
export interface Reply {
  readonly action: 'reply';
  readonly code: number;
  readonly phrase: string;
  /** Header lines to add, without line ends. */
  readonly headers?: readonly string[];
}

export type Decision = Relay | Reply;

export const reply = (code: number, phrase: string, headers: readonly string[] = []): Reply => ({
  action: 'reply',
  code,
  phrase,
  headers,
});

/** Decides what becomes of a request; both engines ask it. */
export interface Routing {
  decide(inbound: Inbound): Decision;
}

/** One target alone. */
export const relayTo = (target: Target, isTrusted: boolean): Relay => ({
  action: 'relay',
  groups: [[target]],
  isTrusted,
});
