import type { Test } from 'tap';
import { Directory } from '../../src/calls/directory.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { connectPipeline } from '../../src/calls/pipeline.ts';
import { withUpstream } from '../../src/commands/setup.ts';
import type { SipEngine } from '../../src/proxy/engine.ts';
import type { ObservationSink } from '../../src/sip/observation.ts';
import type { Binding } from '../../src/proxy/bindings.ts';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { openAnyEngine, type Opened, TENANTS } from './harness.ts';
import { isDrachtio } from './support/drachtio.ts';
import { until } from './support/ports.ts';
import type { Endpoint } from './support/relay.ts';

// An engine and the tracker that sees what it sees.

export interface Stage extends Opened<SipEngine> {
  /** Until all that was sent has been seen: a mirror comes later than what it shows. */
  readonly settle: () => Promise<void>;
  /** Everything that is told, in order; the calls are over then. */
  readonly events: () => readonly CallEvent[];
}

export async function openStage(
  t: Test,
  options: Partial<EmbeddedOptions> = {},
  upstream: readonly Endpoint[] = [],
): Promise<Stage> {
  const events: CallEvent[] = [];
  const { tenants } = parseConfiguration('test', TENANTS, {});
  const tracker = new CallTracker(new Directory(withUpstream(tenants, upstream)));
  const pipeline = connectPipeline(tracker, (more) => events.push(...more));
  let seenAt = performance.now();
  const observe: ObservationSink = (observation) => {
    seenAt = performance.now();
    pipeline(observation);
  };
  const settle = (): Promise<void> => until(() => !isDrachtio || performance.now() - seenAt > QUIET_MS, 'quiet');
  const opened = await openAnyEngine(t, { trunks: ['127.0.0.1'], ...options }, observe);
  const end = (): readonly CallEvent[] => {
    events.push(...tracker.expire(Infinity));
    return events;
  };
  return { ...opened, settle, events: end };
}

const QUIET_MS = 100;

/** A phone as if it had registered. */
export const bind = (user: string, { at, ip, port }: Endpoint & { readonly at: string }): Binding => ({
  account: `0003*${user}`,
  contact: `sip:${user}@${at}`,
  flow: { transport: 'udp', remote: { ip, port } },
  path: [],
  q: 1,
  expiresAt: Date.now() + 1e6,
  callId: '',
  cseq: 0,
  instance: '',
});
