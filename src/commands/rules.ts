import { existsSync } from 'node:fs';
import { ApiRules } from '../api/rules/api-rules.ts';
import { RuleStore } from '../api/rules/rule-store.ts';
import type { EventName } from '../calls/event.ts';
import { readGoneRules } from '../deliveries/gone-rules.ts';
import { formatRequest } from '../deliveries/request.ts';
import { StoreFile } from '../deliveries/store-file.ts';
import { makeTestEvent } from '../deliveries/test-event.ts';
import { OptionError } from '../options.ts';
import { loadConfiguration } from '../rules/config-file.ts';
import type { Rule } from '../rules/rule.ts';
import { makeSender, storePath } from './delivery-setup.ts';
import { describeRule } from './describe.ts';
import { printable } from './event-lines.ts';
import type { TextOutput } from './output.ts';
import { makeDirectory } from './setup.ts';

interface KnownRules {
  readonly rules: readonly Rule[];
  /** Ids of those that a 410 disabled. */
  readonly gone: readonly string[];
}

/** The rules of the file, then those that the API and the page made. */
export function readRules(configPath: string, configuration = loadConfiguration(configPath)): KnownRules {
  const { options, rules } = configuration;
  const path = storePath(configPath, options);
  if (!existsSync(path)) return { rules, gone: [] };
  const file = new StoreFile(path);
  try {
    const surroundings = { options, directory: makeDirectory(configuration) };
    const made = new ApiRules(new RuleStore(file), surroundings, options.http.limits, () => {});
    return { rules: [...rules, ...made.list.map(({ rule }) => rule)], gone: readGoneRules(file) };
  } finally {
    file.close();
  }
}

const GONE = ' (its script answered 410 Gone: tells nothing until it is changed or the configuration read anew)';

/** Lists all rules with their ids. Returns the exit code. @throws OptionError */
export function listRules({ config }: { config: string }, out: TextOutput): number {
  const { rules, gone } = readRules(config);
  for (const rule of rules) out.write(`${rule.id}${describeRule(rule)}${gone.includes(rule.id) ? GONE : ''}\n`);
  if (rules.length === 0) out.write('No rules.\n');
  return 0;
}

/** Sends a sample event of a rule to its script, and tells what it answers. Returns 0 if it took the event. @throws OptionError */
export async function testRule(
  id: string,
  { config, event }: { config: string; event?: EventName | undefined },
  out: TextOutput,
): Promise<number> {
  const configuration = loadConfiguration(config);
  const { options } = configuration;
  const rule = readRules(config, configuration).rules.find((one) => one.id === id);
  if (!rule)
    throw new OptionError(config, [
      { line: 0, column: 0, path: '', text: `no rule ${id}; 'ringside rules list' lists them` },
    ]);
  const sample = makeTestEvent(rule, event ?? rule.events[0]!, Date.now());
  const request = formatRequest(sample, rule);
  out.write(`${request.method} ${printable(request.url)}\n`);
  if (request.body !== undefined) out.write(`${printable(request.body)}\n`);
  const sender = makeSender(options.delivery);
  const began = performance.now();
  const outcome = await sender.send(request, rule, String(sample.extras.EventID));
  await sender.close();
  const ms = Math.round(performance.now() - began);
  const answer = 'status' in outcome ? `${outcome.status}` : outcome.error;
  out.write(`${answer} after ${ms} ms\n`);
  if ('answer' in outcome && outcome.answer) out.write(`${printable(outcome.answer)}\n`);
  return 'status' in outcome && outcome.status >= 200 && outcome.status < 300 ? 0 : 1;
}
