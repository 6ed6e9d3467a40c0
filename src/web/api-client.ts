import type { Problem } from '../api/types.ts';

/** What went wrong with a request, in words for people; `status` 0: the server could not be reached. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  /** Fields that were refused, and what is expected there. */
  readonly problems: readonly { readonly path: string; readonly text: string }[];

  constructor(status: number, message: string, problems: ApiError['problems'] = []) {
    super(message);
    this.status = status;
    this.problems = problems;
  }
}

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE';

let csrfToken = '';
let onSignedOut = (): void => {};

/** The session's token, which goes with whatever changes something; empty without a session. */
export const useCsrfToken = (token: string): void => void (csrfToken = token);

/** Called whenever the server no longer knows the session. */
export const whenSignedOut = (call: () => void): void => void (onSignedOut = call);

/** One request of `/api/v1`. @throws ApiError */
export async function request<T>(method: Method, path: string, body?: unknown): Promise<T> {
  const response = await ask(method, path, body);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export const get = <T>(path: string): Promise<T> => request<T>('GET', path);

/** What is no JSON. @throws ApiError */
export const getText = async (path: string): Promise<string> => (await ask('GET', path)).text();

async function ask(method: Method, path: string, body?: unknown): Promise<Response> {
  const response = await send(method, `/api/v1${path}`, body);
  if (response.ok) return response;
  const { error } = await readProblem(response);
  if (response.status === 401 && csrfToken !== '') onSignedOut();
  throw new ApiError(response.status, error.message, error.problems ?? []);
}

async function send(method: Method, path: string, body: unknown): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrfToken !== '') headers['x-csrf-token'] = csrfToken;
  const init: RequestInit = { method, headers, credentials: 'same-origin' };
  try {
    return await fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  } catch {
    throw new ApiError(0, 'Ringside can’t be reached. It may be restarting; try again in a moment.');
  }
}

async function readProblem(response: Response): Promise<Problem> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return { error: { code: 'internal', message: `The server answered ${response.status} ${response.statusText}` } };
  }
}

/** `?state=dead&url=crm`, without what is empty; '' if nothing is left. */
export function formatQuery(values: Readonly<Record<string, string | number | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== '') query.set(name, `${value}`);
  }
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
