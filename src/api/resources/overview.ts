import { z } from 'zod';
import { callStatus, extension, time } from './common.ts';

const values = z.array(z.number().nullable());
const quantiles = z.object({ p50: values, p95: values }).describe('In ms; null where there was nothing');

/** How a script does. */
export const script = z.object({
  url: z.string().describe('Without its query'),
  health: z.enum(['ok', 'failing', 'down', 'unknown']).describe('By its latest attempts'),
  pending: z.int(),
  delivered: z.int().describe('Of its last 200 attempts'),
  failed: z.int().describe('Of its last 200 attempts'),
  p50Ms: z.number().nullable(),
  p95Ms: z.number().nullable(),
  lastAt: time.nullable(),
  lastStatus: z.int().nullable(),
  lastError: z.string(),
});

/** `GET /api/v1/overview`: every list has one value for each step. */
export const overview = z.object({
  at: time,
  from: time.describe('Begin of the first step'),
  stepMs: z.int(),
  steps: z.int(),
  calls: z.object({
    began: values,
    byStatus: z.record(callStatus, values).describe('Parts of extensions in calls that ended, by their CallStatus'),
    answerMs: quantiles.describe('From the ringing to the answer'),
    live: z.int(),
    parties: z.int().describe('Live ones'),
  }),
  deliveries: z.object({
    pending: z.int(),
    dead: z.int().describe('Dead letters in the store'),
    queue: values.describe('Deliveries waiting'),
    delivered: values,
    failed: values.describe('Attempts that failed'),
    deliveryMs: quantiles.describe('From the event to the 2xx'),
  }),
  scripts: z.array(script),
  registrations: z.int(),
});

/** Where an extension can be reached. */
export const registration = z.object({
  extension,
  name: z.string(),
  contact: z.string(),
  transport: z.string(),
  address: z.string(),
  expiresAt: time,
});

/** `GET /api/v1/registrations`. */
export const registrations = z.object({
  isRegistrar: z.boolean().describe('false: phones register with the PBX, and pass through here or not'),
  registrations: z.array(registration),
  left: z.int().describe('How many more there are than are shown'),
});

/** `GET /api/v1/health`: the checks only for who may see them. */
export const health = z.object({
  status: z.enum(['ok', 'degraded', 'failing']),
  version: z.string().optional(),
  startedAt: time.optional(),
  checks: z
    .array(z.object({ name: z.string(), status: z.enum(['ok', 'degraded', 'failing']), text: z.string() }))
    .optional(),
});
