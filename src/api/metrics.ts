import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { CallEvent } from '../calls/event.ts';
import type { FinishedState } from '../deliveries/delivery.ts';
import type { ScriptStatus } from '../deliveries/dispatcher-parts.ts';
import type { DeliveryMeter } from '../deliveries/meter.ts';
import type { AttemptOutcome } from '../deliveries/retry.ts';

/** What is asked at each scrape. */
export interface MetricsSource {
  scripts(): readonly ScriptStatus[];
  /** Epoch ms at which the oldest waiting delivery was published; undefined if none waits. */
  oldestWaitingAt(): number | undefined;
  isStoreSound(): boolean;
  /** Legs known at present. */
  legs(): number;
  /** SIP messages taken in since the start. */
  messages(): number;
  /** Input that was of no use since the start, by reason. */
  drops(): ReadonlyMap<string, number>;
}

const SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30];
/** Scripts with a row of their own: the busiest. */
const MAX_SCRIPTS = 200;
const BREAKER = { closed: 0, probing: 1, open: 2 } as const;

/** What happens, in numbers, as Prometheus reads them. Text format 0.0.4. */
export class Metrics implements DeliveryMeter {
  readonly registry = new Registry();
  readonly #events = this.#counter('ringside_events_total', 'Call events by type and status', ['event', 'status']);
  readonly #deliveries = this.#counter('ringside_deliveries_total', 'Deliveries finished, by outcome', ['outcome']);
  readonly #dropped = this.#counter('ringside_deliveries_dropped_total', 'Deliveries that were one too many');
  readonly #attempts = this.#counter('ringside_attempts_total', 'Requests to scripts, by answer', ['answer']);
  readonly #attemptSeconds = this.#histogram('ringside_attempt_seconds', 'Time to the answer of a script');
  readonly #startSeconds = this.#histogram(
    'ringside_event_to_request_seconds',
    'Time from an event to its first request',
  );

  constructor(source: MetricsSource) {
    collectDefaultMetrics({ register: this.registry });
    this.#describeScripts(source);
    this.#gauge('ringside_oldest_waiting_seconds', 'Age of the oldest waiting delivery', () => {
      const at = source.oldestWaitingAt();
      return at === undefined ? 0 : Math.max(0, Date.now() - at) / 1000;
    });
    this.#gauge('ringside_store_up', '1 while the store can be written', () => (source.isStoreSound() ? 1 : 0));
    this.#gauge('ringside_legs', 'SIP legs known at present', () => source.legs());
    this.#gauge('ringside_sip_messages', 'SIP messages taken in since the start', () => source.messages());
    this.#describeDrops(source);
  }

  /** All of it, as text. */
  read(): Promise<string> {
    return this.registry.metrics();
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  event({ event, params }: CallEvent): void {
    this.#events.inc({ event, status: params.CallStatus });
  }

  start(ageMs: number): void {
    this.#startSeconds.observe(Math.max(0, ageMs) / 1000);
  }

  attempt(durationMs: number, outcome: AttemptOutcome): void {
    this.#attemptSeconds.observe(durationMs / 1000);
    this.#attempts.inc({ answer: 'status' in outcome ? `${Math.floor(outcome.status / 100)}xx` : 'none' });
  }

  finish(outcome: FinishedState): void {
    this.#deliveries.inc({ outcome });
  }

  drop(count: number): void {
    this.#dropped.inc(count);
  }

  #describeScripts(source: MetricsSource): void {
    const columns: readonly [name: string, help: string, read: (script: ScriptStatus) => number][] = [
      ['ringside_script_waiting', 'Deliveries waiting or under way', ({ pending }) => pending],
      ['ringside_script_active', 'Requests under way', ({ active }) => active],
      ['ringside_script_breaker', '0 closed, 1 probing, 2 open', ({ breaker }) => BREAKER[breaker]],
    ];
    for (const [name, help, read] of columns) {
      new Gauge({
        ...{ name, help, labelNames: ['script'], registers: [this.registry] },
        collect() {
          this.reset();
          for (const script of busiest(source.scripts())) this.set({ script: script.url }, read(script));
        },
      });
    }
  }

  #describeDrops(source: MetricsSource): void {
    new Gauge({
      name: 'ringside_input_dropped',
      help: 'Input that was of no use since the start, by reason',
      ...{ labelNames: ['reason'], registers: [this.registry] },
      collect() {
        for (const [reason, count] of source.drops()) this.set({ reason }, count);
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name, help, registers: [this.registry] },
      collect() {
        this.set(read());
      },
    });
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: SECONDS, registers: [this.registry] });
  }
}

const busiest = (scripts: readonly ScriptStatus[]): readonly ScriptStatus[] =>
  scripts.length <= MAX_SCRIPTS ? scripts : [...scripts].sort((a, b) => b.pending - a.pending).slice(0, MAX_SCRIPTS);
