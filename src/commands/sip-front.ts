import type { Tenant } from '../calls/tenant.ts';
import type { Logger } from '../log.ts';
import type { EmbeddedOptions } from '../proxy/embedded/embedded-engine.ts';
import type { TlsOptions } from '../proxy/embedded/transport-layer.ts';
import type { KnownPeers } from '../proxy/peers.ts';
import type { Address, Observation } from '../sip/observation.ts';
import { MirrorReport } from './mirror-report.ts';
import { ObserverThread } from './observer-thread.ts';
import type { FromEngine, ThreadStart } from './sip-messages.ts';
import type { SipState } from './sip-state.ts';

/** What the SIP engine tells. */
export interface FrontEvents {
  readonly onObservation: (observation: Observation) => void;
  readonly onUpstream: (places: readonly Address[]) => void;
}

/** Our side of the SIP engine, which runs in a thread of its own: what it is started with, and what it tells besides what it observes. */
export class SipFront {
  readonly #start: Omit<ThreadStart, 'tenants'>;
  readonly #state: SipState;
  readonly #events: FrontEvents;
  readonly #thread: ObserverThread;
  #tenants: readonly Tenant[];
  #peers: KnownPeers;
  #certificates: TlsOptions['server'];
  readonly #mirror: MirrorReport | undefined;

  constructor(start: ThreadStart, state: SipState, events: FrontEvents, log: Logger) {
    this.#start = start;
    this.#tenants = start.tenants;
    this.#peers = start.options;
    this.#certificates = start.options.tls.server;
    this.#state = state;
    this.#events = events;
    this.#thread = new ObserverThread(
      {
        name: 'sip',
        title: 'the SIP engine',
        makeStart: () => this.#makeStart(),
        onObservation: events.onObservation,
        onEngine: (message) => this.#take(message),
      },
      log,
    );
    this.#mirror = start.drachtio && new MirrorReport(start.drachtio, log);
  }

  /** Epoch ms up to which all that was observed has been taken in. */
  get observedUntil(): number {
    return this.#thread.observedUntil;
  }

  /** Input that was of no use since the start, by reason. */
  get drops(): ReadonlyMap<string, number> {
    return this.#thread.drops;
  }

  /** Starts the engine; returns the addresses it listens on. @throws ListenError, Error where it fails in another way */
  start(): Promise<readonly string[]> {
    return this.#thread.start();
  }

  /** Takes note of what came as HEP; false for what is none of anybody's calls. */
  admit(observation: Observation): boolean {
    return this.#mirror?.admit(observation) ?? true;
  }

  /** Takes over a new numbering plan, and who is a trunk or a server of ours. */
  usePlan(tenants: readonly Tenant[], peers: KnownPeers): void {
    this.#tenants = tenants;
    this.#peers = peers;
    this.#thread.tell({ kind: 'plan', tenants, peers });
  }

  /** Takes over new certificates. */
  useCertificates(server: { readonly cert: string; readonly key: string }): void {
    this.#certificates = server;
    this.#thread.tell({ kind: 'certificates', server });
  }

  /** Refuses new calls, waits up to so many ms for those being set up, and stops. */
  async stop(drainMs: number): Promise<void> {
    this.#mirror?.close();
    await this.#thread.stop({ kind: 'stop', drainMs });
  }

  /** With all registrations: calls must go on where the thread begins anew. */
  #makeStart(): ThreadStart {
    const { trunks, trusted } = this.#peers;
    const bindings = this.#state.load(Date.now());
    const tls = { ...this.#start.options.tls, server: this.#certificates };
    const options: EmbeddedOptions = { ...this.#start.options, trunks, trusted, bindings, tls };
    return { ...this.#start, options, tenants: this.#tenants };
  }

  #take(message: FromEngine): void {
    switch (message.kind) {
      case 'routed':
        return this.#mirror?.expect(message.server, message.callId);
      case 'upstream':
        return this.#events.onUpstream(message.places);
      case 'bindings':
        return this.#state.save(message.account, message.bindings);
    }
  }
}
