import t from 'tap';
import { Directory } from '../../src/calls/directory.ts';
import type { CallEvent } from '../../src/calls/event.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { LivePipeline } from '../../src/commands/live-pipeline.ts';
import { OPEN_CONFIGURATION } from '../../src/commands/setup.ts';
import type { Observation } from '../../src/sip/observation.ts';

const HOUR = 3600_000;
const PHONE = { ip: '192.0.2.1', port: 5060 };
const SERVER = { ip: '192.0.2.2', port: 5060 };

/** A pipeline with clocks that stand until they are moved. */
function setUp() {
  let [wall, monotonic] = [1_700_000_000_000, 5000];
  const events: CallEvent[] = [];
  const steps: number[] = [];
  const pipeline = new LivePipeline(
    new CallTracker(new Directory(OPEN_CONFIGURATION.tenants)),
    (more) => events.push(...more),
    (byMs) => steps.push(byMs),
    { wall: () => wall, monotonic: () => monotonic },
  );
  const send = (isRequest: boolean, start: string, cseq: string, tag = ';tag=b'): void => {
    const lines = [
      start,
      'Via: SIP/2.0/UDP h;branch=z9hG4bKa',
      'From: <sip:101@h>;tag=a',
      `To: <sip:102@h>${tag}`,
      'Call-ID: x',
      `CSeq: ${cseq}`,
      'Session-Expires: 1800',
      'Content-Length: 0',
    ];
    const [source, destination] = isRequest ? [PHONE, SERVER] : [SERVER, PHONE];
    const observation: Observation = {
      ...{ observedAt: wall, source, destination, transport: 'udp' },
      bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`),
    };
    pipeline.observe(observation);
  };
  const pass = (ms: number): void => {
    wall += ms;
    monotonic += ms;
    pipeline.tick(Infinity);
  };
  const set = (ms: number): void => void (wall += ms);
  return { events, steps, send, pass, set };
}

t.test('the clock is set by an hour, back or forth: calls that are up stay up, and end when they end', (t) => {
  for (const step of [HOUR, -HOUR, 3 * 24 * HOUR]) {
    for (const isSeenFirst of ['by a message', 'by the tick']) {
      const { events, steps, send, pass, set } = setUp();
      send(true, 'INVITE sip:102@h SIP/2.0', '1 INVITE', '');
      send(false, 'SIP/2.0 180 Ringing', '1 INVITE');
      set(step);
      if (isSeenFirst === 'by the tick') pass(250);
      send(false, 'SIP/2.0 200 OK', '1 INVITE');
      pass(60_000);
      set(-step);
      pass(60_000);
      const name = `${step / HOUR} h, seen first ${isSeenFirst}`;
      t.strictSame(
        events.map(({ event }) => event),
        ['dial-out', 'dial-in', 'answer-in', 'answer-out'],
        name,
      );
      send(true, 'BYE sip:102@h SIP/2.0', '2 BYE');
      t.strictSame(
        events.slice(4).map(({ event, params }) => `${event} ${params.CallStatus}`),
        ['hangup ANSWER', 'hangup ANSWER'],
      );
      t.strictSame(steps, [step, -step], 'told');
    }
  }
  t.end();
});

t.test('time passes, and small steps are time', (t) => {
  const { events, steps, send, pass, set } = setUp();
  send(true, 'INVITE sip:102@h SIP/2.0', '1 INVITE', '');
  send(false, 'SIP/2.0 200 OK', '1 INVITE');
  for (let hour = 0; hour < 1; hour++) pass(HOUR);
  set(2000);
  pass(250);
  t.match(events.at(-1), { event: 'hangup', extras: { Synthesised: 1 } }, 'by the session timer');
  t.strictSame(steps, []);
  t.end();
});
