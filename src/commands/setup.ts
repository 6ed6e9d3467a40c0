import { dirname, resolve } from 'node:path';
import { overrideStatusTable, STATUS_TABLE } from '../calls/call-status.ts';
import { Directory } from '../calls/directory.ts';
import type { Tenant } from '../calls/tenant.ts';
import { CallTracker } from '../calls/tracker.ts';
import type { TrackerOptions } from '../calls/tracker-options.ts';
import { Dispatcher, type DeliveryOptions } from '../deliveries/dispatcher.ts';
import { Sender } from '../deliveries/sender.ts';
import { SqliteStore } from '../deliveries/store.ts';
import type { Logger } from '../log.ts';
import type { Options } from '../options.ts';
import type { Configuration } from '../rules/config-file.ts';
import { parseConfiguration } from '../rules/config-file.ts';
import type { Rule } from '../rules/rule.ts';
import { VERSION } from './version.ts';

/** What counts without a configuration: every SIP user is an extension with a plain number; nothing is sent. */
export const OPEN_CONFIGURATION: Configuration = parseConfiguration('built-in', 'tenants: [{ extensions: ["*"] }]', {});

/** Makes the tracker that a configuration describes. */
export function makeTracker({ options, tenants }: Configuration): CallTracker {
  const table = overrideStatusTable(STATUS_TABLE, options.callStatus);
  return new CallTracker(makeDirectory(tenants), trackerOptions(options), table);
}

export const makeDirectory = (tenants: readonly Tenant[]): Directory => new Directory(tenants);

function trackerOptions({ calls, limits }: Options): TrackerOptions {
  return {
    dialHoldMs: calls.dialHold,
    challengeMs: calls.challengeWait,
    redirectMs: calls.redirectWait,
    ringLimitMs: calls.ringLimit,
    callLimitMs: calls.longestCall,
    sessionSlackMs: calls.sessionSlack,
    lingerMs: calls.linger,
    maxLegs: limits.legs,
    maxForks: limits.forks,
    maxContacts: limits.contacts,
  };
}

/** Makes the dispatcher that a configuration describes. `storePath` is a file or `:memory:`. @throws StoreError */
export function makeDispatcher(
  { delivery }: Options,
  storePath: string,
  findRule: (id: string) => Rule | undefined,
  log: Logger,
): { readonly dispatcher: Dispatcher; readonly store: SqliteStore } {
  const store = new SqliteStore(storePath);
  const sender = new Sender({
    connectTimeoutMs: delivery.connectTimeout,
    timeoutMs: delivery.timeout,
    connectionsPerOrigin: delivery.concurrency,
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
