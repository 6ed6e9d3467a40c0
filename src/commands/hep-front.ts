import type { Logger } from '../log.ts';
import { type ListenAddress, parseListenAddress } from '../sip/listen-address.ts';
import type { ObservationSink } from '../sip/observation.ts';
import type { HepStart } from './hep-messages.ts';
import { ObserverThread } from './observer-thread.ts';

/** Our side of the thread that reads HEP, so that no packet is lost while we are busy, and each does not wake us by itself. */
export class HepFront {
  readonly #thread: ObserverThread;
  #listen: readonly ListenAddress[];

  constructor(start: HepStart, onObservation: ObservationSink, log: Logger) {
    this.#listen = start.listen;
    this.#thread = new ObserverThread(
      {
        name: 'hep',
        title: 'the HEP listener',
        makeStart: (): HepStart => ({ ...start, listen: this.#listen }),
        onObservation,
        usualDrops: ['HEP packet without SIP'],
      },
      log,
    );
  }

  /** Epoch ms up to which all that arrived has been taken in. */
  get observedUntil(): number {
    return this.#thread.observedUntil;
  }

  /** Input that was of no use since the start, by reason. */
  get drops(): ReadonlyMap<string, number> {
    return this.#thread.drops;
  }

  /** Listens on all addresses; returns those it got, which it keeps. @throws ListenError */
  async start(): Promise<readonly string[]> {
    const addresses = await this.#thread.start();
    this.#listen = addresses.map((text) => parseListenAddress(text)!);
    return addresses;
  }

  /** Listens no more; what arrived before is taken in. */
  stop(): Promise<void> {
    return this.#thread.stop({ kind: 'stop' });
  }
}
