import type { z } from 'zod';
import type { Problem } from './types.ts';

export type ProblemCode = Problem['error']['code'];

const STATUS: { readonly [code in ProblemCode]: number } = {
  bad_request: 400,
  unauthorized: 401,
  forbidden: 403,
  csrf: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
  too_many_requests: 429,
  unavailable: 503,
  internal: 500,
};

/** A request can't be answered as it is: by the client's fault but for `unavailable`. */
export class RequestError extends Error {
  override readonly name = 'RequestError';
  readonly code: ProblemCode;
  /** Of the answer; what checks requests sets it anew. */
  statusCode: number;
  readonly problems: Problem['error']['problems'];
  /** For `Retry-After`; 0 for none. */
  readonly waitMs: number;

  constructor(code: ProblemCode, message: string, problems?: Problem['error']['problems'], waitMs = 0) {
    super(message);
    this.code = code;
    this.statusCode = STATUS[code];
    this.problems = problems;
    this.waitMs = waitMs;
  }

  get body(): Problem {
    const { code, message, problems } = this;
    return { error: { code, message, ...(problems && { problems }) } };
  }
}

/** Input that does not fit its schema. */
export function refuseInput(issues: readonly z.core.$ZodIssue[]): RequestError {
  const problems = issues.flatMap(flatten).map(({ path, message }) => ({ path: formatPath(path), text: message }));
  return new RequestError('bad_request', describe(problems), problems);
}

/** Of several alternatives the one that comes nearest tells best. */
function flatten(issue: z.core.$ZodIssue): { path: PropertyKey[]; message: string }[] {
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [issue];
  const nearest = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0]!;
  return nearest.flatMap(flatten).map(({ path, message }) => ({ path: [...issue.path, ...path], message }));
}

const depth = (issues: readonly z.core.$ZodIssue[]): number => Math.max(0, ...issues.map(({ path }) => path.length));

const describe = (problems: readonly { path: string; text: string }[]): string =>
  problems.map(({ path, text }) => (path === '' ? text : `${path}: ${text}`)).join('; ');

/** `extensions[0]` */
const formatPath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');

/** What the client is told of an error; undefined for one of ours. */
export function describeError(error: unknown): { statusCode: number; problem: Problem; waitMs: number } | undefined {
  if (error instanceof RequestError) {
    const { code, waitMs, body } = error;
    return { statusCode: STATUS[code], waitMs, problem: body };
  }
  const { statusCode, message } = error as { statusCode?: number; message?: string };
  if (statusCode === undefined || statusCode < 400 || statusCode > 499) return undefined;
  const code = statusCode === 413 ? 'too_large' : 'bad_request';
  return { statusCode, waitMs: 0, problem: { error: { code, message: message ?? 'refused' } } };
}
