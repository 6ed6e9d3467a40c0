import type { Call, StreamMessages } from '../../api/types.ts';

const MAX_CALLS = 20_000;

/** The live calls as the stream tells them, and for some seconds those that have just ended. Pure: time is an argument. */
export class CallList {
  readonly #calls = new Map<string, Call>();
  /** When calls ended, in order. */
  readonly #ended = new Map<string, number>();

  get calls(): readonly Call[] {
    return [...this.#calls.values()];
  }

  get size(): number {
    return this.#calls.size;
  }

  find(id: string): Call | undefined {
    return this.#calls.get(id);
  }

  start({ calls }: StreamMessages['start']): void {
    this.#calls.clear();
    this.#ended.clear();
    for (const call of calls.slice(0, MAX_CALLS)) this.#calls.set(call.id, call);
  }

  change({ changed, gone }: StreamMessages['calls'], at: number): void {
    for (const call of changed) {
      if (!this.#calls.has(call.id) && (call.state === 'over' || this.#calls.size >= MAX_CALLS)) continue;
      this.#calls.set(call.id, call);
      if (call.state === 'live') this.#ended.delete(call.id);
      else if (!this.#ended.has(call.id)) this.#ended.set(call.id, at);
    }
    for (const { id } of gone) this.#remove(id);
  }

  /** Forgets what ended at `before` or earlier; says whether anything did. */
  forget(before: number): boolean {
    const size = this.#calls.size;
    for (const [id, at] of this.#ended) {
      if (at > before) break;
      this.#remove(id);
    }
    return this.#calls.size < size;
  }

  #remove(id: string): void {
    this.#calls.delete(id);
    this.#ended.delete(id);
  }
}
