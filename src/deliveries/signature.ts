import { createHmac, type KeyObject } from 'node:crypto';
import type { ScriptRequest } from './request.ts';

/**
 * Headers by which a script knows whom a request is from: one signature for each secret; none without secrets.
 *
 * `at` is the epoch ms of the attempt. Standard Webhooks 1.0.0, "Signature scheme".
 */
export function signRequest(
  request: ScriptRequest,
  eventId: string,
  secrets: readonly KeyObject[],
  at: number,
): Readonly<Record<string, string>> {
  if (secrets.length === 0) return {};
  const timestamp = String(Math.floor(at / 1000));
  const content = `${eventId}.${timestamp}.${payloadOf(request)}`;
  const signatures = secrets.map((key) => `v1,${createHmac('sha256', key).update(content).digest('base64')}`);
  return { 'webhook-id': eventId, 'webhook-timestamp': timestamp, 'webhook-signature': signatures.join(' ') };
}

/** The body; of a GET, which has none, the query as it stands in the request line. */
const payloadOf = ({ body, url }: ScriptRequest): string => body ?? new URL(url).search.slice(1);
