import type { KeyObject } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { EventName, ExtraName } from '../calls/event.ts';

/** How the ten parameters are written for receivers made for variants of the original; see the configuration. */
export interface ParameterStyle {
  readonly callFlow: 'upper' | 'lower';
  /** `sip`: the SIP Call-ID; `epoch`: `<epoch seconds>.<sequence>`. */
  readonly callId: 'sip' | 'epoch';
  /** Status sent at the Hangup of an answered call. */
  readonly answeredHangup: 'ANSWER' | 'HANGUP';
  readonly omitEmpty: boolean;
}

/** How a rule's script is known, and Ringside to it. */
export interface RuleTls {
  /** The same for the same authorities, certificate, key and version. */
  readonly id: string;
  readonly context: SecureContext;
}

/** Which events of which extensions go to which script. */
export interface Rule {
  /** Stable over reloads and restarts as long as the rule's extensions, events, method and URL stay. */
  readonly id: string;
  /** Who wrote it: the operator's file may name any address, the API and the page those of the Internet. */
  readonly source: 'file' | 'api';
  /** One or more numbers, ranges or patterns of extended numbers, as written. */
  readonly extensions: readonly string[];
  readonly events: readonly EventName[];
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly note: string;
  readonly enabled: boolean;
  readonly extras: readonly ExtraName[];
  /** Of a POST: `form` is application/x-www-form-urlencoded. */
  readonly body: 'form' | 'json';
  readonly headers: Readonly<Record<string, string>>;
  /** Keys that its requests are signed with: two while one replaces the other, none for no signature. */
  readonly secrets: readonly KeyObject[];
  /** Without it: the authorities of Node.js, no certificate of its own. */
  readonly tls: RuleTls | undefined;
  readonly style: ParameterStyle;
  /** Waits between attempts at a request that may succeed later. */
  readonly scheduleMs: readonly number[];
  /** Age at which a Dial or Answer event is no longer sent. */
  readonly staleAfterMs: number;
}
