import type { SipMessage } from '../sip/message.ts';
import { readAddressUri } from '../sip/name-addr.ts';
import { detach, unescapePercent } from '../sip/text.ts';
import type { SipUri } from '../sip/uri.ts';
import { type DialogName, parseDialogName } from './dialog-name.ts';

/** What a Refer-To asks for. */
export interface ReferTarget {
  readonly uri: SipUri;
  readonly replaces: DialogName | undefined;
}

/** Reads the Refer-To; undefined where it can't be read or asks for anything but a call. RFC 3515 §2.1. */
export function readReferTo(message: SipMessage): ReferTarget | undefined {
  const uri = readAddressUri(message.text('Refer-To'));
  if (!uri || (uri.parameters.get('method') ?? 'INVITE').toUpperCase() !== 'INVITE') return undefined;
  const replaces = /(?:^|&)replaces=([^&]*)/i.exec(uri.headers)?.[1];
  return { uri, replaces: replaces === undefined ? undefined : parseDialogName(detach(unescapePercent(replaces))) };
}
