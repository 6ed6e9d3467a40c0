import { z } from 'zod';
import { EVENT_NAMES } from '../../calls/event.ts';

/** A time in UTC with milliseconds: `2026-11-23T13:46:46.123Z`. RFC 3339. */
export const time = z.iso.datetime({ precision: 3 }).describe('UTC, with milliseconds');

/** An extended number. */
export const extension = z.string().describe('Extended number, such as 0003*102; the plain number without a prefix');

export const eventName = z.enum(EVENT_NAMES);

export const callStatus = z
  .enum(['ANSWER', 'BUSY', 'NOANSWER', 'CANCEL', 'CONGESTION', 'CHANUNAVAIL'])
  .describe('How a call ended');

/** The ten parameters as scripts get them by default. */
export const parameters = z
  .object({
    CallID: z.string(),
    CallerIDNum: z.string(),
    CallerIDName: z.string(),
    CalledDID: z.string(),
    CalledExtension: z.string(),
    CallStatus: z.enum(['CALLING', ...callStatus.options]),
    CallFlow: z.enum(['IN', 'OUT']),
    CallerExtension: z.string(),
    CalledNumber: z.string(),
    CallAPIID: z.string(),
  })
  .describe('The ten parameters, empty where unknown');

export const extras = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .describe('What else is known of the event: EventID, Detail, SipCode, DurationMs and the like');

/** Of an address that names one by its id. */
export const identifierParams = z.object({ id: z.string().max(300) });

/** Errors of `/api/v1`, whatever the status. */
export const problem = z
  .object({
    error: z.object({
      code: z.enum([
        'bad_request',
        'unauthorized',
        'forbidden',
        'csrf',
        'not_found',
        'conflict',
        'too_large',
        'too_many_requests',
        'unavailable',
        'internal',
      ]),
      message: z.string().describe('For people to read'),
      problems: z
        .array(z.object({ path: z.string(), text: z.string() }))
        .optional()
        .describe('Of input that was refused: which fields, such as url or extensions[0], and what is expected there'),
    }),
  })
  .describe('What went wrong');
