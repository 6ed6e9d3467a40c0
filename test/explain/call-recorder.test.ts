import t from 'tap';
import { Directory } from '../../src/calls/directory.ts';
import { CallTracker } from '../../src/calls/tracker.ts';
import { CallRecorder, type RecordLimits } from '../../src/explain/call-recorder.ts';
import { readStory } from '../../src/explain/recorded-call.ts';
import { observationOf, openTenant, type Step } from '../calls/harness.ts';

const LIMITS: RecordLimits = { recentCalls: 100, messagesPerCall: 100, bytes: 1_000_000 };

const makeTracker = (): CallTracker => new CallTracker(new Directory([openTenant]), { maxContacts: 10 });

/** Sends steps through a tracker to a recorder. */
function play(tracker: CallTracker, recorder: CallRecorder, ...steps: readonly Step[]): void {
  for (const step of steps) {
    const observation = observationOf(step);
    recorder.expire(tracker.expire(observation.observedAt));
    recorder.observe(observation, tracker.observe(observation));
  }
}

const UP: readonly Step[] = [
  { at: 0, say: 'INVITE' },
  { at: 1, say: '180 Ringing', toTag: 'b' },
  { at: 2, say: '200 OK', toTag: 'b' },
];
const BYE: Step = { at: 60, say: 'BYE', toTag: 'b', branch: 'z9hG4bK2' };

t.test('calls that were up before a restart go on, and end', (t) => {
  const before = makeTracker();
  before.takeChanges();
  for (const step of UP) before.observe(observationOf(step));
  const { up } = before.takeChanges();
  const tracker = makeTracker();
  tracker.restore(up);
  const recorder = new CallRecorder(tracker, LIMITS);
  recorder.adopt([tracker.findLeg('c1')!.call]);
  const [call] = recorder.live();
  t.strictSame([call?.id, call?.legs.length, call?.openParties, call?.messages.length], [up[0]!.id, 1, 2, 0]);
  play(tracker, recorder, BYE);
  t.strictSame(recorder.live(), []);
  t.strictSame(recorder.recent(), [call]);
  t.strictSame(
    call!.events.map(({ event }) => `${event.event} ${event.extension}`),
    ['hangup 102', 'hangup 101'],
  );
  t.equal(readStory(call!).story.legs[0]!.messages[0]!.text, 'BYE');
  t.end();
});

t.test('what ends by the time alone is over, too', (t) => {
  const tracker = makeTracker();
  const recorder = new CallRecorder(tracker, LIMITS);
  play(tracker, recorder, ...UP.slice(0, 2));
  t.equal(recorder.live().length, 1);
  recorder.expire(tracker.expire(Infinity));
  recorder.sweep(Date.UTC(2026, 0, 2));
  t.equal(recorder.live().length, 0);
  const [call] = recorder.recent();
  t.ok(call!.events.some(({ isTimed, by }) => isTimed && by === undefined));
  t.end();
});

t.test('who never was a call leaves nothing behind', (t) => {
  const tracker = makeTracker();
  const recorder = new CallRecorder(tracker, LIMITS);
  for (let n = 0; n < 1000; n++) {
    const leg = { callId: `scan${n}`, branch: `z9hG4bK${n}` };
    play(
      tracker,
      recorder,
      { at: n, say: 'INVITE', ...leg },
      { at: n + 0.1, say: '401 Unauthorized', toTag: 'x', ...leg },
    );
  }
  tracker.expire(Infinity);
  recorder.sweep(Date.UTC(2026, 0, 2));
  t.strictSame([recorder.live(), recorder.recent(), recorder.find('scan1')], [[], [], undefined]);
  t.strictSame(recorder.takeChanges(), { changed: [], gone: [] });
  t.end();
});

t.test('bytes: calls that are over give way, then further messages are dropped', (t) => {
  const tracker = makeTracker();
  const size = observationOf(UP[0]!).bytes.length;
  const recorder = new CallRecorder(tracker, { ...LIMITS, bytes: size * 4 });
  for (let n = 0; n < 3; n++) {
    const leg = { callId: `c${n}`, branch: `z9hG4bK${n}`, fromTag: `t${n}` };
    const refused = { at: n + 0.2, say: '486 Busy Here', toTag: 'b', ...leg };
    play(
      tracker,
      recorder,
      { at: n, say: 'INVITE', ...leg },
      { at: n + 0.1, say: '180 Ringing', toTag: 'b', ...leg },
      refused,
    );
  }
  t.equal(recorder.recent().length, 1);
  t.equal(recorder.dropped, 0);
  play(tracker, recorder, ...UP.map((step) => ({ ...step, at: step.at + 10 })));
  for (let n = 0; n < 10; n++)
    play(tracker, recorder, { ...BYE, say: 'INFO', cseq: `${n + 2} INFO`, branch: `z9hG4bKi${n}` });
  t.ok(recorder.dropped > 0);
  t.equal(recorder.live().length, 1, 'the call is shown all the same');
  t.end();
});
