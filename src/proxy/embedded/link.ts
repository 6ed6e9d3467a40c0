import type { Address, Transport } from '../../sip/observation.ts';
import type { Flow } from '../token.ts';

/** A way to one peer: a UDP socket with its address, or a connection. */
export interface Link {
  readonly transport: Transport;
  readonly remote: Address;
  /** Our address as the peer sees it, for Via and Record-Route. */
  readonly local: Address;
  /** What it is found by again. */
  readonly flow: Flow;
  /** Retransmissions are the transport's business. */
  readonly isReliable: boolean;
  readonly isOpen: boolean;
  /** We opened it, and can open it again. */
  readonly isRenewable: boolean;
  /** Sends one message; a failure is told to `LinkEvents.onUnreachable` later. */
  send(bytes: Buffer): void;
  /** Sends a message again that was not answered: now a refusal by the peer's machine is told, too. */
  resend(bytes: Buffer): void;
}

/** What transports tell. */
export interface LinkEvents {
  /** A datagram, or a message cut from a stream. */
  onMessage(bytes: Buffer, link: Link): void;
  /** The peer refuses, or can't be reached at all. */
  onUnreachable(link: Link, reason: string): void;
  /** Input that is no message, by reason. */
  onDrop(reason: string): void;
}

export const linkKey = (transport: Transport, { ip, port }: Address): string => `${transport} ${ip} ${port}`;

/** The port of a URI or Via that names none. RFC 3261 §19.1.2. */
export const defaultPort = (transport: string): number => (/^(tls|wss)$/i.test(transport) ? 5061 : 5060);
