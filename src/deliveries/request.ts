import { hash } from 'node:crypto';
import type { CallEvent } from '../calls/event.ts';
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
  const parameters = selectParameters(event, rule);
  if (method === 'GET') return { method, url: query + formatForm(parameters), contentType: undefined, body: undefined };
  if (rule.body === 'json') {
    return { method, url, contentType: JSON_TYPE, body: JSON.stringify(Object.fromEntries(parameters)) };
  }
  return { method, url, contentType: FORM, body: formatForm(parameters) };
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

type Parameter = readonly [name: string, value: string | number];

function selectParameters(event: CallEvent, { style, extras }: Rule): Parameter[] {
  const { params } = event;
  const parameters: Parameter[] = [
    ['CallID', style.callId === 'sip' ? params.CallID : formatEpochId(event)],
    ['CallerIDNum', params.CallerIDNum],
    ['CallerIDName', params.CallerIDName],
    ['CalledDID', params.CalledDID],
    ['CalledExtension', params.CalledExtension],
    ['CallStatus', isAnsweredHangup(event) ? style.answeredHangup : params.CallStatus],
    ['CallFlow', style.callFlow === 'upper' ? params.CallFlow : params.CallFlow.toLowerCase()],
    ['CallerExtension', params.CallerExtension],
    ['CalledNumber', params.CalledNumber],
    ['CallAPIID', params.CallAPIID],
  ];
  for (const name of extras) parameters.push([name, event.extras[name] ?? '']);
  return style.omitEmpty ? parameters.filter(([, value]) => value !== '') : parameters;
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

function formatForm(parameters: readonly Parameter[]): string {
  let form = '';
  for (const [name, value] of parameters) {
    form += `${form === '' ? '' : '&'}${name}=${typeof value === 'number' ? value : encodeComponent(value)}`;
  }
  return form;
}
