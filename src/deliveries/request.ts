import { hash } from 'node:crypto';
import type { CallEvent, CallParameters } from '../calls/event.ts';
import type { Rule } from '../rules/rule.ts';
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
}

const templates = new WeakMap<Rule, Template>();

/** Writes the request of one event for one rule: the ten parameters in their order, then the extras asked for. Design §3. */
export function formatRequest(event: CallEvent, rule: Rule): ScriptRequest {
  const { method } = rule;
  const { url, query } = templateOf(rule);
  const values = selectValues(event, rule);
  if (method === 'GET')
    return { method, url: query + formatForm(values, rule), contentType: undefined, body: undefined };
  if (rule.body === 'json') return { method, url, contentType: JSON_TYPE, body: formatJson(values, rule) };
  return { method, url, contentType: FORM, body: formatForm(values, rule) };
}

function templateOf(rule: Rule): Template {
  let template = templates.get(rule);
  if (!template) templates.set(rule, (template = makeTemplate(rule.url)));
  return template;
}

function makeTemplate(text: string): Template {
  const url = text.split('#', 1)[0]!; // a fragment is never sent
  const join = !url.includes('?') ? '?' : /[?&]$/.test(url) ? '' : '&';
  return { url, query: url + join };
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
function selectValues(event: CallEvent, { style, extras }: Rule): Value[] {
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

function formatForm(values: readonly Value[], { extras, style }: Rule): string {
  let form = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === '' && style.omitEmpty) continue;
    if (form !== '') form += '&';
    form += `${nameOf(i, extras)}=${typeof value === 'number' ? value : encodeComponent(value)}`;
  }
  return form;
}

function formatJson(values: readonly Value[], { extras, style }: Rule): string {
  const named = values.map((value, i): [string, Value] => [nameOf(i, extras), value]);
  return JSON.stringify(Object.fromEntries(style.omitEmpty ? named.filter(([, value]) => value !== '') : named));
}

const nameOf = (index: number, extras: readonly string[]): string => NAMES[index] ?? extras[index - NAMES.length]!;
