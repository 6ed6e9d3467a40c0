import { FIELDS, type Field, type PhoneCallEvent } from './phone-call-event.ts';
import { UnifiedError } from './unified-error.ts';

const DEFAULT_COUNT = 20;
const MAX_COUNT = 5000;
const MAX_START = 5000;
const NUMERIC: readonly Field[] = ['type', 'method', 'status'];
const FILTERED = ['id', 'method', 'modified', 'note', 'status', 'type', 'url'] as const;
const OPERATORS = ['equals', 'contains', 'startsWith', 'present', 'greaterThan', 'lessThan', 'inArray'] as const;
const ORDERS: { readonly [text: string]: 1 | -1 } = { asc: 1, ascending: 1, desc: -1, descending: -1 };

type Operator = (typeof OPERATORS)[number];
type Query = Readonly<Record<string, unknown>>;
type Test = (event: PhoneCallEvent) => boolean;

/** What a List asks for. */
export interface ListQuery {
  readonly count: number;
  readonly startIndex: number;
  readonly fits: Test;
  readonly order: 1 | -1 | 0;
  readonly fields: readonly Field[] | undefined;
}

/** Reads the query of a List; parameters that are unknown are left alone. @throws UnifiedError */
export function readListQuery(query: Query): ListQuery {
  return {
    count: readNumber(query['count'], DEFAULT_COUNT, 1, MAX_COUNT, 'count_invalid'),
    startIndex: readNumber(query['startIndex'], 0, 0, MAX_START, 'startindex_invalid'),
    fits: readFilter(query),
    order: readOrder(query['sortOrder'] ?? query['sortOder']), // a client of the original's writes it so
    fields: readFields(query['fields']),
  };
}

/** One page of a collection; `addressOf` gives the address of another. */
export function makeCollection(
  events: readonly PhoneCallEvent[],
  { count, startIndex, fits, order, fields }: ListQuery,
  addressOf: (startIndex: number) => string,
): object {
  const found = events.filter(fits);
  if (order !== 0) found.sort((a, b) => (a.url < b.url ? -order : a.url > b.url ? order : 0));
  const page = found.slice(startIndex, startIndex + count);
  const links = {
    ...(startIndex + count < found.length && { next: addressOf(startIndex + count) }),
    ...(startIndex > 0 && { prev: addressOf(Math.max(0, startIndex - count)) }),
  };
  return {
    entry: fields ? page.map((event) => pick(event, fields)) : page,
    totalResults: found.length,
    itemsPerPage: count,
    startIndex,
    ...(Object.keys(links).length > 0 && { links }),
  };
}

const pick = (event: PhoneCallEvent, fields: readonly Field[]): object =>
  Object.fromEntries(fields.flatMap((field) => (event[field] === undefined ? [] : [[field, event[field]]])));

function readNumber(
  value: unknown,
  fallback: number,
  min: number,
  max: number,
  code: 'count_invalid' | 'startindex_invalid',
): number {
  if (value === undefined) return fallback;
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : NaN;
  if (!(number >= min && number <= max)) throw new UnifiedError(code);
  return number;
}

function readOrder(value: unknown): 1 | -1 | 0 {
  if (value === undefined) return 0;
  const order = typeof value === 'string' && Object.hasOwn(ORDERS, value) ? ORDERS[value] : undefined;
  if (!order) throw new UnifiedError('sortorder_invalid');
  return order;
}

function readFields(value: unknown): readonly Field[] | undefined {
  if (value === undefined) return undefined;
  const names = (Array.isArray(value) ? (value as unknown[]) : [value]).flatMap((part) => String(part).split(','));
  return names.map((name) => {
    const field = FIELDS.find((known) => known === name.trim());
    if (!field) throw new UnifiedError('fields_invalid');
    return field;
  });
}

function readFilter(query: Query): Test {
  const { filterBy, filterValue, filterOp = 'equals' } = query;
  const operator = OPERATORS.find((known) => known === filterOp);
  if (!operator) throw new UnifiedError('filterop_invalid');
  if (filterBy === undefined) return () => true;
  const field = FILTERED.find((known) => known === filterBy);
  if (!field) throw new UnifiedError('filterby_invalid');
  if (operator === 'present') return (event) => (event[field] ?? '') !== '';
  if (typeof filterValue !== 'string') throw new UnifiedError('filtervalue_invalid');
  const values = operator === 'inArray' ? filterValue.split(',') : [filterValue];
  const isText = operator === 'contains' || operator === 'startsWith';
  const comparables = values.map((value) => (isText ? value : comparable(field, value)));
  const compare = COMPARISONS[operator];
  return (event) => {
    const own = event[field] ?? '';
    return comparables.some((value) => compare(isText ? own : comparable(field, own), value));
  };
}

type Comparable = string | number;

const COMPARISONS: {
  readonly [operator in Exclude<Operator, 'present'>]: (own: Comparable, value: Comparable) => boolean;
} = {
  equals: (own, value) => own === value,
  inArray: (own, value) => own === value,
  contains: (own, value) => String(own).includes(String(value)),
  startsWith: (own, value) => String(own).startsWith(String(value)),
  greaterThan: (own, value) => own > value,
  lessThan: (own, value) => own < value,
};

/** Numbers and times are compared as such. */
function comparable(field: Field, value: string): Comparable {
  if (field === 'modified') return value === '' ? NaN : readDate(value);
  if (!NUMERIC.includes(field)) return value;
  if (!/^\d{1,9}$/.test(value)) throw new UnifiedError('filtervalue_invalid');
  return Number(value);
}

function readDate(value: string): number {
  const at = Date.parse(value);
  if (Number.isNaN(at)) throw new UnifiedError('filtervalue_invalid');
  return at;
}
