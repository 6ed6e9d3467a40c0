import { z } from 'zod';
import { callStatus, eventName, extension, extras, parameters, time } from './common.ts';

/** One continuous participation of one extension in one call. */
export const party = z.object({
  id: z.string().describe('The same as the extra SubCallID'),
  extension,
  name: z.string().describe('Configured name; empty if there is none'),
  role: z.enum(['caller', 'called']),
  state: z.enum(['calling', 'ringing', 'answered', 'over']),
  dialledAt: time,
  rangAt: time.nullable(),
  answeredAt: time.nullable(),
  endedAt: time.nullable(),
  status: callStatus.nullable().describe('Once it is over'),
  detail: z.string().nullable().describe('What decided the status, such as response_486; once it is over'),
  callerNumber: z.string(),
  callerName: z.string(),
  dialled: z.string().describe('What the caller dialled'),
  did: z.string(),
  answeredBy: extension.nullable(),
  transferredBy: extension.nullable(),
});

/** A call with its parties. */
export const call = z.object({
  id: z.string().describe('CallAPIID'),
  otherIds: z.array(z.string()).describe('Of calls that became part of it'),
  state: z.enum(['live', 'over']),
  startedAt: time,
  endedAt: time.nullable(),
  caller: z.string().describe('Number of who called'),
  callerName: z.string(),
  dialled: z.string(),
  status: callStatus.nullable().describe('What it came to, once it is over; null if nothing was told of it'),
  legs: z.int(),
  messages: z.int(),
  parties: z.array(party),
});

/** `GET /api/v1/calls`: newest first. */
export const calls = z.object({
  calls: z.array(call),
  next: z.string().nullable().describe('To be given as `before` for those that follow; null at the end'),
});

export const leg = z.object({
  number: z.int().describe('From 1'),
  callId: z.string().describe('SIP Call-ID'),
  caller: z.string(),
  called: z.string(),
  startedAt: time,
  answeredAt: time.nullable(),
  endedAt: time.nullable(),
  lanes: z.array(z.int()).describe('Along which its INVITE went, by place in `lanes`'),
  join: z
    .object({
      method: z.string(),
      confidence: z.number().describe('1: certain'),
      leg: z.int().nullable().describe('Number of the leg it was joined to'),
    })
    .nullable()
    .describe('How it came to the call; null for the leg that began it'),
  isTransfer: z.boolean().describe('It came about by a transfer or pickup'),
  words: z.array(z.string()).describe('The same in words'),
});

/** A column of the ladder. */
export const lane = z.object({
  label: z.string().describe('PBX, trunk, proxy or the numbers of a phone; empty where nothing is known'),
  address: z.string(),
});

export const message = z.object({
  line: z.int().describe('From 1'),
  at: time,
  leg: z.int(),
  from: z.int().describe('Place in `lanes`'),
  to: z.int(),
  transport: z.string(),
  method: z.string().describe("Of a response: its request's"),
  statusCode: z.int().describe('0 for a request'),
  text: z.string().describe('INVITE 102, 180 Ringing, 200 OK (BYE)'),
  target: z.string().describe('Whom a REFER or 3xx asks to call; empty if nobody'),
  repeats: z.enum(['copy', 'retransmission']).nullable(),
  notes: z.array(z.string()).describe('What the arrow has no room for'),
});

/** An event, at the message that brought it about. */
export const ladderEvent = z.object({
  line: z.int().nullable().describe('Of the message; null where it was the time, or a message that is not kept'),
  isTimed: z.boolean(),
  at: time,
  event: eventName,
  extension,
  params: parameters,
  extras,
  leg: z.int().nullable(),
  section: z.string().describe('Of the design, that says so: 4.5'),
  words: z.string().describe('Why: final response 486 Busy Here'),
  summary: z.string().describe('hangup 0003*102 BUSY'),
});

/** `GET /api/v1/calls/{id}/ladder`. */
export const ladder = z.object({
  call,
  legs: z.array(leg),
  lanes: z.array(lane),
  messages: z.array(message),
  messagesLeft: z.int().describe('Messages of the call that are not kept'),
  events: z.array(ladderEvent).describe('In their order'),
});

/** `POST /api/v1/calls/{id}/replay`: the events of a call once more to one rule, whether it asks for them or not. */
export const replay = z.strictObject({ rule: z.string() });

/** What a replay or a retry brought about. */
export const requeued = z.object({ deliveries: z.int().describe('How many deliveries are pending again or anew') });
