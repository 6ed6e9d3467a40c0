import type { CallEvent, EventName } from '../calls/event.ts';
import type { ScriptRequest } from './request.ts';

export type DeliveryState = 'pending' | 'delivered' | 'stale' | 'dead';
export type FinishedState = Exclude<DeliveryState, 'pending'>;

/** One event for one rule, on its way. */
export interface Delivery {
  /** Ascending in the order of the events. */
  readonly id: number;
  readonly eventId: string;
  readonly ruleId: string;
  readonly event: EventName;
  /** CallAPIID. */
  readonly call: string;
  /** The id of a call that was merged into it: deliveries of that one come first. */
  readonly follows: string | undefined;
  /** Epoch ms at which it was published. */
  readonly createdAt: number;
  /** Epoch ms at which somebody asked for it to be sent again; then it never is stale. */
  readonly requeuedAt: number | undefined;
  /** Attempts made, since it was asked for. */
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly request: ScriptRequest;
}

/** A delivery that is not stored yet, with its event. */
export interface NewDelivery extends Delivery {
  readonly source: CallEvent;
}

/** One HTTP request of a delivery, and what became of it; or the end of a delivery without one. */
export interface AttemptRecord {
  readonly id: number;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  /** Epoch ms. */
  readonly at: number;
  /** Undefined where nothing was sent. */
  readonly durationMs: number | undefined;
  /** HTTP status, or 0. */
  readonly status: number;
  /** What went wrong; empty if nothing did. */
  readonly error: string;
  /** The first bytes of the answer. */
  readonly answer: string;
}
