import { z } from 'zod';
import { call } from './call.ts';
import { eventName, extension, extras, parameters, time } from './common.ts';
import { delivery } from './delivery.ts';

/**
 * The messages of `GET /api/v1/stream`, by the SSE field `event`; all but `start` have an `id`, by which `Last-Event-ID` goes on.
 *
 * A stream begins with `start`: what was known of calls is to be replaced by it. Events and deliveries since Last-Event-ID
 * follow, then what changes.
 */
export const streamMessages = {
  start: z
    .object({
      at: time,
      calls: z.array(call).describe('All that are live'),
      isGap: z
        .boolean()
        .describe('Some events and deliveries after the Last-Event-ID that was given are not kept any more'),
    })
    .describe('What is live now'),
  calls: z
    .object({
      changed: z.array(call).describe('As they are now; state over: no longer live'),
      gone: z.array(z.object({ id: z.string(), into: z.string().nullable() })).describe('Merged into others'),
    })
    .describe('Calls that changed since the message before'),
  event: z
    .object({ event: eventName, at: time, extension, call: z.string(), params: parameters, extras })
    .describe('A call event'),
  delivery: delivery.describe('A delivery that is new or changed'),
  rules: z.object({ at: time }).describe('Rules changed: they are to be read again'),
  counts: z
    .object({ at: time, calls: z.int(), parties: z.int(), pending: z.int() })
    .describe('Every few seconds: live calls and parties, deliveries waiting'),
} as const;
