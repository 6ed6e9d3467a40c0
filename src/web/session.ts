import { signal } from '@preact/signals';
import type { Session, SignIn } from '../api/types.ts';
import { ApiError, get, request, useCsrfToken, whenSignedOut } from './api-client.ts';

/** Whose session it is: undefined while that is asked, null without one. */
export const session = signal<Session | null | undefined>(undefined);

function use(found: Session | null): void {
  useCsrfToken(found?.csrfToken ?? '');
  session.value = found;
}

/** Asks the server for the session that the browser's cookie names. */
export async function loadSession(): Promise<void> {
  whenSignedOut(() => use(null));
  try {
    use(await get<Session>('/session'));
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401) throw error;
    use(null);
  }
}

/** @throws ApiError */
export async function signIn(credentials: SignIn): Promise<void> {
  use(await request<Session>('POST', '/session', credentials));
}

/** @throws ApiError */
export async function signOut(): Promise<void> {
  await request('DELETE', '/session');
  use(null);
}

export const canWrite = (): boolean => session.value?.canWrite === true;
export const isOperator = (): boolean => session.value?.role === 'operator';
/** Whether all extensions of all tenants are to be seen. */
export const seesAll = (): boolean => isOperator() && session.value?.tenant === null;
/** Sending again what was sent is for operators. */
export const canSendAgain = (): boolean => canWrite() && isOperator();
