import type { StreamMessage, StreamMessages } from '../types.ts';

/** A message on its way to clients. */
export interface StreamEntry {
  readonly id: number;
  readonly message: StreamMessage;
  /** As SSE, for those who may see all. */
  readonly text: string;
}

/** Who listens. */
export interface StreamClient {
  take(entry: StreamEntry): void;
}

/** What followed on a message. */
export interface Missed {
  readonly entries: readonly StreamEntry[];
  /** There was more, which is not kept. */
  readonly isGap: boolean;
}

/** What happened; of what only is as it is, the newest state tells all. */
const KEPT: readonly StreamMessage['event'][] = ['event', 'delivery'];

/**
 * Hands messages to all who listen, and keeps the last events and deliveries for those who come back. Ids are `RUN-NUMBER`: those
 * of another run are not known any more.
 */
export class EventStream {
  readonly #run: string;
  readonly #maxKept: number;
  readonly #clients = new Set<StreamClient>();
  #kept: StreamEntry[] = [];
  /** Number of the newest message that was to be kept, and is not any more. */
  #forgotten = 0;
  #last = 0;

  /** `run` tells this run from others. */
  constructor(run: string, maxKept: number) {
    this.#run = run;
    this.#maxKept = maxKept;
  }

  get clients(): number {
    return this.#clients.size;
  }

  publish<Name extends StreamMessage['event']>(event: Name, data: StreamMessages[Name]): void {
    const isKept = KEPT.includes(event);
    if (!isKept && this.#clients.size === 0) return;
    const id = ++this.#last;
    const message = { event, data } as StreamMessage;
    const entry = { id, message, text: this.format(id, message) };
    if (isKept) this.#keep(entry);
    for (const client of this.#clients) client.take(entry);
  }

  /** One message as it is sent. JSON has no line breaks. HTML Standard §9.2.5. */
  format(id: number, message: StreamMessage): string {
    return `id: ${this.#run}-${id}\n${formatMessage(message)}`;
  }

  add(client: StreamClient): void {
    this.#clients.add(client);
  }

  remove(client: StreamClient): void {
    this.#clients.delete(client);
  }

  /** What followed on the message with that id; all that is kept where it is of another run. */
  since(lastId: string): Missed {
    const [, run, digits = ''] = /^(.*)-(\d{1,15})$/.exec(lastId) ?? [];
    const number = Number(digits);
    if (run !== this.#run || number > this.#last) return { entries: this.#kept.slice(-this.#maxKept), isGap: true };
    const entries = this.#kept.filter(({ id }) => id > number).slice(-this.#maxKept);
    return { entries, isGap: number < this.#forgotten };
  }

  #keep(entry: StreamEntry): void {
    this.#kept.push(entry);
    if (this.#kept.length < 2 * this.#maxKept) return;
    this.#forgotten = this.#kept[this.#kept.length - this.#maxKept - 1]!.id;
    this.#kept = this.#kept.slice(-this.#maxKept);
  }
}

/** A message without id: who got it goes on with what he had before. */
export const formatMessage = ({ event, data }: StreamMessage): string =>
  `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
