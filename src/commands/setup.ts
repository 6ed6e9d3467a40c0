import { isIP } from 'node:net';
import { overrideStatusTable, STATUS_TABLE } from '../calls/call-status.ts';
import { Directory } from '../calls/directory.ts';
import type { Tenant } from '../calls/tenant.ts';
import { CallTracker } from '../calls/tracker.ts';
import type { TrackerOptions } from '../calls/tracker-options.ts';
import type { Options } from '../options.ts';
import { isLoopback } from '../proxy/peers.ts';
import type { Configuration } from '../rules/config-file.ts';
import { parseConfiguration } from '../rules/config-file.ts';
import type { Address } from '../sip/observation.ts';
import { parseUri } from '../sip/uri.ts';

/** What counts without a configuration: every SIP user is an extension with a plain number; nothing is sent. */
export const OPEN_CONFIGURATION: Configuration = parseConfiguration('built-in', 'tenants: [{ extensions: ["*"] }]', {});

/** Makes the tracker that a configuration describes. */
export function makeTracker(configuration: Configuration): CallTracker {
  const { options } = configuration;
  const table = overrideStatusTable(STATUS_TABLE, options.callStatus);
  return new CallTracker(makeDirectory(configuration), trackerOptions(options), table);
}

/** The numbering plan of a configuration; `upstream`: where the PBX is that the SIP engine stands in front of. */
export const makeDirectory = (
  { tenants, options }: Pick<Configuration, 'tenants' | 'options'>,
  upstream: readonly Address[] = readUpstream(options.sip.upstream),
): Directory => new Directory(withUpstream(tenants, upstream), options.sip.trusted);

/** Where that PBX is, if its address is written out: a capture asks no name server. */
function readUpstream(upstream: string | undefined): Address[] {
  if (upstream === undefined) return [];
  const { host, port = 5060 } = parseUri(upstream);
  return isIP(host) > 0 ? [{ ip: host, port }] : [];
}

/** The tenants, with the PBX that the SIP engine stands in front of: it is that of all who name none. */
export function withUpstream(tenants: readonly Tenant[], places: readonly Address[]): readonly Tenant[] {
  const pbx = places.map(({ ip, port }) => (isLoopback(ip) ? `${ip}:${port}` : ip));
  return tenants.map((tenant) => (tenant.pbx.length > 0 || pbx.length === 0 ? tenant : { ...tenant, pbx }));
}

function trackerOptions({ calls, limits, sip }: Options): TrackerOptions {
  return {
    dialHoldMs: calls.dialHold,
    challengeMs: calls.challengeWait,
    redirectMs: calls.redirectWait,
    ringLimitMs: calls.ringLimit,
    callLimitMs: calls.longestCall,
    sessionSlackMs: calls.sessionSlack,
    lingerMs: calls.linger,
    maxLegs: limits.legs,
    maxForks: limits.forks,
    maxContacts: limits.contacts,
    markerHeader: sip.marker,
    correlationHeaders: calls.correlationHeaders,
  };
}
