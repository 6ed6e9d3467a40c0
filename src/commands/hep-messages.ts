import type { ListenAddress } from '../sip/listen-address.ts';

/** What the thread that reads HEP is started with. */
export interface HepStart {
  readonly listen: readonly ListenAddress[];
  readonly maxObservedBytes: number;
  /** How far an agent's clock may be off. */
  readonly maxClockSkewMs: number;
}

/** What it is told; `done`: the oldest batch that waits has been read. */
export type ToHepThread = { readonly kind: 'done' } | { readonly kind: 'stop' };
