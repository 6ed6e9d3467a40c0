import { dirname, resolve } from 'node:path';
import { Dispatcher } from '../deliveries/dispatcher.ts';
import type { DeliveryOptions, DispatcherParts } from '../deliveries/dispatcher-parts.ts';
import { HttpSender } from '../deliveries/sender.ts';
import type { Options } from '../options.ts';
import { VERSION } from './version.ts';

/** A crash within it makes a delivery come twice, with one EventID. */
const ATTEMPT_DELAY_MS = 20;

/** Makes the dispatcher that a configuration describes. */
export const makeDispatcher = ({ delivery }: Options, parts: Omit<DispatcherParts, 'sender'>): Dispatcher =>
  new Dispatcher(makeDeliveryOptions(delivery), { ...parts, sender: makeSender(delivery) });

/** Makes what sends the requests that a configuration describes. */
export const makeSender = (delivery: Options['delivery']): HttpSender =>
  new HttpSender({
    connectTimeoutMs: delivery.connectTimeout,
    timeoutMs: delivery.timeout,
    connectionsPerOrigin: Math.max(delivery.concurrency, ...delivery.scripts.map((own) => own.concurrency ?? 0)),
    allowedNetworks: delivery.allowedNetworks,
    userAgent: delivery.userAgent || `Ringside/${VERSION}`,
  });

function makeDeliveryOptions(delivery: Options['delivery']): DeliveryOptions {
  const { failures, minWait, maxWait } = delivery.breaker;
  return {
    concurrencyPerScript: delivery.concurrency,
    ratePerScript: delivery.rate ?? Infinity,
    scripts: new Map(delivery.scripts.map(({ url, ...own }) => [url, withoutUndefined(own)])),
    breaker: { failures, minWaitMs: minWait, maxWaitMs: maxWait },
    maxPending: delivery.maxPending,
    maxPendingPerScript: delivery.maxPendingPerScript,
    retentionMs: delivery.retention,
    attemptDelayMs: ATTEMPT_DELAY_MS,
  };
}

const withoutUndefined = <T extends object>(own: T) =>
  Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)) as {
    [name in keyof T]?: NonNullable<T[name]>;
  };

/** Path of the store: relative to the configuration file. */
export const storePath = (configPath: string, { store }: Options): string => resolve(dirname(configPath), store);
