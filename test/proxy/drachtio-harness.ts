import type { Test } from 'tap';
import { DrachtioEngine, type DrachtioOptions } from '../../src/proxy/drachtio/drachtio-engine.ts';
import { makeCallApiId } from '../../src/calls/call-api-id.ts';
import type { Accounts } from '../../src/proxy/accounts.ts';
import type { EngineEvents } from '../../src/proxy/engine.ts';
import { HepListener } from '../../src/sources/hep-listener.ts';
import { SourceCounts } from '../../src/sources/source-counts.ts';
import { SECRET, startDrachtio, type DrachtioServer } from './support/drachtio.ts';

/** How the tests reach a server. */
export const adminOf = ({ adminPort }: DrachtioServer) => ({
  name: 'the server',
  host: '127.0.0.1',
  port: adminPort,
  secret: SECRET,
  tags: [],
  tls: undefined,
});

export interface DrachtioOpened {
  readonly server: DrachtioServer;
  readonly engine: DrachtioEngine;
  readonly addresses: readonly string[];
}

/** A drachtio server with our engine on it, and its mirror as observations; both end with the test. */
export async function openDrachtioEngine(
  t: Test,
  options: Omit<DrachtioOptions, 'places'>,
  accounts: Accounts,
  events: EngineEvents,
): Promise<DrachtioOpened> {
  const server = await startDrachtio(t, { domains: options.upstream === '' ? 'acme.example.com' : '' });
  const hep = new HepListener((observation) => events.onObservation(observation), new SourceCounts(), Date.now);
  await hep.listen([{ transport: 'udp', ip: '127.0.0.1', port: server.mirrorPort }]);
  t.teardown(() => hep.close());
  const places = { servers: [adminOf(server)], listen: [], proof: 'proof' };
  const engine = new DrachtioEngine({ ...options, places }, accounts, makeCallApiId, { ...events, onRouted: () => {} });
  return { server, engine, addresses: await engine.start() };
}
