import { z } from 'zod';
import { eventName, extension, time } from './common.ts';

export const deliveryState = z.enum(['pending', 'delivered', 'stale', 'dead']);

/** One event for one rule. */
export const delivery = z.object({
  id: z.int(),
  eventId: z.string(),
  rule: z.string().describe('Id of the rule'),
  event: eventName,
  extension,
  call: z.string().describe('CallAPIID'),
  method: z.enum(['GET', 'POST']),
  url: z.string().describe('Without the query of its rule where that may be secret'),
  state: deliveryState,
  attempts: z.int(),
  createdAt: time,
  nextAttemptAt: time.nullable().describe('While it is pending'),
  finishedAt: time.nullable(),
  status: z.int().nullable().describe('HTTP status of the last attempt, 0 without answer; null before the first'),
  error: z.string().describe('Of the last attempt; empty if nothing went wrong'),
});

/** `GET /api/v1/deliveries`: newest first. */
export const deliveries = z.object({
  deliveries: z.array(delivery),
  next: z.string().nullable().describe('To be given as `before` for those that follow; null at the end'),
});

/** One HTTP request of a delivery. */
export const attempt = z.object({
  number: z.int().describe('From 1'),
  at: time.describe('When it was begun'),
  durationMs: z.number(),
  status: z.int().describe('HTTP status; 0 where there was no answer'),
  error: z.string(),
  answer: z.string().describe('The first bytes of the answer'),
});

/** `GET /api/v1/deliveries/{id}`. */
export const deliveryDetail = delivery.extend({
  contentType: z.string().nullable(),
  body: z.string().nullable(),
  history: z.array(attempt).describe('Oldest first'),
});

/** Filters of `GET /api/v1/deliveries` and `POST /api/v1/deliveries/retry`, all of which have to fit. */
export const deliveryFilter = z.strictObject({
  state: deliveryState.optional(),
  rule: z.string().optional(),
  call: z.string().optional(),
  extension: extension.optional(),
  event: eventName.optional(),
  url: z.string().max(200).optional().describe('Part of the URL, without its query'),
  status: z.coerce.number().int().min(0).max(999).optional().describe('HTTP status of the last attempt; 0 for none'),
  from: time.optional(),
  to: time.optional(),
});

/** `POST /api/v1/deliveries/retry`: those of the ids, or of the filter. */
export const retry = z.union([
  z.strictObject({ ids: z.array(z.int()).min(1).max(1000) }),
  z.strictObject({ filter: deliveryFilter }),
]);
