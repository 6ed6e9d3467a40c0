import type { SipMessage } from '../../sip/message.ts';
import type { MessageEdit } from '../../sip/message-edit.ts';
import { markReferTo } from '../../sip/refer-marker.ts';
import type { PeerKind } from '../peers.ts';

/** The header that tells the PBX, and us when its next leg comes by, which call a leg belongs to. */
export class Marker {
  readonly #name: string;
  readonly #makeId: (callId: string, fromTag: string) => string;

  /** `name` of the header, empty: none is added. `makeId` makes the CallAPIID of a call from its first leg. */
  constructor(name: string, makeId: (callId: string, fromTag: string) => string) {
    this.#name = name;
    this.#makeId = makeId;
  }

  /** Adds it towards the PBX; takes away what others claim, and what others need not know. */
  apply(edit: MessageEdit, message: SipMessage, from: PeerKind, toTrusted: boolean): void {
    if (this.#name === '') return;
    const known = message.findCustom(this.#name);
    const isBelieved = known.length > 0 && (from === 'upstream' || from === 'trusted');
    if (isBelieved && toTrusted) return;
    for (const index of known) edit.remove(index);
    if (!toTrusted || message.toTag !== '') return;
    edit.append(`${this.#name}: ${this.#makeId(message.callId, message.fromTag)}\r\n`);
  }

  /**
   * Marks the target of a REFER to a phone, which calls there itself: its INVITE comes back by us. A PBX needs no mark, and an
   * attended transfer has its own, Replaces.
   */
  applyToRefer(edit: MessageEdit, message: SipMessage, toTrusted: boolean): void {
    if (this.#name === '' || toTrusted || message.toTag === '') return;
    const [index, ...others] = message.indexes('Refer-To');
    if (index === undefined || others.length > 0) return;
    const { fields, latin1 } = message;
    const value = latin1.slice(fields.startOf(index), fields.endOf(index));
    if (/replaces=/i.test(value)) return;
    const marked = markReferTo(value, this.#makeId(message.callId, message.fromTag));
    if (marked !== value) edit.replace(fields.startOf(index), fields.endOf(index), marked);
  }
}
