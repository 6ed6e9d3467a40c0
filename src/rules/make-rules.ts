import { createSecretKey, hash } from 'node:crypto';
import type { Options } from '../options.ts';
import { SECRET_PREFIX } from '../rule-options.ts';
import type { Rule, RuleTls } from './rule.ts';
import type { RuleEntry } from './rule-checks.ts';

/** What counts for rules that do not say otherwise. */
export type RuleDefaults = Pick<Options, 'defaults' | 'delivery'>;

/** The rules that the file describes, in their order; `tls` of those that have it, by place. */
export function makeRules(options: Options, tls: ReadonlyMap<number, RuleTls>): Rule[] {
  const seen = new Map<string, number>();
  return options.callEvents.map((entry, place): Rule => {
    const { extension, event, method, url } = entry;
    const identity = JSON.stringify([extension, event, method, url]);
    const ordinal = seen.get(identity) ?? 0;
    seen.set(identity, ordinal + 1);
    const id = hash('sha256', `${identity}${ordinal}`, 'hex').slice(0, 20);
    return makeRule({ id, source: 'file', tls: tls.get(place) }, entry, options);
  });
}

/** A rule as it is written; where it does not say how parameters are written or when requests are sent again, the options do. */
export function makeRule(
  own: Pick<Rule, 'id' | 'source' | 'tls'>,
  entry: RuleEntry,
  { defaults, delivery }: RuleDefaults,
): Rule {
  const { callFlow, callId, answeredHangup, omitEmpty } = { ...defaults, ...withoutUndefined(entry) };
  return {
    ...own,
    extensions: entry.extension,
    events: entry.event,
    method: entry.method,
    url: entry.url,
    note: entry.note,
    enabled: entry.enabled,
    extras: entry.extras,
    body: entry.body,
    headers: { ...entry.headers, ...makeAuthorization(entry.auth) },
    secrets: entry.secret.map(decodeSecret),
    style: { callFlow, callId, answeredHangup, omitEmpty },
    scheduleMs: entry.schedule ?? delivery.schedule,
    staleAfterMs: entry.staleAfter ?? delivery.staleAfter,
  };
}

/** The header of Basic or Bearer authentication. RFC 7617 §2, RFC 6750 §2.1. */
function makeAuthorization(auth: RuleEntry['auth']): Record<string, string> {
  if (auth?.bearer !== undefined) return { authorization: `Bearer ${auth.bearer}` };
  if (!auth?.basic) return {};
  const { user, password } = auth.basic;
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}

const decodeSecret = (secret: string) => createSecretKey(Buffer.from(secret.slice(SECRET_PREFIX.length), 'base64'));

type Style = Options['defaults'];

function withoutUndefined(entry: { [name in keyof Style]?: Style[name] | undefined }): Partial<Style> {
  const set = (['callFlow', 'callId', 'answeredHangup', 'omitEmpty'] as const).filter(
    (name) => entry[name] !== undefined,
  );
  return Object.fromEntries(set.map((name) => [name, entry[name]]));
}
