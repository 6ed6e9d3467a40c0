import { z } from 'zod';
import { extension, time } from './common.ts';

export const role = z
  .enum(['operator', 'extension'])
  .describe("operator: everything; extension: one extension's own user, who sees and edits only that");

/** Without a session: how one can sign in. `GET /api/v1/sign-in`. */
export const signInMethods = z.object({
  password: z.boolean().describe('Users are configured'),
  link: z.boolean().describe('No user is configured: a sign-in link was printed at the start'),
});

/** `POST /api/v1/session`: user and password, or the token of the link that was printed at the start. */
export const signIn = z.union([
  z.strictObject({ user: z.string().max(200), password: z.string().max(1000) }),
  z.strictObject({ token: z.string().max(200).describe('From the fragment of the link: /sign-in#token=…') }),
]);

/** `GET`, `POST /api/v1/session`. */
export const session = z.object({
  user: z.string(),
  role,
  extension: extension.nullable().describe('Of the role extension: whose'),
  tenant: z.string().nullable().describe('Prefix of the only tenant to be seen; null: all'),
  canWrite: z.boolean(),
  csrfToken: z
    .string()
    .describe('To be sent as the header X-CSRF-Token with every request that is not GET; null for bearer tokens')
    .nullable(),
  expiresAt: time.nullable(),
});
