import type { Tenant } from '../calls/tenant.ts';
import type { Binding } from '../proxy/bindings.ts';
import type { DrachtioPlaces } from '../proxy/drachtio/drachtio-engine.ts';
import type { EmbeddedOptions } from '../proxy/embedded/embedded-engine.ts';
import type { TlsOptions } from '../proxy/embedded/transport-layer.ts';
import type { KnownPeers } from '../proxy/peers.ts';
import type { Address } from '../sip/observation.ts';

/** What the thread of the SIP engine is started with. */
export interface ThreadStart {
  readonly options: EmbeddedOptions;
  readonly tenants: readonly Tenant[];
  readonly realm: string;
  readonly maxObservedBytes: number;
  /** Undefined: the embedded engine. */
  readonly drachtio: DrachtioStart | undefined;
}

/** What the engine is started with where drachtio servers hold the calls. */
export interface DrachtioStart {
  readonly places: DrachtioPlaces;
  /** The line of drachtio.conf.xml by which a server mirrors to us. */
  readonly captureLine: string;
}

/** What it is told; `done`: the oldest batch that waits has been read. */
export type ToThread =
  | { readonly kind: 'done' }
  | { readonly kind: 'plan'; readonly tenants: readonly Tenant[]; readonly peers: KnownPeers }
  | { readonly kind: 'certificates'; readonly server: NonNullable<TlsOptions['server']> }
  | { readonly kind: 'stop'; readonly drainMs: number };

/** What the engine tells. */
export type FromEngine =
  | { readonly kind: 'bindings'; readonly account: string; readonly bindings: readonly Binding[] }
  | { readonly kind: 'routed'; readonly server: string; readonly callId: string }
  | { readonly kind: 'upstream'; readonly places: readonly Address[] };
