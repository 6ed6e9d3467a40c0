import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';
import { type AttemptOutcome, parseRetryAfter } from './retry.ts';

const MAX_ANSWER_BYTES = 4096;
/** Of an answer, to be shown. */
const SHOWN_BYTES = 256;
const OVER = new Error('nobody waits for it any more');

/**
 * One request and its answer, as undici tells of it.
 *
 * A short answer is read to its end, so that the connection can be used again; a long one is broken off. The status is what
 * the script says; that the rest of its answer got lost does not take it back.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly outcome: Promise<AttemptOutcome>;
  #finish: (outcome: AttemptOutcome) => void = () => {};
  readonly #timer: NodeJS.Timeout;
  #controller: Dispatcher.DispatchController | undefined;
  #isOver = false;
  #status = 0;
  #retryAfterMs: number | undefined;
  #size = 0;
  #start: Buffer | undefined;

  /** `timeoutMs` is for all of it, from the wait for a connection to the end of the answer. */
  constructor(timeoutMs: number) {
    this.outcome = new Promise((finish) => (this.#finish = finish));
    this.#timer = setTimeout(() => this.#breakOff('no answer in time'), timeoutMs);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(OVER);
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    this.#status = status;
    const retryAfter = headers['retry-after'];
    if (typeof retryAfter === 'string') this.#retryAfterMs = parseRetryAfter(retryAfter, Date.now());
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#size += chunk.length;
    if (!this.#start) this.#start = chunk.subarray(0, SHOWN_BYTES);
    else if (this.#start.length < SHOWN_BYTES) {
      this.#start = Buffer.concat([this.#start, chunk]).subarray(0, SHOWN_BYTES);
    }
    if (this.#size > MAX_ANSWER_BYTES) this.#breakOff('');
  }

  onResponseEnd(): void {
    this.#end('');
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end(explain(error));
  }

  /** It could not even begin. */
  fail(error: unknown): void {
    this.#end(explain(error));
  }

  #breakOff(error: string): void {
    this.#end(error);
    this.#controller?.abort(OVER);
  }

  #end(error: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#finish(this.#status === 0 ? { error } : this.#describe());
  }

  #describe(): AttemptOutcome {
    const answer = this.#start?.toString().replaceAll('\0', '') ?? '';
    return {
      status: this.#status,
      ...(answer !== '' && { answer }),
      ...(this.#retryAfterMs !== undefined && { retryAfterMs: this.#retryAfterMs }),
    };
  }
}

function explain(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return 'no connection in time';
  if (message === '') return code ?? name; // several addresses were tried
  return code && !message.includes(code) ? `${code}: ${message}` : message;
}
