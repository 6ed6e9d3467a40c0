import { z } from 'zod';
import { count, duration, list, plainDuration } from './option-types.ts';
import { headerValue, isHttpUrl, URL_EXPECTED } from './rule-options.ts';

const SCHEDULE = ['1s', '2s', '5s', '10s', '30s', '1m', '2m', '5m', '10m', '30m', '1h', '2h', '5h', '10h'];

/** Waits between attempts. */
const schedule = z.array(plainDuration('Wait before the next attempt')).min(1).max(50);

const rate = z.number().positive().max(100_000);

const breaker = z.strictObject({
  failures: count(10, 1000, 'Failures in a row after which one delivery at a time tries whether the script is back'),
  minWait: duration('1s', 'Wait before the first such try; doubled with each that fails', '1ms', '1h'),
  maxWait: duration('60s', 'Longest wait between two', '1ms', '1d'),
});

const script = z.strictObject({
  url: z
    .string(URL_EXPECTED)
    .refine(isHttpUrl, { error: URL_EXPECTED, abort: true })
    .refine((url) => !/[?#]/.test(url), 'a URL without query is expected: it stands for all with any')
    .describe('URL of the script, without query'),
  concurrency: z.int().min(1).max(256).optional().describe('Requests to it at a time'),
  rate: rate.optional().describe('Requests to it a second'),
});

/** How requests are sent. */
export const delivery = z.strictObject({
  connectTimeout: duration('5s', 'Longest wait for a connection to a script', '1ms', '1h'),
  timeout: duration('15s', 'Longest wait for its answer', '1ms', '1h'),
  schedule: schedule.prefault(SCHEDULE).describe('Waits between attempts at a request that may succeed later'),
  staleAfter: duration('60s', 'Age at which a Dial or Answer event is no longer sent'),
  concurrency: count(8, 256, 'Requests to one script at a time'),
  rate: rate.optional().describe('Requests to one script a second; as many as there are if it is left out'),
  scripts: list(script, 'Scripts that are to be called otherwise'),
  breaker: breaker.prefault({}).describe('When a script that fails is left alone'),
  maxPending: count(1_000_000, 10_000_000, 'Deliveries waiting; further ones are counted and dropped'),
  maxPendingPerScript: count(500_000, 10_000_000, 'Deliveries waiting for one script'),
  retention: duration('7d', 'How long finished deliveries are kept'),
  userAgent: headerValue.max(200).default('').describe('User-Agent header; Ringside/VERSION if empty'),
  allowedNetworks: list(
    z.union([z.cidrv4(), z.cidrv6()], { error: 'a network such as 10.0.0.0/8 or fd00::/8 is expected' }),
    'Networks that rules from the API and the page may reach although they are private',
  ),
  drainTimeout: duration('5s', 'How long an orderly stop waits for requests under way'),
});
