import { Worker } from 'node:worker_threads';
import type { Tenant } from '../calls/tenant.ts';
import type { Logger } from '../log.ts';
import type { EmbeddedOptions } from '../proxy/embedded/embedded-engine.ts';
import type { TlsOptions } from '../proxy/embedded/transport-layer.ts';
import type { KnownPeers } from '../proxy/peers.ts';
import { ListenError } from '../sip/listen-address.ts';
import type { Address, Observation } from '../sip/observation.ts';
import { MirrorReport } from './mirror-report.ts';
import { readBatch } from './observation-batch.ts';
import type { FromThread, ThreadStart, ToThread } from './sip-messages.ts';
import type { SipState } from './sip-state.ts';

const RESTART_MS = 500;
const REPORT_MS = 60_000;
const YOUNG_MB = 64;

/** What the SIP engine tells. */
export interface FrontEvents {
  readonly onObservation: (observation: Observation) => void;
  readonly onUpstream: (places: readonly Address[]) => void;
}

/** Our side of the SIP engine, which runs in a thread of its own: starts it, and takes in what it observes. */
export class SipFront {
  readonly #start: Omit<ThreadStart, 'tenants'>;
  readonly #state: SipState;
  readonly #events: FrontEvents;
  readonly #log: Logger;
  #tenants: readonly Tenant[];
  #peers: KnownPeers;
  #certificates: TlsOptions['server'];
  #worker: Worker | undefined;
  #isStopping = false;
  #until = 0;
  #drops: ReadonlyMap<string, number> = new Map();
  #reportedAt = 0;
  readonly #mirror: MirrorReport | undefined;

  constructor(start: ThreadStart, state: SipState, events: FrontEvents, log: Logger) {
    this.#start = start;
    this.#tenants = start.tenants;
    this.#peers = start.options;
    this.#certificates = start.options.tls.server;
    this.#state = state;
    this.#events = events;
    this.#log = log;
    this.#mirror = start.drachtio && new MirrorReport(start.drachtio, log);
  }

  /** Epoch ms up to which all that was observed has been taken in. */
  get observedUntil(): number {
    return this.#until;
  }

  /** Input that was of no use since the start, by reason. */
  get drops(): ReadonlyMap<string, number> {
    return this.#drops;
  }

  /** Starts the engine; returns the addresses it listens on. @throws ListenError, Error where it fails in another way */
  start(): Promise<readonly string[]> {
    this.#until = Date.now();
    return new Promise((done, fail) => {
      const { trunks, trusted } = this.#peers;
      const bindings = this.#state.load(Date.now());
      const tls = { ...this.#start.options.tls, server: this.#certificates };
      const options: EmbeddedOptions = { ...this.#start.options, trunks, trusted, bindings, tls };
      const workerData: ThreadStart = { ...this.#start, options, tenants: this.#tenants };
      const worker = new Worker(new URL('./sip-thread.ts', import.meta.url), {
        workerData,
        name: 'sip',
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      });
      this.#worker = worker;
      worker.on('message', (message: FromThread) => {
        if (message.kind === 'started') done(message.addresses);
        else if (message.kind === 'refused') fail(new ListenError(message.text));
        else this.#take(message);
      });
      worker.on('error', (error: Error) => {
        this.#log.error({ error: error.stack }, 'the SIP engine failed');
        fail(new Error(`the SIP engine failed before it listened: ${error.message}`, { cause: error }));
      });
      worker.on('exit', (code) => {
        fail(new Error(`the SIP engine ended before it listened, with code ${code}`));
        this.#onExit();
      });
    });
  }

  /** Takes note of what came as HEP; false for what is none of anybody's calls. */
  admit(observation: Observation): boolean {
    return this.#mirror?.admit(observation) ?? true;
  }

  /** Takes over a new numbering plan, and who is a trunk or a server of ours. */
  usePlan(tenants: readonly Tenant[], peers: KnownPeers): void {
    this.#tenants = tenants;
    this.#peers = peers;
    this.#tell({ kind: 'plan', tenants, peers });
  }

  /** Takes over new certificates. */
  useCertificates(server: { readonly cert: string; readonly key: string }): void {
    this.#certificates = server;
    this.#tell({ kind: 'certificates', server });
  }

  /** Refuses new calls, waits up to so many ms for those being set up, and stops. */
  async stop(drainMs: number): Promise<void> {
    this.#isStopping = true;
    this.#mirror?.close();
    const worker = this.#worker;
    if (!worker) return;
    const exited = new Promise((done) => worker.once('exit', done));
    this.#tell({ kind: 'stop', drainMs });
    await exited;
  }

  #tell(message: ToThread): void {
    this.#worker?.postMessage(message);
  }

  #take(message: FromThread): void {
    switch (message.kind) {
      case 'batch':
        readBatch(message.memory, message.length, this.#events.onObservation);
        this.#until = message.until;
        return this.#tell({ kind: 'done' });
      case 'routed':
        return this.#mirror?.expect(message.server, message.callId);
      case 'upstream':
        return this.#events.onUpstream(message.places);
      case 'bindings':
        return this.#state.save(message.account, message.bindings);
      case 'drops':
        return this.#report(message.drops);
      case 'log':
        return this.#log[message.level](message.about, message.text);
    }
  }

  #report(drops: ReadonlyMap<string, number>): void {
    this.#drops = drops;
    if (Date.now() - this.#reportedAt < REPORT_MS) return;
    this.#reportedAt = Date.now();
    this.#log.warn({ drops: Object.fromEntries(drops) }, 'SIP input was dropped');
  }

  /** Calls must go on: it begins anew, with all registrations. */
  #onExit(): void {
    this.#worker = undefined;
    this.#until = Infinity;
    if (this.#isStopping) return;
    setTimeout(() => {
      if (this.#isStopping) return;
      this.start().then(
        () => this.#log.warn('the SIP engine runs again'),
        (error: Error) => this.#log.error({ error: error.message }, 'the SIP engine does not start'),
      );
    }, RESTART_MS);
  }
}
