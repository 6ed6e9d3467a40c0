import { z } from 'zod';
import { EVENT_NAMES, EXTRA_NAMES } from './calls/event.ts';
import { list, numberText, plainDuration } from './option-types.ts';

/** How parameters are written. */
export const style = {
  callFlow: z.enum(['upper', 'lower']).describe('CallFlow as IN and OUT, or as in and out'),
  callId: z.enum(['sip', 'epoch']).describe('CallID as the SIP Call-ID, or as <epoch seconds>.<sequence>'),
  answeredHangup: z.enum(['ANSWER', 'HANGUP']).describe('CallStatus of the Hangup of an answered call'),
  omitEmpty: z.boolean().describe('Leave empty parameters out'),
};

const oneOrMany = <T extends z.ZodType>(item: T) => z.union([item.transform((one) => [one]), z.array(item).min(1)]);

const event = z.enum(EVENT_NAMES);
/** Which extensions a rule is for. */
export const pattern = numberText('an extended number (0003*101), a range (0003*110-119), a pattern (0003*1??) or "*"');

const OWN_HEADERS =
  /^(host|content-length|transfer-encoding|connection|keep-alive|upgrade|expect|te|trailer|proxy-connection|webhook-.*)$/i;
const headerName = z
  .string()
  .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'a header name is expected')
  .refine((name) => !OWN_HEADERS.test(name), 'a header that neither HTTP nor a signature sets is expected');
const HEADER_VALUE = 'a header value of one line, in Latin letters, is expected';
/** The value of an HTTP header. RFC 9110 §5.5. */
export const headerValue = z.string(HEADER_VALUE).regex(/^[\t\x20-\x7e\x80-\xff]*$/, HEADER_VALUE);

/** Begins the secrets that requests are signed with. */
export const SECRET_PREFIX = 'whsec_';
const SECRET = 'a secret of whsec_ and 24 to 64 bytes in base64 is expected';
const secret = z
  .string(SECRET)
  .regex(
    /^whsec_([A-Za-z0-9+/]{4}){8,20}([A-Za-z0-9+/]{4}([A-Za-z0-9+/]{2}==)?|[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/,
    SECRET,
  );

const noControls = (what: string, pattern: RegExp) =>
  z.string(`${what} is expected`).regex(pattern, `${what} is expected`);

const file = (describe: string) =>
  z.string().min(1, 'the path of a file is expected').optional().describe(`${describe}; relative to the configuration`);

const basic = z.strictObject({
  user: noControls('a user without ":"', /^[^:\p{Cc}]+$/u).describe('Name of the user'),
  password: noControls('a password of one line', /^\P{Cc}*$/u).describe('Best as "${NAME}" from the environment'),
});

const auth = z
  .strictObject({
    basic: basic.optional().describe('User and password'),
    bearer: noControls('a bearer token', /^[A-Za-z0-9._~+/-]+=*$/)
      .optional()
      .describe('A token; best as "${NAME}" from the environment'),
  })
  .refine(
    (given) => (given.basic === undefined) !== (given.bearer === undefined),
    'either basic or bearer is expected',
  );

const tls = z
  .strictObject({
    ca: file('Authorities (PEM) that sign the certificate of the script; no others are trusted then'),
    cert: file('Certificate (PEM, with its chain) to show to the script'),
    key: file('Key (PEM) of that certificate'),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2').describe('Oldest version of TLS'),
  })
  .refine(({ cert, key }) => cert !== undefined || key === undefined, {
    path: ['cert'],
    error: 'the certificate of key is expected',
  })
  .refine(({ cert, key }) => key !== undefined || cert === undefined, {
    path: ['key'],
    error: 'the key of cert is expected',
  });

export const URL_EXPECTED = 'an http or https URL is expected';

/** Which events of which extensions go to which script, and how it is called. */
export const callEvent = z.strictObject({
  extension: oneOrMany(pattern).describe('Whose events: one, a list, a range, a pattern or "*"'),
  event: oneOrMany(event).describe('Which events: one or several of dial-in, dial-out, answer-in, answer-out, hangup'),
  method: z.enum(['GET', 'POST']).default('GET').describe('GET: parameters in the query; POST: in the body'),
  url: z
    .string(URL_EXPECTED)
    .max(4096)
    .refine(isHttpUrl, { error: URL_EXPECTED, abort: true })
    .refine(hasNoUser, 'a URL without user and password is expected; give them as auth.basic')
    .describe('The script; a query it has is kept'),
  note: z.string().default('').describe('For people to read'),
  enabled: z.boolean().default(true).describe('false: nothing is sent'),
  extras: list(z.enum(EXTRA_NAMES), 'Parameters to append to the ten'),
  body: z.enum(['form', 'json']).default('form').describe('Body of a POST'),
  headers: z
    .record(headerName, headerValue)
    .default({})
    .describe('Headers to add; secrets best as "${NAME}" from the environment'),
  auth: auth.optional().describe('How Ringside shows the script who it is'),
  secret: z
    .union([secret.transform((one) => [one]), z.array(secret).min(1).max(2)])
    .default([])
    .describe('Signs requests; two while one replaces the other; best as "${NAME}" from the environment'),
  tls: tls.optional().describe('How the certificate of an https script is checked, and which is shown to it'),
  schedule: z
    .array(plainDuration('Wait before the next attempt'))
    .min(1)
    .max(50)
    .optional()
    .describe('Waits between attempts, instead of delivery.schedule'),
  staleAfter: plainDuration(
    'Age at which a Dial or Answer event is no longer sent, instead of delivery.staleAfter',
  ).optional(),
  callFlow: style.callFlow.optional(),
  callId: style.callId.optional(),
  answeredHangup: style.answeredHangup.optional(),
  omitEmpty: style.omitEmpty.optional(),
});

// A browser would mend `http:/host` and drop line breaks, but the URL is sent as it is written.
export function isHttpUrl(text: string): boolean {
  return /^https?:\/\/[^/\s][^\s\p{Cc}]*$/iu.test(text) && URL.canParse(text);
}

function hasNoUser(text: string): boolean {
  const url = URL.parse(text);
  return url?.username === '' && url.password === '';
}
