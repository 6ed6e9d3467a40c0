import { parseParameters } from '../sip/parameter.ts';

/** A dialog as Replaces, Join and Target-Dialog name it; which tag is whose depends on who reads it. */
export interface DialogName {
  readonly callId: string;
  readonly tags: readonly [string, string];
}

/** Reads `call-id;to-tag=…;from-tag=…`; undefined if that is not what it is. RFC 3891 §6.1, RFC 4538 §6. */
export function parseDialogName(text: string): DialogName | undefined {
  const semicolon = text.indexOf(';');
  if (semicolon <= 0) return undefined;
  const parameters = parseParameters(text.slice(semicolon + 1));
  const ours = parameters.get('to-tag') ?? parameters.get('local-tag') ?? '';
  const theirs = parameters.get('from-tag') ?? parameters.get('remote-tag') ?? '';
  return { callId: text.slice(0, semicolon).trim(), tags: [ours, theirs] };
}
