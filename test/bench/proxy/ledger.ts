// Whether a script was told of every call what it should be, once and in order.

/** The body of a request to the script. */
export type Told = Readonly<Record<string, string>>;

const EXPECTED = {
  OUT: ['dial-out CALLING', 'answer-out ANSWER', 'hangup ANSWER'],
  IN: ['dial-in CALLING', 'answer-in ANSWER', 'hangup ANSWER'],
};

interface Call {
  readonly id: string;
  readonly OUT: string[];
  readonly IN: string[];
}

/** Takes the events of calls that are all answered, and keeps what is not complete yet. */
export class Ledger {
  events = 0;
  complete = 0;
  readonly faults: string[] = [];
  readonly #open = new Map<string, Call>();

  take(event: Told): void {
    this.events++;
    const { CallID: key, CallAPIID: id, CallFlow: flow, EventType: type, CallStatus: status } = event;
    const call = this.#open.get(key!) ?? { id: id!, OUT: [], IN: [] };
    const told = call[flow as keyof typeof EXPECTED];
    const expected = EXPECTED[flow as keyof typeof EXPECTED][told.length];
    told.push(`${type} ${status}`);
    if (told.at(-1) !== expected) this.faults.push(`${key} ${flow}: ${told.join(', ')}`);
    if (id !== call.id) this.faults.push(`${key}: CallAPIID ${id} and ${call.id}`);
    this.#keep(key!, call);
  }

  /** Calls whose parties have not all told everything. */
  get open(): number {
    return this.#open.size;
  }

  /** What is wrong once all calls are over. */
  faultsOf(calls: number): string[] {
    const missing = this.complete === calls ? [] : [`${this.complete} calls were told completely, of ${calls}`];
    const open = [...this.#open].map(([key, { OUT, IN }]) => `${key} is not complete: ${[...OUT, ...IN].join(', ')}`);
    return [...this.faults, ...missing, ...open];
  }

  #keep(key: string, call: Call): void {
    if (call.OUT.length < 3 || call.IN.length < 3) return void this.#open.set(key, call);
    this.#open.delete(key);
    this.complete++;
  }
}
