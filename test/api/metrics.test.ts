import t from 'tap';
import { Metrics } from '../../src/api/metrics.ts';
import { makeEvent } from '../deliveries/harness.ts';

t.test('what Prometheus reads', async (t) => {
  const metrics = new Metrics({
    scripts: () => [{ url: 'http://crm/hook', pending: 7, active: 2, breaker: 'open', failures: 12 }],
    oldestWaitingAt: () => Date.now() - 5000,
    isStoreSound: () => false,
    legs: () => 3,
    messages: () => 99,
    drops: () => new Map([['not readable as SIP', 4]]),
  });
  metrics.event(makeEvent({ event: 'hangup', params: { CallStatus: 'BUSY' } }));
  metrics.start(15);
  metrics.attempt(250, { status: 200 });
  metrics.attempt(10, { error: 'ECONNREFUSED' });
  metrics.finish('delivered');
  metrics.drop(2);
  const text = await metrics.read();
  const lines = text.split('\n');
  for (const line of [
    'ringside_events_total{event="hangup",status="BUSY"} 1',
    'ringside_deliveries_total{outcome="delivered"} 1',
    'ringside_deliveries_dropped_total 2',
    'ringside_attempts_total{answer="2xx"} 1',
    'ringside_attempts_total{answer="none"} 1',
    'ringside_attempt_seconds_bucket{le="0.2"} 1',
    'ringside_attempt_seconds_bucket{le="0.5"} 2',
    'ringside_event_to_request_seconds_bucket{le="0.02"} 1',
    'ringside_script_waiting{script="http://crm/hook"} 7',
    'ringside_script_active{script="http://crm/hook"} 2',
    'ringside_script_breaker{script="http://crm/hook"} 2',
    'ringside_store_up 0',
    'ringside_legs 3',
    'ringside_sip_messages 99',
    'ringside_input_dropped{reason="not readable as SIP"} 4',
  ]) {
    t.ok(lines.includes(line), line);
  }
  t.match(text, /^ringside_oldest_waiting_seconds [56](\.\d+)?$/m);
  t.match(metrics.contentType, /^text\/plain; version=0\.0\.4/);
});
