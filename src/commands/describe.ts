import type { Configuration } from '../rules/config-file.ts';
import type { Rule } from '../rules/rule.ts';

/** What a configuration makes Ringside do, in plain words. `hep` and `sip`: the addresses it listens on. */
export function describeConfiguration(
  { tenants, rules, options }: Configuration,
  hep: readonly string[],
  sip: readonly string[],
): string[] {
  const enabled = rules.filter((rule) => rule.enabled);
  return [
    ...describeSip(options.sip, sip),
    ...(hep.length > 0 ? [`Listening for HEP on ${hep.join(' and ')}.`] : []),
    ...(hep.length + sip.length > 0 || options.sip.engine === 'drachtio'
      ? []
      : ['Listening on nothing: sip.listen and hep.listen are empty.']),
    tenants.length > 0
      ? `Extensions of ${tenants.map(({ prefix, domains }) => prefix || domains[0] || 'the tenant without prefix').join(', ')}.`
      : 'No tenants: nobody is an extension, so nothing will be told.',
    enabled.length > 0
      ? `Calling ${enabled.length === 1 ? 'one script' : `scripts by ${enabled.length} rules`}:`
      : 'No rules: no script is called.',
    ...enabled.map(describeRule),
  ];
}

function describeSip({ engine, upstream }: Configuration['options']['sip'], addresses: readonly string[]): string[] {
  const role = upstream === undefined ? 'as registrar and proxy' : `in front of ${upstream}`;
  const places = addresses.length > 0 ? ` on ${addresses.join(' and ')}` : '';
  if (engine === 'drachtio') return [`SIP ${role} by drachtio${places || ', as soon as a server is there'}.`];
  return places === '' ? [] : [`SIP ${role}${places}.`];
}

/** One rule on one line; headers and the query, which may be secret, are left out. */
export function describeRule({ extensions, events, method, url, note, enabled }: Rule): string {
  const target = url.replace(/\?.*$/s, '?…');
  const state = enabled ? '' : ' (disabled)';
  return `  ${extensions.join(', ')}: ${events.join(', ')} -> ${method} ${target}${note === '' ? '' : ` (${note})`}${state}`;
}
