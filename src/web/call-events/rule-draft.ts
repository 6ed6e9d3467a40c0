import type { EventName, NewRule, Rule, RuleChange } from '../../api/types.ts';

export type AuthKind = 'keep' | 'none' | 'bearer' | 'basic';

/** A rule as the form has it: everything as it is typed. */
export interface RuleDraft {
  readonly extensions: string;
  readonly events: readonly EventName[];
  readonly method: Rule['method'];
  readonly url: string;
  readonly note: string;
  readonly enabled: boolean;
  readonly body: Rule['body'];
  readonly extras: readonly string[];
  readonly callFlow: Rule['callFlow'];
  readonly callId: Rule['callId'];
  readonly answeredHangup: Rule['answeredHangup'];
  readonly omitEmpty: boolean;
  /** `Name: value`, one a line; empty: those there are stay. */
  readonly headers: string;
  readonly auth: AuthKind;
  readonly token: string;
  readonly user: string;
  readonly password: string;
  /** Those there are, are taken away. */
  readonly dropHeaders: boolean;
  /** Empty: the one there is stays. */
  readonly secret: string;
  readonly dropSecret: boolean;
}

const SECRETS = { headers: '', dropHeaders: false, token: '', user: '', password: '', secret: '', dropSecret: false };

/** Of a new rule, for an extension. */
export const emptyDraft = (extension: string): RuleDraft => ({
  extensions: extension,
  events: ['dial-in', 'hangup'],
  method: 'POST',
  url: '',
  note: '',
  enabled: true,
  body: 'form',
  extras: [],
  callFlow: 'upper',
  callId: 'sip',
  answeredHangup: 'ANSWER',
  omitEmpty: false,
  auth: 'none',
  ...SECRETS,
});

/** Of a rule there is. */
export const draftOf = (rule: Rule): RuleDraft => ({
  extensions: rule.extensions.join(', '),
  events: rule.events,
  method: rule.method,
  url: rule.url,
  note: rule.note,
  enabled: rule.enabled,
  body: rule.body,
  extras: rule.extras,
  callFlow: rule.callFlow,
  callId: rule.callId,
  answeredHangup: rule.answeredHangup,
  omitEmpty: rule.omitEmpty,
  auth: 'keep',
  ...SECRETS,
});

/** What creates the rule. */
export function newRuleOf(draft: RuleDraft): NewRule {
  return { ...plainOf(draft), ...secretOf(draft) } as NewRule;
}

/** What changes the rule to the draft: only what differs from what it was. */
export function changeOf(draft: RuleDraft, before: RuleDraft): RuleChange {
  const old = new Map<string, string>(
    Object.entries(plainOf(before)).map(([name, value]) => [name, JSON.stringify(value)]),
  );
  const changed = Object.entries(plainOf(draft)).filter(([name, value]) => old.get(name) !== JSON.stringify(value));
  const auth = draft.auth === 'none' ? { auth: null } : {};
  return { ...Object.fromEntries(changed), ...auth, ...secretOf(draft) };
}

function plainOf(draft: RuleDraft): Record<string, unknown> {
  const { extensions, events, method, url, note, enabled, body } = draft;
  const { extras, callFlow, callId, answeredHangup, omitEmpty } = draft;
  const shared = { extensions: splitList(extensions), events, method, url: url.trim(), note: note.trim(), enabled };
  return { ...shared, body, extras, callFlow, callId, answeredHangup, omitEmpty };
}

function secretOf(draft: RuleDraft): Record<string, unknown> {
  const { headers, dropHeaders, auth, token, user, password, secret, dropSecret } = draft;
  return {
    ...(dropHeaders && { headers: {} }),
    ...(dropSecret && { secret: null }),
    ...(headers.trim() !== '' && { headers: readHeaders(headers) }),
    ...(auth === 'bearer' && { auth: { bearer: token } }),
    ...(auth === 'basic' && { auth: { basic: { user, password } } }),
    ...(secret.trim() !== '' && { secret: secret.trim() }),
  };
}

const splitList = (text: string): string[] => text.split(/[\s,;]+/).filter(Boolean);

function readHeaders(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** What is wrong with a field of the draft, of what the API refused; `auth.bearer` is told at `auth`. */
export function problemAt(
  problems: readonly { readonly path: string; readonly text: string }[],
  field: string,
): string | undefined {
  return problems.find(({ path }) => path === field || path.startsWith(`${field}[`) || path.startsWith(`${field}.`))
    ?.text;
}
