import type { Logger } from '../log.ts';
import { MirrorWatch } from '../proxy/drachtio/mirror-watch.ts';
import type { Observation } from '../sip/observation.ts';
import type { DrachtioStart } from './sip-messages.ts';

const CHECK_MS = 1000;

/** Says which drachtio servers mirror nothing to us, and what to do about it. */
export class MirrorReport {
  readonly #watch: MirrorWatch;
  readonly #line: string;
  readonly #log: Logger;
  readonly #checking: NodeJS.Timeout;

  constructor({ places, captureLine }: DrachtioStart, log: Logger) {
    this.#watch = new MirrorWatch(places.proof);
    this.#line = captureLine;
    this.#log = log;
    this.#checking = setInterval(() => this.#check(), CHECK_MS).unref();
  }

  expect(server: string, callId: string): void {
    this.#watch.expect(server, callId, Date.now());
  }

  admit(observation: Observation): boolean {
    return this.#watch.admit(observation);
  }

  close(): void {
    clearInterval(this.#checking);
  }

  #check(): void {
    for (const { server, isSeen } of this.#watch.check(Date.now())) {
      if (isSeen) this.#log.info({ server }, 'the drachtio server mirrors its calls now');
      else {
        this.#log.error(
          { server, line: this.#line },
          'the drachtio server mirrors nothing to us: calls go on, but nothing is told of them. The line goes into <sip> of its drachtio.conf.xml',
        );
      }
    }
  }
}
