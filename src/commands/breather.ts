/** No longer than so: events are to reach scripts within milliseconds. */
const MAX_PAUSE_MS = 4;
/** So many packets are worth a pause; more than so many the kernel may not hold, nor does one wake-up read. */
const LEAST_PACKETS = 3;
const MOST_PACKETS = 24;
const READ_AT_ONCE = 32;
/** Time over which the rate is averaged. */
const MEMORY_MS = 100;

/** How long to wait for more packets, so that they come in one go: to be woken for each costs more than to read it. */
export class Breather {
  #rate = 0; // packets a ms
  #at: number;

  constructor(now: number) {
    this.#at = now;
  }

  /** After so many packets were read: ms to wait, 0 if not worth it. `now` in ms. */
  pause(packets: number, now: number): number {
    const passed = Math.max(now - this.#at, 0.001);
    this.#at = now;
    this.#rate += (packets / passed - this.#rate) * (1 - Math.exp(-passed / MEMORY_MS));
    if (packets >= READ_AT_ONCE || this.#rate * MAX_PAUSE_MS < LEAST_PACKETS) return 0;
    return Math.min(MAX_PAUSE_MS, MOST_PACKETS / this.#rate);
  }
}
