import { hash } from 'node:crypto';
import { type CallEvent, type CallParameters, EXTRA_NAMES, type ExtraName } from '../calls/event.ts';
import type { ParameterStyle, Rule } from '../rules/rule.ts';
import { encodeComponent } from './percent-encoding.ts';

/** What is to be sent to a script; headers of the rule's own are added when it is sent. */
export interface ScriptRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly contentType: string | undefined;
  readonly body: string | undefined;
}

const FORM = 'application/x-www-form-urlencoded';
const JSON_TYPE = 'application/json';

/** What of a rule's requests is always the same. */
interface Template {
  readonly url: string;
  /** The URL up to where parameters are appended. */
  readonly query: string;
  /** The extras asked for, in the order of `EXTRA_NAMES`, each once. */
  readonly extras: readonly ExtraName[];
  /** Names of the ten parameters and of the extras. */
  readonly names: readonly string[];
  /** The names as they stand in a form: `CallID=`. */
  readonly keys: readonly string[];
}

const templates = new WeakMap<Rule, Template>();

/** Writes the request of one event for one rule: the ten parameters in their order, then the extras asked for. Design §3. */
export function formatRequest(event: CallEvent, rule: Rule): ScriptRequest {
  const { method, style } = rule;
  const template = templateOf(rule);
  const values = selectValues(event, style, template.extras);
  if (method === 'GET') {
    const url = template.query + formatForm(values, template, style);
    return { method, url, contentType: undefined, body: undefined };
  }
  const { url } = template;
  return rule.body === 'json'
    ? { method, url, contentType: JSON_TYPE, body: formatJson(values, template, style) }
    : { method, url, contentType: FORM, body: formatForm(values, template, style) };
}

function templateOf(rule: Rule): Template {
  let template = templates.get(rule);
  if (!template) templates.set(rule, (template = makeTemplate(rule)));
  return template;
}

function makeTemplate(rule: Rule): Template {
  const url = rule.url.split('#', 1)[0]!; // a fragment is never sent
  const join = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&';
  const extras = EXTRA_NAMES.filter((name) => rule.extras.includes(name));
  const names = [...NAMES, ...extras];
  return { url, query: url + join, extras, names, keys: names.map((name) => `${name}=`) };
}

const NAMES = [
  'CallID',
  'CallerIDNum',
  'CallerIDName',
  'CalledDID',
  'CalledExtension',
  'CallStatus',
  'CallFlow',
  'CallerExtension',
  'CalledNumber',
  'CallAPIID',
] as const satisfies readonly (keyof CallParameters)[];

type Value = string | number;

/** Values of the ten parameters in the rule's style, then of the extras it asks for. */
function selectValues(event: CallEvent, style: ParameterStyle, extras: readonly ExtraName[]): Value[] {
  const { params } = event;
  const values: Value[] = [
    style.callId === 'sip' ? params.CallID : formatEpochId(event),
    params.CallerIDNum,
    params.CallerIDName,
    params.CalledDID,
    params.CalledExtension,
    isAnsweredHangup(event) ? style.answeredHangup : params.CallStatus,
    style.callFlow === 'upper' ? params.CallFlow : params.CallFlow.toLowerCase(),
    params.CallerExtension,
    params.CalledNumber,
    params.CallAPIID,
  ];
  for (const name of extras) values.push(event.extras[name] ?? '');
  return values;
}

const isAnsweredHangup = ({ event, params }: CallEvent): boolean =>
  event === 'hangup' && params.CallStatus === 'ANSWER';

/**
 * `<epoch seconds>.<sequence>`: the second of the party's Dial, and a number made of the Call-ID:
 * the same in all events of the party.
 */
function formatEpochId({ dialledAt, params }: CallEvent): string {
  const sequence = parseInt(hash('sha1', params.CallID, 'hex').slice(0, 6), 16);
  return `${Math.floor(dialledAt / 1000)}.${sequence}`;
}

function formatForm(values: readonly Value[], { keys }: Template, { omitEmpty }: ParameterStyle): string {
  let form = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === '' && omitEmpty) continue;
    if (form !== '') form += '&';
    form += keys[i]! + (typeof value === 'number' ? value : encodeComponent(value));
  }
  return form;
}

function formatJson(values: readonly Value[], { names }: Template, { omitEmpty }: ParameterStyle): string {
  const named = values.map((value, i): [string, Value] => [names[i]!, value]);
  return JSON.stringify(Object.fromEntries(omitEmpty ? named.filter(([, value]) => value !== '') : named));
}
