import type { Configuration } from '../rules/config-file.ts';
import type { Rule } from '../rules/rule.ts';

/** What a configuration makes Ringside do, in plain words. `addresses`: what it listens on. */
export function describeConfiguration(
  { tenants, rules, options }: Configuration,
  addresses: readonly string[],
): string[] {
  const enabled = rules.filter((rule) => rule.enabled);
  return [
    addresses.length > 0
      ? `Listening for HEP on ${addresses.join(' and ')}.`
      : 'Listening on nothing: hep.listen is empty.',
    ...(options.sip.engine === 'none'
      ? []
      : [`The SIP engine "${options.sip.engine}" is not part of this version: it is not started.`]),
    tenants.length > 0
      ? `Extensions of ${tenants.map(({ prefix, domains }) => prefix || domains[0] || 'the tenant without prefix').join(', ')}.`
      : 'No tenants: nobody is an extension, so nothing will be told.',
    enabled.length > 0
      ? `Calling ${enabled.length === 1 ? 'one script' : `scripts by ${enabled.length} rules`}:`
      : 'No rules: no script is called.',
    ...enabled.map(describeRule),
  ];
}

/** One rule on one line; headers and the query, which may be secret, are left out. */
export function describeRule({ extensions, events, method, url, note, enabled }: Rule): string {
  const target = url.replace(/\?.*$/s, '?…');
  const state = enabled ? '' : ' (disabled)';
  return `  ${extensions.join(', ')}: ${events.join(', ')} -> ${method} ${target}${note === '' ? '' : ` (${note})`}${state}`;
}
