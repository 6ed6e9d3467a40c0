import { formatProblem, makeJsonSchema } from '../options.ts';
import { loadConfiguration } from '../rules/config-file.ts';
import { hepAddresses, readCertificates } from './sip-setup.ts';
import { describeConfiguration, describeRule } from './describe.ts';
import type { TextOutput } from './output.ts';

/** Checks a configuration and says what it makes Ringside do. Returns the exit code. @throws OptionError */
export function check(path: string, out: TextOutput): number {
  const configuration = loadConfiguration(path);
  const { sip, http } = configuration.options;
  readCertificates(path, sip);
  readCertificates(path, http, 'http');
  for (const warning of configuration.warnings) out.write(`${formatProblem(path, warning)} (warning)\n`);
  for (const line of describeConfiguration(
    configuration,
    hepAddresses(configuration.options),
    sip.engine === 'embedded' ? sip.listen : [],
  )) {
    out.write(`${line}\n`);
  }
  const disabled = configuration.rules.filter(({ enabled }) => !enabled);
  for (const rule of disabled) out.write(`${describeRule(rule)}\n`);
  out.write(`${path} is fine.\n`);
  return 0;
}

/** Prints the JSON Schema of the configuration. */
export function printSchema(out: TextOutput): number {
  out.write(`${JSON.stringify(makeJsonSchema(), null, 2)}\n`);
  return 0;
}
