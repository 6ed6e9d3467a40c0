import { z } from 'zod';
import { delivery } from './delivery-options.ts';
import { address, count, digits, domain, duration, list, listenAddress, numberText, place } from './option-types.ts';
import { http } from './http-options.ts';
import { callEvent, style } from './rule-options.ts';
import { sip } from './sip-options.ts';

/** One mistake in the operator's configuration. */
export interface OptionProblem {
  /** Place in the file, counted from 1; 0 where there is none. */
  readonly line: number;
  readonly column: number;
  /** Which option, such as `callEvents[0].url`; empty for the file as a whole. */
  readonly path: string;
  /** What was expected, and what was found. */
  readonly text: string;
}

/** The operator's configuration can't be used: every mistake in it, one line each. */
export class OptionError extends Error {
  override readonly name = 'OptionError';
  readonly problems: readonly OptionProblem[];

  constructor(file: string, problems: readonly OptionProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'));
    this.problems = problems;
  }
}

/** `FILE:LINE:COLUMN: path: text`, as editors and compilers write it. */
export function formatProblem(file: string, { line, column, path, text }: OptionProblem): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return `${place}: ${path === '' ? '' : `${path}: `}${text}`;
}

const extension = z.strictObject({
  number: numberText('a number (102), a range (110-119), a pattern (1??) or "*"'),
  name: z.string().max(100).default('').describe('Name shown to whom it calls, where SIP gives none'),
  kind: z
    .enum(['phone', 'queue', 'ivr', 'conference'])
    .default('phone')
    .describe(
      'Phones are judged by the calls sent to them; queues, IVRs and conferences are answered by the PBX itself',
    ),
  dids: list(digits, 'Public numbers that lead to it'),
  password: z
    .string()
    .optional()
    .describe('SIP password, for the built-in registrar; best as "${NAME}" from the environment'),
  ha1: z
    .string()
    .regex(/^([0-9a-fA-F]{32}|[0-9a-fA-F]{64})$/)
    .optional()
    .describe('Digest HA1 (MD5 or SHA-256) instead of the password'),
});

const shortExtension = numberText('a number (102), a range (110-119), a pattern (1??) or "*"').transform((number) => ({
  number,
  name: '',
  kind: 'phone' as const,
  dids: [],
}));

const tenant = z.strictObject({
  prefix: z
    .union([z.string().regex(/^[^*\s]*$/, 'digits without "*" are expected'), z.int().nonnegative().transform(String)])
    .default('')
    .describe('Prefix of extended numbers: 0003 makes 0003*101; without one extensions have plain numbers'),
  domains: list(domain, 'SIP domains of its users'),
  pbx: list(place, 'Addresses of its PBX; with a port where others share the address'),
  trunks: list(address, 'Addresses of its trunks'),
  extensions: list(
    z.union([shortExtension, extension]),
    'Its extensions: numbers, ranges, patterns, or one with name and DIDs',
  ),
  dialPrefixes: list(numberText('digits'), 'Digits for an outside line, stripped before a dialled number is compared'),
  pickupCodes: list(numberText('a code such as "*8"'), "Codes dialled to take another phone's ringing call"),
  sensor: z
    .enum(['phones', 'trunk'])
    .default('phones')
    .describe("trunk: the phones' own traffic does not pass here, so they are judged by the calls addressed to them"),
});

const status = z.enum(['ANSWER', 'BUSY', 'NOANSWER', 'CANCEL', 'CONGESTION', 'CHANUNAVAIL']);

const calls = z.strictObject({
  dialHold: duration('1s', 'How long an INVITE may go without a challenge before it counts as a call'),
  challengeWait: duration('60s', 'How long a challenged INVITE waits for the one with credentials'),
  redirectWait: duration('5s', 'How long a redirected caller has to follow'),
  ringLimit: duration('195s', 'Longest silence before the final response: Timer C (185 s) and 10 s'),
  longestCall: duration('1d', 'Longest answered call where no session timer tells'),
  sessionSlack: duration('32s', 'How long a session may outlast its interval'),
  linger: duration('32s', 'How long an ended leg is kept for retransmissions'),
  correlationHeaders: z
    .array(z.string().regex(/^[\w!%*+`'~.-]{1,60}(;[\w.-]{1,60})?$/, 'a header, or header;parameter, is expected'))
    .max(16)
    .default(['X-CID', 'P-Charging-Vector;icid-value', 'Cisco-Guid', 'Av-Global-Session-ID'])
    .describe('Headers that a PBX copies from one leg of a call to the next, or that name the Call-ID of the other'),
});

const limits = z.strictObject({
  legs: count(500_000, 10_000_000, 'Legs at a time'),
  forks: count(64, 1000, 'Forks and dialogs of a leg'),
  contacts: count(100_000, 10_000_000, 'Registered contacts remembered'),
  connections: count(10_000, 1_000_000, 'SIP connections over TCP, TLS and WebSocket at a time'),
  connectionsPerAddress: count(1000, 1_000_000, 'SIP connections from one IP address at a time'),
  transactions: count(500_000, 10_000_000, 'SIP transactions at a time'),
  messageBytes: count(65_536, 1_048_576, 'Size of a SIP message'),
  observedBytes: count(
    67_108_864,
    1_073_741_824,
    'SIP that waits to be looked at, and HEP; what comes on top is forwarded unseen, or lost',
  ),
});

/** Every option of `ringside.yaml`, with its default: an empty file is complete. */
export const optionsSchema = z
  .strictObject({
    tenants: list(tenant, 'Numbering plans and networks'),
    callEvents: list(callEvent, 'Which events of which extensions go to which scripts'),
    defaults: z
      .strictObject({
        callFlow: style.callFlow.default('upper'),
        callId: style.callId.default('sip'),
        answeredHangup: style.answeredHangup.default('ANSWER'),
        omitEmpty: style.omitEmpty.default(false),
      })
      .prefault({})
      .describe('How parameters are written, for rules that do not say so themselves'),
    sip,
    hep: z
      .strictObject({
        listen: list(listenAddress('udp|tcp', 9060), 'Addresses for HEP from capture agents'),
        maxClockSkew: duration('2s', "How far an agent's clock may be off before the time of arrival counts"),
      })
      .prefault({})
      .describe('Beside the SIP path: HEP'),
    http,
    delivery: delivery.prefault({}).describe('How requests are sent'),
    calls: calls.prefault({}).describe('Times of calls'),
    callStatus: z
      .strictObject({
        responses: z
          .record(z.string().regex(/^[3-6]\d\d$/, 'a final response code is expected'), status)
          .default({})
          .describe('By final response, such as 603: CONGESTION'),
        q850: z
          .record(z.string().regex(/^([1-9]|[1-9]\d|1[01]\d|12[0-7])$/, 'a Q.850 cause is expected'), status)
          .default({})
          .describe('By Q.850 cause, such as 21: BUSY'),
      })
      .prefault({})
      .describe('Changes to the CallStatus table, by final response code and by Q.850 cause'),
    limits: limits.prefault({}).describe('Bounds on what peers can make grow'),
    log: z
      .strictObject({
        level: z
          .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
          .default('info')
          .describe('What the log tells'),
      })
      .prefault({})
      .describe('The log'),
    store: z
      .string()
      .min(1, 'the path of a file is expected')
      .default('./ringside.db')
      .describe('File of the outbox; relative to the configuration'),
  })
  .describe('Configuration of Ringside');

/** The configuration, checked and complete; durations in ms. */
export type Options = z.output<typeof optionsSchema>;

/** Editors see `${NAME}` where Ringside sees its value. */
function allowVariables(schema: { pattern?: string | undefined }): void {
  const variable = String.raw`|\$\{`;
  // What wraps a text hands its pattern on, so it comes by more than once.
  if (schema.pattern?.endsWith(variable) === false) schema.pattern = `(?:${schema.pattern})${variable}`;
}

/** The JSON Schema that editors complete and check `ringside.yaml` with. */
export function makeJsonSchema(): object {
  const schema = z.toJSONSchema(optionsSchema, {
    io: 'input',
    target: 'draft-7',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => allowVariables(jsonSchema),
  });
  return { ...schema, title: 'ringside.yaml' };
}
