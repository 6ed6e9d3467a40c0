import type { z } from 'zod';
import type {
  call,
  calls,
  ladder,
  ladderEvent,
  lane,
  leg,
  message,
  party,
  replay,
  requeued,
} from './resources/call.ts';
import type { callStatus, eventName, parameters, problem } from './resources/common.ts';
import type {
  attempt,
  deliveries,
  delivery,
  deliveryDetail,
  deliveryFilter,
  deliveryState,
  retry,
} from './resources/delivery.ts';
import type { health, overview, registration, registrations, script } from './resources/overview.ts';
import type { lastResult, newRule, rule, ruleChange, rules, testEvent, testResult } from './resources/rule.ts';
import type { role, session, signIn, signInMethods } from './resources/session.ts';
import type { streamMessages } from './resources/stream.ts';

// What `/api/v1` takes and gives, as types; the schemas that they come from, with their descriptions, are in `resources`.

export type EventName = z.output<typeof eventName>;
export type CallStatus = z.output<typeof callStatus>;
export type Parameters = z.output<typeof parameters>;
export type Problem = z.output<typeof problem>;

export type Role = z.output<typeof role>;
export type SignInMethods = z.output<typeof signInMethods>;
export type SignIn = z.input<typeof signIn>;
export type Session = z.output<typeof session>;

export type Rule = z.output<typeof rule>;
export type Rules = z.output<typeof rules>;
export type NewRule = z.input<typeof newRule>;
export type RuleChange = z.input<typeof ruleChange>;
export type LastResult = z.output<typeof lastResult>;
export type TestEvent = z.input<typeof testEvent>;
export type TestResult = z.output<typeof testResult>;

export type Party = z.output<typeof party>;
export type Call = z.output<typeof call>;
export type Calls = z.output<typeof calls>;
export type Leg = z.output<typeof leg>;
export type Lane = z.output<typeof lane>;
export type Message = z.output<typeof message>;
export type LadderEvent = z.output<typeof ladderEvent>;
export type Ladder = z.output<typeof ladder>;
export type Replay = z.input<typeof replay>;
export type Requeued = z.output<typeof requeued>;

export type DeliveryState = z.output<typeof deliveryState>;
export type Delivery = z.output<typeof delivery>;
export type Deliveries = z.output<typeof deliveries>;
export type Attempt = z.output<typeof attempt>;
export type DeliveryDetail = z.output<typeof deliveryDetail>;
export type DeliveryFilter = z.output<typeof deliveryFilter>;
export type Retry = z.input<typeof retry>;

export type Script = z.output<typeof script>;
export type Overview = z.output<typeof overview>;
export type Registration = z.output<typeof registration>;
export type Registrations = z.output<typeof registrations>;
export type Health = z.output<typeof health>;

/** Messages of the stream by their SSE `event`. */
export type StreamMessages = {
  readonly [Name in keyof typeof streamMessages]: z.output<(typeof streamMessages)[Name]>;
};
export type StreamMessage = {
  [Name in keyof StreamMessages]: { event: Name; data: StreamMessages[Name] };
}[keyof StreamMessages];
