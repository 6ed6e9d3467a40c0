import type { AgentCall } from './agent-call.ts';

export const ELSEWHERE = ['Reason: SIP;cause=200;text="Call completed elsewhere"', 'Reason: Q.850;cause=26'];

/** What came of ringing: who answered, or the codes of all, or that the caller left or time was over. */
export type Outcome = { readonly answered: AgentCall } | { readonly refused: readonly number[] } | 'gone' | 'timeout';

/** A caller whom the PBX has others ring for. */
export class Attempt {
  caller: AgentCall;
  readonly legs: readonly AgentCall[];
  readonly outcome: Promise<Outcome>;
  readonly #settled = Promise.withResolvers<Outcome>();

  constructor(caller: AgentCall, legs: readonly AgentCall[]) {
    this.caller = caller;
    this.legs = legs;
    this.outcome = this.#settled.promise;
    for (const leg of legs) void this.#watch(leg);
    void Promise.all(legs.map(({ over }) => over)).then((refused) => this.#settled.resolve({ refused }));
    this.handOver(caller);
  }

  /** From now on they ring for somebody else. */
  handOver(caller: AgentCall): void {
    this.caller = caller;
    void caller.over.then(() => caller === this.caller && this.#settle('gone', ['Reason: Q.850;cause=127']));
  }

  /** Somebody answers who was not rung. */
  pickUp(by: AgentCall, reasons: readonly string[] = ELSEWHERE): void {
    by.answer();
    this.#settle({ answered: by }, reasons);
  }

  /** They have rung for long enough. */
  giveUp(): void {
    this.#settle('timeout', ['Reason: Q.850;cause=0']);
  }

  async #watch(leg: AgentCall): Promise<void> {
    void leg.rung.then(() => this.caller.ring());
    if (await leg.answered) this.#settle({ answered: leg }, ELSEWHERE);
  }

  /** Whoever still rings stops. */
  #settle(outcome: Outcome, reasons: readonly string[]): void {
    this.#settled.resolve(outcome);
    for (const leg of this.legs) leg.cancel(reasons);
  }
}
