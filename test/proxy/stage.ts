import type { Test } from 'tap';
import { Directory } from '../../src/calls/directory.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { connectPipeline } from '../../src/calls/pipeline.ts';
import { withUpstream } from '../../src/commands/setup.ts';
import type { Binding } from '../../src/proxy/bindings.ts';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { openEngine, type Opened, TENANTS } from './harness.ts';
import type { Endpoint } from './support/relay.ts';

// The embedded engine and the tracker that sees what it sees.

export interface Stage extends Opened {
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
  const observe = connectPipeline(tracker, (more) => events.push(...more));
  const opened = await openEngine(t, { trunks: ['127.0.0.1'], ...options }, observe);
  const end = (): readonly CallEvent[] => {
    events.push(...tracker.expire(Infinity));
    return events;
  };
  return { ...opened, events: end };
}

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
