import type { Call } from '../../calls/call.ts';
import type { CallEvent } from '../../calls/event.ts';
import { formatTime } from '../../calls/time.ts';
import type { CallTracker } from '../../calls/tracker.ts';
import type { AttemptRecord } from '../../deliveries/delivery.ts';
import type { DeliveryEntry } from '../../deliveries/delivery-records.ts';
import { CallRecorder, type RecordLimits } from '../../explain/call-recorder.ts';
import type { Observation } from '../../sip/observation.ts';
import { showCall } from './call-view.ts';
import { showDelivery } from './delivery-view.ts';
import type { DeliveryListener } from './delivery-watch.ts';
import type { EventStream } from './event-stream.ts';
import { Statistics } from './statistics.ts';

const FLUSH_MS = 100;
const COUNTS_MS = 2000;
const SWEEP_MS = 5000;

/** What is live: takes in what the pipeline and the outbox do, and tells those who listen. */
export class LiveView implements DeliveryListener {
  readonly recorder: CallRecorder;
  readonly statistics = new Statistics();
  readonly #stream: EventStream;
  readonly #pending: () => number;
  readonly #showsUrl: (ruleId: string) => boolean;
  readonly #now: () => number;
  #caused: CallEvent[] = [];
  #timers: NodeJS.Timeout[] = [];

  /** `pending` tells how many deliveries wait, `showsUrl` whether the query of a rule's URL is no secret. */
  constructor(
    tracker: CallTracker,
    limits: RecordLimits,
    stream: EventStream,
    pending: () => number,
    showsUrl: (ruleId: string) => boolean,
    now: () => number = Date.now,
  ) {
    this.recorder = new CallRecorder(tracker, limits);
    this.#stream = stream;
    this.#pending = pending;
    this.#showsUrl = showsUrl;
    this.#now = now;
  }

  /** Calls that were up before a restart. */
  adopt(calls: Iterable<Call>): void {
    this.recorder.adopt(calls);
  }

  /** Events that came, by an observation that `observe` is called with next, or by the time. */
  tell(events: readonly CallEvent[], isTimed: boolean): void {
    if (isTimed) this.recorder.expire(events);
    else this.#caused.push(...events);
    for (const event of events) this.#publish(event);
  }

  /** An observation that the tracker took in. */
  observe(observation: Observation): void {
    const events = this.#caused;
    this.recorder.observe(observation, events);
    if (events.length > 0) this.#caused = [];
  }

  onDelivery(entry: DeliveryEntry): void {
    this.#stream.publish('delivery', showDelivery(entry, this.#showsUrl(entry.ruleId)));
  }

  onAttempt(entry: DeliveryEntry, record: AttemptRecord): void {
    this.statistics.addAttempt(entry, record);
    this.onDelivery(entry);
  }

  start(): void {
    this.#timers = [
      setInterval(() => this.flush(), FLUSH_MS),
      setInterval(() => this.#count(), COUNTS_MS),
      setInterval(() => this.recorder.sweep(this.#now()), SWEEP_MS),
    ];
    for (const timer of this.#timers) timer.unref();
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  /** Tells what changed of calls since it was told last: however often that was, once. */
  flush(): void {
    const { changed, gone } = this.recorder.takeChanges();
    if (changed.length + gone.length === 0 || this.#stream.clients === 0) return;
    this.#stream.publish('calls', { changed: changed.map(showCall), gone: [...gone] });
  }

  #publish(event: CallEvent): void {
    this.statistics.addEvent(event);
    const { event: name, at, extension, params, extras } = event;
    const call = params.CallAPIID;
    this.#stream.publish('event', { event: name, at: formatTime(at), extension, call, params, extras });
  }

  #count(): void {
    const pending = this.#pending();
    this.statistics.addQueue(pending, this.#now());
    if (this.#stream.clients === 0) return;
    const live = this.recorder.live();
    const parties = live.reduce((sum, call) => sum + call.openParties, 0);
    this.#stream.publish('counts', { at: formatTime(this.#now()), calls: live.length, parties, pending });
  }
}
