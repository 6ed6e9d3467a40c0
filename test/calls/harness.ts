import type { CallEvent } from '../../src/calls/event.ts';
import { Directory } from '../../src/calls/directory.ts';
import type { ExtensionEntry, Tenant } from '../../src/calls/tenant.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import type { Observation } from '../../src/sip/observation.ts';
import type { TrackerOptions } from '../../src/calls/tracker-options.ts';

export const PBX = '192.0.2.10';
export const TRUNK = '192.0.2.20';

export const entry = (number: string, more: Partial<ExtensionEntry> = {}): ExtensionEntry => ({
  number,
  name: '',
  kind: 'phone',
  dids: [],
  ...more,
});

export const tenant = (more: Partial<Tenant> = {}): Tenant => ({
  prefix: '0003',
  domains: ['acme.example.com'],
  pbx: [PBX],
  trunks: [TRUNK],
  extensions: [
    entry('101-109'),
    entry('150', { kind: 'queue' }),
    entry('110', { dids: ['15551230010'], name: 'Front desk' }),
  ],
  dialPrefixes: ['9'],
  pickupCodes: ['**'],
  sensor: 'phones',
  ...more,
});

/** No network is known, every user is an extension. */
export const openTenant = tenant({ prefix: '', domains: [], pbx: [], trunks: [], extensions: [entry('*')] });

/** One message of a call, in short: who sends it to whom, and what is not as usual. */
export interface Step {
  /** Seconds after the start. */
  at: number;
  /** `INVITE`, `180`, `486 Busy Here` … */
  say: string;
  from?: string;
  to?: string;
  callId?: string;
  fromTag?: string;
  toTag?: string;
  fromUser?: string;
  uri?: string;
  cseq?: string;
  branch?: string;
  /** Further Via branches below the top one, nearest first. */
  below?: string[];
  headers?: string[];
}

const T0 = Date.UTC(2026, 0, 1);
const address = (ip: string) => ({ ip, port: 5060 });

function write(step: Step): Buffer {
  const {
    say,
    callId = 'c1',
    fromTag = 'a',
    toTag = '',
    fromUser = '101',
    uri = 'sip:102@192.0.2.102',
    below = [],
  } = step;
  const isResponse = /^\d/.test(say);
  const method = isResponse ? 'INVITE' : say;
  const branches = [step.branch ?? 'z9hG4bK1', ...below];
  const start = isResponse ? `SIP/2.0 ${say}` : `${say} ${uri} SIP/2.0`;
  const lines = [
    start,
    ...branches.map((branch) => `Via: SIP/2.0/UDP host;branch=${branch}`),
    `From: <sip:${fromUser}@acme.example.com>${fromTag ? `;tag=${fromTag}` : ''}`,
    `To: <${uri}>${toTag ? `;tag=${toTag}` : ''}`,
    `Call-ID: ${callId}`,
    `CSeq: ${step.cseq ?? (method === 'BYE' ? '2 BYE' : `1 ${method}`)}`,
    ...(step.headers ?? []),
    'Content-Length: 0',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
}

export interface Told {
  at: number;
  event: string;
  extension: string;
  status: string;
  detail?: string | number;
}

/** The step as a source hands it over. */
export function observationOf(step: Step): Observation {
  const isResponse = /^\d/.test(step.say);
  return {
    observedAt: T0 + step.at * 1000,
    source: address(step.from ?? (isResponse ? '192.0.2.102' : '192.0.2.101')),
    destination: address(step.to ?? (isResponse ? '192.0.2.101' : '192.0.2.102')),
    transport: 'udp',
    bytes: write(step),
  };
}

/** Plays steps through a tracker and on to the end of time; returns all events. */
export function play(
  steps: readonly Step[],
  tenants: Tenant[] = [openTenant],
  options: Partial<TrackerOptions> = {},
): CallEvent[] {
  const tracker = new CallTracker(new Directory(tenants), { maxContacts: 100, ...options });
  const events: CallEvent[] = [];
  for (const step of steps) {
    const observation = observationOf(step);
    events.push(...tracker.expire(observation.observedAt));
    events.push(...tracker.observe(observation));
  }
  events.push(...tracker.expire(Infinity));
  return events;
}

/** Events in short, one text each: `0.5 dial-in 102`, `3 hangup 102 BUSY response_486`. */
export const tell = (events: readonly CallEvent[]): string[] =>
  events.map(({ event, at, extension, params, extras }) =>
    [(at - T0) / 1000, event, extension, ...(event === 'hangup' ? [params.CallStatus, extras.Detail] : [])].join(' '),
  );
