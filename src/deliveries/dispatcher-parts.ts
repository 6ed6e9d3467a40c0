import type { CallEvent } from '../calls/event.ts';
import type { Rule } from '../rules/rule.ts';
import type { BreakerOptions, BreakerState } from './breaker.ts';
import type { Clock } from './clock.ts';
import type { DeliveryLog } from './delivery-log.ts';
import type { TakeCalls } from './journal.ts';
import type { DeliveryMeter } from './meter.ts';
import type { ScriptRequest } from './request.ts';
import type { AttemptOutcome } from './retry.ts';
import type { ScriptOptions } from './script.ts';
import type { DeliveryStore } from './store.ts';

/** How requests are sent; times in ms. */
export interface DeliveryOptions {
  readonly concurrencyPerScript: number;
  /** Requests a second to one script; Infinity for no limit. */
  readonly ratePerScript: number;
  /** Scripts that are to be called otherwise, by URL without query. */
  readonly scripts: ReadonlyMap<string, Partial<Pick<ScriptOptions, 'concurrency' | 'rate'>>>;
  readonly breaker: BreakerOptions;
  /** Deliveries waiting; further ones are counted and dropped. */
  readonly maxPending: number;
  /** Of these, for one script. */
  readonly maxPendingPerScript: number;
  readonly retentionMs: number;
  /** How long the outcome of an attempt may wait to be stored together with others. */
  readonly attemptDelayMs: number;
}

/** Sends requests to scripts. */
export interface Sender {
  /** Sends the request of an event the way its rule says, and tells what became of it. Never rejects. */
  send(request: ScriptRequest, rule: Rule, eventId: string): Promise<AttemptOutcome>;
  /** Breaks off what is still under way. */
  close(): Promise<void>;
}

/** An event and the rules it is for. */
export interface Publication {
  readonly event: CallEvent;
  readonly rules: readonly Rule[];
}

/** How a script does. */
export interface ScriptStatus {
  /** URL without query. */
  readonly url: string;
  /** Deliveries waiting or under way. */
  readonly pending: number;
  readonly active: number;
  readonly breaker: BreakerState;
  /** Failures in a row. */
  readonly failures: number;
}

/** Rules whose script answered 410. */
export interface GoneSet {
  has(rule: Rule): boolean;
  add(rule: Rule): void;
}

/** What the dispatcher works with. */
export interface DispatcherParts {
  readonly store: DeliveryStore;
  readonly sender: Sender;
  /** Gives the rule in force by its id: its headers are added to what was stored. */
  readonly findRule: (id: string) => Rule | undefined;
  readonly log: DeliveryLog;
  /** What is committed with the events. */
  readonly takeCalls?: TakeCalls | undefined;
  readonly meter?: DeliveryMeter | undefined;
  readonly clock?: Clock | undefined;
  /** Where it is kept which rules are disabled by a 410. */
  readonly gone?: GoneSet | undefined;
}
