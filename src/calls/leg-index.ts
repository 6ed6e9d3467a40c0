import type { Leg } from './call.ts';
import type { DialogName } from './dialog-name.ts';

/** The legs that are known, by Call-ID. */
export class LegIndex {
  readonly #first = new Map<string, Leg>();
  #size = 0;
  /** What was asked for last: a message and its copy on the next hop come one after the other. */
  #lastCallId: string | undefined;
  #last: Leg | undefined;

  get size(): number {
    return this.#size;
  }

  /** First leg of a Call-ID; `next` leads to the others. */
  first(callId: string): Leg | undefined {
    if (callId === this.#lastCallId) return this.#last;
    this.#last = this.#first.get(callId);
    this.#lastCallId = this.#last?.callId ?? callId;
    return this.#last;
  }

  *all(): Generator<Leg> {
    for (const first of this.#first.values()) for (let leg: Leg | undefined = first; leg; leg = leg.next) yield leg;
  }

  find(callId: string, fromTag: string): Leg | undefined {
    let leg = this.first(callId);
    while (leg && leg.fromTag !== fromTag) leg = leg.next;
    return leg;
  }

  /** The leg of a dialog, early ones included. */
  findNamed({ callId, tags }: DialogName): Leg | undefined {
    for (let leg = this.first(callId); leg; leg = leg.next) {
      if (leg.phase !== 'ended' && hasTags(leg, tags)) return leg;
    }
    return undefined;
  }

  /** Adds a leg before others of its Call-ID, so that the newest attempt is found first. */
  add(leg: Leg): void {
    leg.next = this.first(leg.callId);
    this.#first.set(leg.callId, leg);
    this.#size++;
    this.#last = leg;
    this.#lastCallId = leg.callId;
  }

  remove(leg: Leg): void {
    this.#size--;
    this.#forgetLast();
    const first = this.#first.get(leg.callId);
    if (first === leg) {
      if (leg.next) this.#first.set(leg.callId, leg.next);
      else this.#first.delete(leg.callId);
      return;
    }
    for (let other = first; other; other = other.next) if (other.next === leg) other.next = leg.next;
  }

  #forgetLast(): void {
    this.#lastCallId = undefined;
    this.#last = undefined;
  }
}

/** Both tags are those of a dialog of the leg, early ones included. RFC 3891 §3. */
function hasTags({ fromTag, dialogs, transactions }: Leg, [one, other]: DialogName['tags']): boolean {
  const toTag = one === fromTag ? other : other === fromTag ? one : '';
  if (toTag === '') return false;
  return dialogs.some((dialog) => dialog.toTag === toTag) || transactions.some(({ earlyTag }) => earlyTag === toTag);
}
