import type { Transport } from './observation.ts';
import { formatHostPort } from './uri.ts';

/** An address to listen on: `udp:127.0.0.1:5060` or `tcp:[::1]:9060`; port 0 is any free one until it is bound. */
export interface ListenAddress {
  readonly transport: Transport;
  readonly ip: string;
  readonly port: number;
}

/** An address can't be had: says which and why. */
export class ListenError extends Error {
  override readonly name = 'ListenError';

  static at(address: ListenAddress, cause: unknown): ListenError {
    return new ListenError(`can't listen on ${formatListenAddress(address)}: ${explain(cause)}`, { cause });
  }
}

/** Reads an address as it stands in the configuration; undefined if it is none. */
export function parseListenAddress(text: string): ListenAddress | undefined {
  const match = /^(udp|tcp|tls|wss?):(?:\[([0-9a-fA-F:.]+)\]|([^[\]:\s]+)):(\d{1,5})$/.exec(text);
  if (!match || Number(match[4]) > 65_535) return undefined;
  return { transport: match[1] as Transport, ip: match[2] ?? match[3]!, port: Number(match[4]) };
}

export const formatListenAddress = (address: ListenAddress): string =>
  `${address.transport}:${formatHostPort(address)}`;

function explain(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const known: { readonly [code: string]: string } = {
    EADDRINUSE: 'the address is in use by another program',
    EADDRNOTAVAIL: 'this machine has no such address',
    EACCES: 'ports below 1024 need the privilege for it',
  };
  return known[code ?? ''] ?? message;
}
