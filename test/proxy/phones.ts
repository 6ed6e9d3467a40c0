import type { Test } from 'tap';
import { openWirePhone, type WirePhone } from './support/wire-phone.ts';
import type { Endpoint } from './support/relay.ts';

// Phones of the tests of the proxy; they are closed when the test ends.

/** Phones are closed when the test ends. */
export async function keep(t: Test, opening: Promise<WirePhone>): Promise<WirePhone> {
  const phone = await opening;
  t.teardown(() => phone.close());
  return phone;
}

export const openUdpPhone = (ip = '127.0.0.1'): Promise<WirePhone> => openWirePhone({ ip });

/** A phone that connects to a server. */
export const openTcpPhone = (target: Endpoint): Promise<WirePhone> => openWirePhone({ transport: 'tcp', target });

/** A phone that others connect to. */
export const openTcpServer = (): Promise<WirePhone> => openWirePhone({ transport: 'tcp' });

/** A browser. */
export const openWebPhone = (target: Endpoint): Promise<WirePhone> => openWirePhone({ transport: 'ws', target });
