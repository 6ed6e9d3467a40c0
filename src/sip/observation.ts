/** What carried a SIP message between the two addresses. */
export type Transport = 'udp' | 'tcp' | 'tls' | 'sctp' | 'ws' | 'wss';

/** One end of a hop: an IP address as text (IPv6 without brackets) and a port. */
export interface Address {
  readonly ip: string;
  readonly port: number;
}

export const isSameAddress = (a: Address, b: Address): boolean => a.port === b.port && a.ip === b.ip;

/**
 * One SIP message seen at one time between two addresses.
 *
 * `observedAt` is in epoch milliseconds, with fractions. `bytes` is exactly one message and belongs to the source:
 * who wants to keep it after the call that handed it over makes a copy.
 */
export interface Observation {
  readonly observedAt: number;
  readonly source: Address;
  readonly destination: Address;
  readonly transport: Transport;
  readonly bytes: Uint8Array;
  /** Ties messages of one call together where the capture agent knows better (HEP chunk 17). */
  readonly correlationId?: string;
}

/** Takes one observation; its bytes are valid until it returns. */
export type ObservationSink = (observation: Observation) => void;
