import type { z } from 'zod';
import type { OptionProblem } from '../options.ts';
import type { Path, YamlSource } from './yaml-source.ts';

type Issue = z.core.$ZodIssue;

const SECRET = /^(password|ha1|headers|url|secret|auth|token|upstream)$/;
const MAX_SHOWN = 60;

/** The schema's complaints as problems with their places in the file. */
export function describeIssues(
  issues: readonly Issue[],
  source: YamlSource,
  keysAt: (path: Path) => string[],
): OptionProblem[] {
  return issues.flatMap((issue) => describeIssue(issue, [], source, keysAt));
}

function describeIssue(
  issue: Issue,
  base: Path,
  source: YamlSource,
  keysAt: (path: Path) => string[],
): OptionProblem[] {
  const path = [...base, ...(issue.path as (string | number)[])];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => source.problem(path, `no such option${suggest(key, keysAt(path))}`, key));
  }
  if (issue.code === 'invalid_key') {
    const key = String(path.at(-1));
    return [source.problem(path.slice(0, -1), issue.issues[0]?.message ?? issue.message, key)];
  }
  if (issue.code === 'invalid_union' && issue.message === 'Invalid input') {
    return describeUnion(issue, path, source, keysAt);
  }
  return [source.problem(path, `${expectation(issue)}${found(path, source)}`)];
}

/** Of several alternatives the one that came furthest tells best what is wrong; of equal ones, all tell what they expect. */
function describeUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: Path,
  source: YamlSource,
  keysAt: (path: Path) => string[],
): OptionProblem[] {
  const isWrongType = (alternative: readonly Issue[]): boolean =>
    alternative.some(
      ({ code, path: within, message }) =>
        within.length === 0 && (code === 'invalid_type' || message.endsWith('is expected')),
    );
  const fitting =
    issue.errors.find((alternative) => alternative.every(({ path: within }) => within.length > 0)) ??
    issue.errors.find((alternative) => !isWrongType(alternative));
  if (fitting) return fitting.flatMap((inner) => describeIssue(inner, path, source, keysAt));
  const expected = [...new Set(issue.errors.map((alternative) => withoutVerb(expectation(alternative[0]!))))];
  return [source.problem(path, `${expected.join(' or ')} is expected${found(path, source)}`)];
}

const withoutVerb = (text: string): string => text.replace(/ is expected$/, '');

const TYPES: { readonly [type: string]: string } = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/** What should stand there, as a sentence. */
function expectation(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('Invalid input')
        ? `${TYPES[issue.expected] ?? issue.expected} is expected`
        : issue.message;
    case 'invalid_value':
      return `one of ${issue.values.join(', ')} is expected`;
    case 'too_small':
      if (issue.origin === 'string') return issue.message;
      return issue.origin === 'array'
        ? 'a list with at least one entry is expected'
        : `at least ${issue.minimum} is expected`;
    case 'too_big':
      return `at most ${issue.maximum}${issue.origin === 'string' ? ' characters' : ''} is expected`;
    default:
      return issue.message;
  }
}

/** `, found …`; not for what may be secret. */
function found(path: Path, source: YamlSource): string {
  let value: unknown = source.value;
  for (const part of path) value = (value as Record<string | number, unknown> | undefined)?.[part];
  if (value === undefined) return ', found nothing';
  if (path.some((part) => SECRET.test(String(part))) || source.isHidden(path)) return '';
  if (Array.isArray(value)) return value.length > 0 ? ', found a list' : ', found an empty list';
  if (typeof value === 'object') return ', found a mapping';
  const text = JSON.stringify(value) as string | undefined;
  return text === undefined ? '' : `, found ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`;
}

function suggest(key: string, known: readonly string[]): string {
  const near = known
    .map((name) => ({ name, distance: editDistance(key.toLowerCase(), name.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (near && near.distance <= Math.ceil(key.length / 3)) return `; did you mean ${near.name}?`;
  return known.length > 0 ? `; there are ${known.join(', ')}` : '';
}

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length]!;
}
