import type { EventName } from '../calls/event.ts';
import { formatRequest } from '../deliveries/request.ts';
import { makeTestEvent } from '../deliveries/test-event.ts';
import { OptionError } from '../options.ts';
import { loadConfiguration } from '../rules/config-file.ts';
import { makeSender } from './delivery-setup.ts';
import { describeRule } from './describe.ts';
import { printable } from './event-lines.ts';
import type { TextOutput } from './output.ts';

/** Lists the rules of a configuration with their ids. Returns the exit code. @throws OptionError */
export function listRules({ config }: { config: string }, out: TextOutput): number {
  const { rules } = loadConfiguration(config);
  for (const rule of rules) out.write(`${rule.id}${describeRule(rule)}\n`);
  if (rules.length === 0) out.write('No rules.\n');
  return 0;
}

/** Sends a sample event of a rule to its script, and tells what it answers. Returns 0 if it took the event. @throws OptionError */
export async function testRule(
  id: string,
  { config, event }: { config: string; event?: EventName | undefined },
  out: TextOutput,
): Promise<number> {
  const { rules, options } = loadConfiguration(config);
  const rule = rules.find((one) => one.id === id);
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
