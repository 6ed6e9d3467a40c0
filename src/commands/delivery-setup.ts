import { dirname, resolve } from 'node:path';
import { type DeliveryOptions, Dispatcher } from '../deliveries/dispatcher.ts';
import { HttpSender } from '../deliveries/sender.ts';
import { SqliteStore } from '../deliveries/store.ts';
import type { Logger } from '../log.ts';
import type { Options } from '../options.ts';
import type { Rule } from '../rules/rule.ts';
import { VERSION } from './version.ts';

/** Makes the dispatcher that a configuration describes. `storePath` is a file or `:memory:`. @throws StoreError */
export function makeDispatcher(
  { delivery }: Options,
  storePath: string,
  findRule: (id: string) => Rule | undefined,
  log: Logger,
): { readonly dispatcher: Dispatcher; readonly store: SqliteStore } {
  const store = new SqliteStore(storePath);
  const sender = new HttpSender({
    connectTimeoutMs: delivery.connectTimeout,
    timeoutMs: delivery.timeout,
    connectionsPerOrigin: delivery.concurrency,
    allowedNetworks: delivery.allowedNetworks,
    userAgent: delivery.userAgent || `Ringside/${VERSION}`,
  });
  const options: DeliveryOptions = {
    scheduleMs: delivery.schedule,
    staleAfterMs: delivery.staleAfter,
    concurrencyPerScript: delivery.concurrency,
    maxPending: delivery.maxPending,
    retentionMs: delivery.retention,
  };
  return { dispatcher: new Dispatcher(store, sender, options, findRule, log), store };
}

/** Path of the store: relative to the configuration file. */
export const storePath = (configPath: string, { store }: Options): string => resolve(dirname(configPath), store);
