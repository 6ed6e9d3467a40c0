/** What an extension is: phones are judged by the legs sent to them, the others are answered by the PBX itself. */
export const EXTENSION_KINDS = ['phone', 'queue', 'ivr', 'conference'] as const;

export type ExtensionKind = (typeof EXTENSION_KINDS)[number];

/** Extensions as configured: `number` is one number, a range or a pattern (see `parseNumberPattern`). */
export interface ExtensionEntry {
  readonly number: string;
  /** Name shown to called parties where SIP gives none; empty if there is none. */
  readonly name: string;
  readonly kind: ExtensionKind;
  /** Public numbers that lead to it, digits only. */
  readonly dids: readonly string[];
  /** Secrets for the registrar: a password, or HA1 in hex. */
  readonly password?: string | undefined;
  readonly ha1?: string | undefined;
}

/** One customer's numbering plan and network. Addresses are IP addresses as text, those of a PBX with its port
 * where others share the address; domains are in lower case. */
export interface Tenant {
  /** Prefix of extended numbers (`0003` in `0003*101`); empty for a tenant with plain numbers. */
  readonly prefix: string;
  readonly domains: readonly string[];
  readonly pbx: readonly string[];
  readonly trunks: readonly string[];
  readonly extensions: readonly ExtensionEntry[];
  readonly dialPrefixes: readonly string[];
  readonly pickupCodes: readonly string[];
  /** `trunk`: the phones' own traffic does not pass here, so they are judged by the legs addressed to them. */
  readonly sensor: 'phones' | 'trunk';
}

/** A call to a pickup code: who takes another phone's ringing call, and whose; `number` is empty for any of the group. */
export interface Pickup {
  readonly tenant: Tenant;
  /** Number of who takes it. */
  readonly by: string;
  readonly number: string;
}
