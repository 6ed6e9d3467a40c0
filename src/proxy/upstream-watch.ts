import type { EngineEvents } from './engine.ts';
import type { Hop, Peers } from './peers.ts';

const RESOLVE_MS = 30_000;
const RESOLVE_WAIT_MS = 3000;

/** Looks up where the PBX is, and again every half minute. */
export class UpstreamWatch {
  readonly #upstream: string;
  readonly #resolve: (uri: string, done: (hops: readonly Hop[]) => void) => void;
  readonly #peers: Peers;
  readonly #events: Pick<EngineEvents, 'onUpstream' | 'onLog'>;
  #interval: NodeJS.Timeout | undefined;

  /** `upstream`: its URI; empty for none. */
  constructor(
    upstream: string,
    resolve: (uri: string, done: (hops: readonly Hop[]) => void) => void,
    peers: Peers,
    events: Pick<EngineEvents, 'onUpstream' | 'onLog'>,
  ) {
    this.#upstream = upstream;
    this.#resolve = resolve;
    this.#peers = peers;
    this.#events = events;
  }

  /** Done when the address is known, or is not known for so long that calls can't wait. */
  async start(): Promise<void> {
    if (this.#upstream === '') return;
    this.#interval = setInterval(() => this.#lookUp(), RESOLVE_MS);
    await new Promise<void>((done) => {
      setTimeout(done, RESOLVE_WAIT_MS).unref();
      this.#lookUp(done);
    });
  }

  stop(): void {
    clearInterval(this.#interval);
  }

  #lookUp(done = (): void => {}): void {
    this.#resolve(this.#upstream, (hops) => {
      if (hops.length > 0) this.#use(hops);
      else this.#events.onLog('warn', 'the name of the PBX has no address', { upstream: this.#upstream });
      done();
    });
  }

  #use(hops: readonly Hop[]): void {
    const isSame = JSON.stringify(hops) === JSON.stringify(this.#peers.upstream);
    this.#peers.useUpstream(hops);
    if (!isSame) this.#events.onUpstream(hops.map(({ ip, port }) => ({ ip, port })));
  }
}
