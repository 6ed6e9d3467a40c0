import { formatTime } from '../../calls/time.ts';
import type { RulePlace } from '../../rules/config-file.ts';
import type { Rule as RuleInForce } from '../../rules/rule.ts';
import type { LastResult, Rule } from '../types.ts';
import type { ApiRule } from './api-rules.ts';

/** A rule as the API shows it: nothing that is secret. */
export function showRule(
  rule: RuleInForce,
  place: RulePlace | undefined,
  own: ApiRule | undefined,
  canWrite: boolean,
  isGone: boolean,
  last: LastResult | null,
): Rule {
  const { id, source, extensions, events, method, url, note, enabled, body, extras, headers, secrets, style } = rule;
  return {
    id,
    source,
    readOnly: source === 'file' || !canWrite,
    file: place ? { name: place.file, line: place.line } : null,
    extensions: [...extensions],
    events: [...events],
    method,
    url: place?.isUrlHidden ? url.replace(/\?.*$/s, '?…') : url,
    note,
    enabled,
    isGone,
    body,
    extras: [...extras],
    ...style,
    headers: Object.keys(headers),
    isSigned: secrets.length > 0,
    modified: own ? formatTime(own.modified) : null,
    last,
  };
}
