import { z } from 'zod';
import { EXTRA_NAMES } from '../../calls/event.ts';
import { callEvent, pattern } from '../../rule-options.ts';
import { eventName, time } from './common.ts';

/** What became of the newest delivery of a rule. */
export const lastResult = z.object({
  delivery: z.int().describe('Id of the delivery'),
  state: z.enum(['pending', 'delivered', 'stale', 'dead']),
  at: time,
  status: z.int().describe('HTTP status; 0 where there was no answer'),
  error: z.string().describe('What went wrong; empty if nothing did'),
});

/** A rule: which events of which extensions go to which script. */
export const rule = z.object({
  id: z.string(),
  source: z.enum(['file', 'api']),
  readOnly: z.boolean().describe('It stands in the configuration file, or is not yours to change'),
  file: z
    .object({ name: z.string(), line: z.int() })
    .nullable()
    .describe('Where it stands, if it is one of the configuration file'),
  extensions: z.array(z.string()).describe('Numbers, ranges (0003*110-119), patterns (0003*1??) or "*"'),
  events: z.array(eventName),
  method: z.enum(['GET', 'POST']),
  url: z.string().describe('Without its query where that came from the environment'),
  note: z.string(),
  enabled: z.boolean(),
  isGone: z
    .boolean()
    .describe(
      'Its script answered 410 Gone: it tells nothing until it is changed (enabled: true is enough) or, being one of the file, until that is read anew',
    ),
  body: z.enum(['form', 'json']),
  extras: z.array(z.enum(EXTRA_NAMES)),
  callFlow: z.enum(['upper', 'lower']),
  callId: z.enum(['sip', 'epoch']),
  answeredHangup: z.enum(['ANSWER', 'HANGUP']),
  omitEmpty: z.boolean(),
  headers: z.array(z.string()).describe('Names only: values may be secret'),
  isSigned: z.boolean().describe('Its requests carry a signature'),
  modified: time.nullable().describe('Of a rule of the API'),
  last: lastResult.nullable(),
});

/** `GET /api/v1/rules`. */
export const rules = z.object({ rules: z.array(rule) });

const { method, url, note, enabled, extras, body, headers, auth, secret } = callEvent.shape;
const { callFlow, callId, answeredHangup, omitEmpty } = callEvent.shape;

/** `POST /api/v1/rules`: as in the configuration file, but for `tls`, which names files. */
export const newRule = z.strictObject({
  extensions: z.array(pattern).min(1).max(100),
  events: z.array(eventName).min(1).max(5),
  method,
  url,
  note,
  enabled,
  extras,
  body,
  headers,
  auth,
  secret,
  callFlow,
  callId,
  answeredHangup,
  omitEmpty,
});

/** `PATCH /api/v1/rules/{id}`: what is left out stays, what is secret, too, as long as the URL leads to the same host; `auth: null` and `secret: null` take them away. */
export const ruleChange = z.strictObject({
  extensions: newRule.shape.extensions.optional(),
  events: newRule.shape.events.optional(),
  method: method.unwrap().optional(),
  url: url.optional(),
  note: note.unwrap().optional(),
  enabled: enabled.unwrap().optional(),
  extras: z.array(z.enum(EXTRA_NAMES)).optional(),
  body: body.unwrap().optional(),
  headers: headers.unwrap().optional(),
  auth: auth.unwrap().nullable().optional(),
  secret: secret.unwrap().nullable().optional(),
  callFlow,
  callId,
  answeredHangup,
  omitEmpty,
});

/** `POST /api/v1/rules/{id}/test`: an event made up for it, sent at once, once. */
export const testEvent = z.strictObject({
  event: eventName.optional().describe("One of the rule's events; its first if left out"),
});

/** The answer to a test event. */
export const testResult = z.object({
  request: z.object({ method: z.enum(['GET', 'POST']), url: z.string(), body: z.string().nullable() }),
  status: z.int().describe('HTTP status; 0 where there was no answer'),
  error: z.string().describe('What went wrong; empty if nothing did'),
  answer: z.string().describe('The first bytes of the answer'),
  durationMs: z.number(),
  isSuccess: z.boolean(),
});
