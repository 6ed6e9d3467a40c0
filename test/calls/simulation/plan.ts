import type { ExtensionEntry, Tenant } from '../../../src/calls/tenant.ts';
import { entry, tenant } from '../harness.ts';
import type { Site } from './site.ts';

/** Number of the queue, an extension that the PBX answers itself. */
export const QUEUE = '500';

/** A site as the configuration describes it; `prefix` for one of several. */
export function describe(site: Site, prefix: string): Tenant {
  const phones = site.extensions.map(({ number }): ExtensionEntry => entry(number, { dids: [site.did(number)] }));
  return tenant({
    prefix,
    domains: [],
    pbx: [site.address.ip],
    trunks: [site.trunk.address.ip],
    extensions: [...phones, entry(QUEUE, { kind: 'queue' })],
    dialPrefixes: ['9'],
    pickupCodes: ['**', '*8'],
  });
}
