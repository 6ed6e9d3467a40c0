import type { Call } from './call.ts';
import type { Extension } from './directory.ts';
import type { CallParameters } from './event.ts';
import type { PartyState } from './party-states.ts';

/** One continuous participation of one extension in one call, as caller or as called. */
export class Party {
  readonly call: Call;
  readonly extension: Extension;
  readonly role: 'caller' | 'called';
  /** Counts the parties of the call, from 1. */
  readonly ordinal: number;
  /** As at the Dial: fixed for all of the party's events but for CallStatus. */
  readonly params: CallParameters;
  state: PartyState = 'held';
  rangAt = 0;
  answeredAt = 0;
  /** Of a caller: the extension that answered. */
  answeredBy: string | undefined = undefined;

  constructor(call: Call, extension: Extension, role: 'caller' | 'called', params: CallParameters) {
    this.call = call;
    this.extension = extension;
    this.role = role;
    this.params = params;
    this.ordinal = call.parties.push(this);
  }
}
