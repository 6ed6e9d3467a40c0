import { EVENT_NAMES, type EventName } from '../../calls/event.ts';
import { callEvent } from '../../rule-options.ts';
import type { RuleEntry } from '../../rules/rule-checks.ts';
import { UnifiedError, type UnifiedCode } from './unified-error.ts';

/** A call event as the UnifiedAPI has it; numbers are texts there. */
export interface PhoneCallEvent {
  readonly type: string;
  readonly id: string;
  readonly method: string;
  readonly note: string;
  readonly url: string;
  readonly status: string;
  readonly modified?: string;
  readonly links: { readonly self: string };
  /** Ours: it is one of the configuration file, or of wider use, and can't be changed here. */
  readonly readOnly?: string;
}

export const FIELDS = ['id', 'method', 'modified', 'note', 'status', 'type', 'url', 'links', 'readOnly'] as const;

export type Field = (typeof FIELDS)[number];

const METHODS = ['GET', 'POST'] as const;
const MAX_NOTE = 1000;

/** The event of a type, `0` to `4` as text or number. */
export function readType(value: unknown, code: UnifiedCode): EventName {
  const name = /^[0-4]$/.test(textOf(value)) ? EVENT_NAMES[Number(value)] : undefined;
  if (!name) throw new UnifiedError(code);
  return name;
}

export const writeType = (event: EventName): string => String(EVENT_NAMES.indexOf(event));

export const writeMethod = (method: (typeof METHODS)[number]): string => String(METHODS.indexOf(method));

/** Fields of a body that are there, checked; `id`, `modified` and `links` are ours and left alone. */
export type Change = Pick<Partial<RuleEntry>, 'method' | 'url' | 'note' | 'enabled'>;

/** What a body changes. @throws UnifiedError */
export function readChange(body: Readonly<Record<string, unknown>>): Change {
  const { method, url, note, status } = body;
  return {
    ...(method !== undefined && { method: readMethod(method) }),
    ...(url !== undefined && { url: readUrl(url) }),
    ...(note !== undefined && { note: readNote(note) }),
    ...(status !== undefined && { enabled: readStatus(status) }),
  };
}

/** A new rule of one event for one extension. Status and note may be left out. @throws UnifiedError */
export function readNew(extension: string, event: EventName, body: Readonly<Record<string, unknown>>): RuleEntry {
  const { method, url } = body;
  return callEvent.parse({ extension, event, ...readChange({ ...body, method: method ?? '', url: url ?? '' }) });
}

function readMethod(value: unknown): RuleEntry['method'] {
  const method = /^[01]$/.test(textOf(value)) ? METHODS[Number(value)] : undefined;
  if (!method) throw new UnifiedError('pce_method_invalid');
  return method;
}

/** By the same rules as a URL in the configuration. */
function readUrl(value: unknown): string {
  const result = callEvent.shape.url.safeParse(value);
  if (!result.success)
    throw new UnifiedError('pce_url_invalid', `The URL is missing or invalid: ${result.error.issues[0]!.message}.`);
  return result.data;
}

function readNote(value: unknown): string {
  if (value === null) return '';
  if (typeof value !== 'string' || value.length > MAX_NOTE) throw new UnifiedError('pce_note_invalid');
  return value;
}

function readStatus(value: unknown): boolean {
  if (!/^[01]$/.test(textOf(value))) throw new UnifiedError('pce_status_invalid');
  return textOf(value) === '1';
}

const textOf = (value: unknown): string =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : '';
