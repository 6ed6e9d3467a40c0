import { parseParameters } from './parameter.ts';

/** Why a request or response was sent. `protocol` in upper case (`SIP`, `Q.850`); `cause` is -1 where none is told. */
export interface Reason {
  readonly protocol: string;
  readonly cause: number;
  readonly text: string;
  /** Where in the network a Q.850 cause was set, `U` for the user; empty where it is not told. RFC 8606 §4. */
  readonly location: string;
}

/** Reads one Reason value. RFC 3326 §2. */
export function parseReason(value: string): Reason {
  const semicolon = value.indexOf(';');
  const protocol = (semicolon < 0 ? value : value.slice(0, semicolon)).trim().toUpperCase();
  const parameters = parseParameters(semicolon < 0 ? '' : value.slice(semicolon + 1));
  const cause = parameters.get('cause') ?? '';
  return {
    protocol,
    cause: /^\d{1,4}$/.test(cause) ? Number(cause) : -1,
    text: parameters.get('text') ?? '',
    location: (parameters.get('location') ?? '').toUpperCase(),
  };
}
