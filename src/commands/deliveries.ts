import { existsSync } from 'node:fs';
import { formatTime } from '../calls/time.ts';
import type { DeliveryState } from '../deliveries/delivery.ts';
import {
  type DeliveryDetails,
  type DeliveryEntry,
  type DeliveryFilter,
  DeliveryRecords,
} from '../deliveries/delivery-records.ts';
import { StoreError, StoreFile } from '../deliveries/store-file.ts';
import { loadConfiguration } from '../rules/config-file.ts';
import { storePath } from './delivery-setup.ts';
import { printable } from './event-lines.ts';
import type { TextOutput } from './output.ts';
import { readRules } from './rules.ts';

/** Which deliveries, as the command line names them. */
export interface Choice {
  readonly config: string;
  readonly state?: DeliveryState[] | undefined;
  readonly rule?: string | undefined;
  readonly extension?: string | undefined;
  readonly call?: string | undefined;
  readonly since?: number | undefined;
  readonly until?: number | undefined;
  readonly status?: number | undefined;
}

/** Lists deliveries, the newest last. Returns the exit code. @throws OptionError, StoreError */
export function listDeliveries(choice: Choice & { limit: number; json: boolean }, out: TextOutput): number {
  return withRecords(choice.config, (records) => {
    const filter = filterOf(choice);
    const entries = records.list(filter, choice.limit).reverse();
    if (choice.json) for (const entry of entries) out.write(`${JSON.stringify(readable(entry))}\n`);
    else out.write(formatTable(entries));
    const more = choice.json ? 0 : records.count(filter) - entries.length;
    if (more > 0) out.write(`${more} older ones; --limit shows more.\n`);
    return 0;
  });
}

/** Shows all that is known of a delivery. Returns the exit code. @throws OptionError, StoreError */
export function showDelivery(id: number, { config, json }: { config: string; json: boolean }, out: TextOutput): number {
  return withRecords(config, (records) => {
    const details = records.show(id);
    if (details) out.write(json ? `${JSON.stringify(readable(details))}\n` : formatDetails(details));
    else out.write(`No delivery ${id}.\n`);
    return details ? 0 : 1;
  });
}

/** Asks for deliveries to be sent again: dead ones unless states are named. Returns the exit code. @throws OptionError, StoreError */
export function retryDeliveries(ids: readonly number[], choice: Choice, out: TextOutput): number {
  return withRecords(choice.config, (records) => {
    const filter = filterOf(choice, ids);
    const states = filter.states ?? (ids.length > 0 ? undefined : (['dead'] as const));
    const enabled = new Set(readRules(choice.config).rules.flatMap((rule) => (rule.enabled ? [rule.id] : [])));
    let count = 0;
    let lost = 0;
    for (const [ruleId, deliveries] of records.countFinishedByRule({ ...filter, states })) {
      if (enabled.has(ruleId)) count += records.requeue({ ...filter, states, ruleId }, Date.now());
      else lost += deliveries;
    }
    out.write(`${amount(count)} to be sent again, by the running Ringside or the next.\n`);
    if (lost > 0) out.write(`${amount(lost)} left alone: of rules that are gone or disabled.\n`);
    return count > 0 ? 0 : 1;
  });
}

/** Deletes finished deliveries. Returns the exit code. @throws OptionError, StoreError */
export function purgeDeliveries(ids: readonly number[], choice: Choice, out: TextOutput): number {
  return withRecords(choice.config, (records) => {
    const count = records.purge(filterOf(choice, ids));
    out.write(`${amount(count)} deleted.\n`);
    return 0;
  });
}

const amount = (count: number): string => (count === 1 ? 'One delivery' : `${count} deliveries`);

/** Works beside a running Ringside. A store that is not there is not made. */
function withRecords(configPath: string, work: (records: DeliveryRecords) => number): number {
  const path = storePath(configPath, loadConfiguration(configPath).options);
  if (!existsSync(path)) throw new StoreError(`${path}: no such file: nothing was stored yet`);
  const file = new StoreFile(path);
  try {
    return work(new DeliveryRecords(file));
  } finally {
    file.close();
  }
}

const filterOf = (choice: Choice, ids: readonly number[] = []): DeliveryFilter => ({
  ids: ids.length > 0 ? ids : undefined,
  states: choice.state,
  ruleId: choice.rule,
  extension: choice.extension,
  call: choice.call,
  since: choice.since,
  until: choice.until,
  status: choice.status,
});

/** Times as people write them. */
function readable(entry: DeliveryEntry): object {
  const { createdAt, nextAttemptAt, finishedAt } = entry;
  return {
    ...entry,
    createdAt: formatTime(createdAt),
    nextAttemptAt: formatTime(nextAttemptAt),
    finishedAt: finishedAt === null ? null : formatTime(finishedAt),
  };
}

const COLUMNS: readonly [title: string, width: number, read: (entry: DeliveryEntry) => string][] = [
  ['ID', 8, ({ id }) => String(id)],
  ['TIME', 23, ({ createdAt }) => shortTime(createdAt)],
  ['STATE', 9, ({ state }) => state],
  ['EVENT', 10, ({ event }) => event],
  ['EXTENSION', 12, ({ extension }) => extension],
  ['CALLAPIID', 20, ({ call }) => call],
  ['TRIES', 5, ({ attempts }) => String(attempts)],
  ['ANSWER', 8, (entry) => resultOf(entry)],
  ['SCRIPT', 0, ({ method, url }) => `${method} ${url.split('?', 1)[0]!}`],
];

const shortTime = (at: number): string => formatTime(at).slice(0, 23).replace('T', ' ');

const resultOf = ({ lastStatus, lastError }: DeliveryEntry): string =>
  lastStatus ? String(lastStatus) : lastError ? 'none' : '';

function formatTable(entries: readonly DeliveryEntry[]): string {
  if (entries.length === 0) return 'None.\n';
  const rows = entries.map((entry) => COLUMNS.map(([, width, read]) => printable(read(entry)).padEnd(width)));
  const lines = [COLUMNS.map(([title, width]) => title.padEnd(width)), ...rows];
  return lines.map((cells) => `${cells.join(' ').trimEnd()}\n`).join('');
}

function formatDetails(details: DeliveryDetails): string {
  const { id, state, event, extension, call, eventId, ruleId, method, url, body, history, nextAttemptAt } = details;
  const next = state === 'pending' ? `, next attempt at ${shortTime(nextAttemptAt)}` : '';
  const lines = [
    `Delivery ${id}: ${state}${next}${details.lastError ? ` (${details.lastError})` : ''}`,
    `Event ${eventId}: ${event} of ${extension} at ${shortTime(details.source.at)}`,
    `Call ${call}, rule ${ruleId}`,
    `${method} ${url}`,
    ...(body === null ? [] : [body]),
    ...history.map(
      ({ at, durationMs, status, error, answer }) =>
        `${shortTime(at)} ${status || error} in ${Math.round(durationMs)} ms${answer === '' ? '' : `: ${answer}`}`,
    ),
  ];
  return lines.map((line) => `${printable(line)}\n`).join('');
}
