import type { Leg, Transaction } from '../calls/call.ts';
import type { SipMessage } from '../sip/message.ts';
import type { Address } from '../sip/observation.ts';
import { detach } from '../sip/text.ts';
import { type MessageText, readMessageText } from './message-text.ts';

const COPY_MS = 100;
const MAX_SINCE = 64;

/** When and where a message was seen; one object for each address. */
interface Place {
  /** Among all that happened. */
  readonly order: number;
  readonly at: number;
  readonly source: Address;
  readonly destination: Address;
}

/** One SIP message of a leg, on one hop. */
export interface SeenMessage extends MessageText, Place {
  /** The same again on the same hop: within moments a copy that was captured twice, else a retransmission. */
  readonly repeats: 'copy' | 'retransmission' | undefined;
  /** The same in all copies and retransmissions. */
  readonly signature: string;
  /** Of an INVITE that was no repetition. */
  readonly transaction: Transaction | undefined;
}

/** A message of a leg, of which `earlier` were seen before it. @throws SipParseError */
export function seeMessage(message: SipMessage, place: Place, leg: Leg, earlier: readonly SeenMessage[]): SeenMessage {
  const signature = signMessage(message);
  const same = findEarlier(earlier, signature, place);
  return {
    ...readMessageText(message),
    ...place,
    signature,
    repeats: same && (place.at - same.at < COPY_MS ? 'copy' : 'retransmission'),
    transaction: same ? undefined : findTransaction(leg, message),
  };
}

/** What tells a message from others of its leg. */
const signMessage = (message: SipMessage): string =>
  detach(
    `${message.statusCode} ${message.method} ${message.cseq} ${message.branch} ${message.fromTag} ${message.toTag}`,
  );

function findEarlier(
  messages: readonly SeenMessage[],
  signature: string,
  { source, destination }: Place,
): SeenMessage | undefined {
  for (let index = messages.length - 1; index >= Math.max(0, messages.length - MAX_SINCE); index--) {
    const other = messages[index]!;
    if (other.signature === signature && other.source === source && other.destination === destination) return other;
  }
  return undefined;
}

const findTransaction = (leg: Leg, message: SipMessage): Transaction | undefined =>
  message.isRequest && message.method === 'INVITE' && message.toTag === ''
    ? leg.transaction(message.branch, message.cseq)
    : undefined;
