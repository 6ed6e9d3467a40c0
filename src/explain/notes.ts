import type { SeenMessage } from './seen-message.ts';
import { type CallStory, numberOfLeg } from './story.ts';

/** What the arrow has no room for. */
export function writeNotes(story: CallStory, message: SeenMessage): string[] {
  const { repeats, target, method, replaces, connected, q850, sipCause } = message;
  const leg = replaces === '' ? undefined : numberOfLeg(story, (other) => other.leg.callId === replaces);
  const notes = [
    repeats === 'copy' ? 'copy' : repeats && 'again',
    target !== '' && method !== 'REFER' && `-> ${target}`,
    replaces !== '' && `Replaces ${leg === undefined ? replaces : `leg ${leg}`}`,
    connected !== '' && `connected to ${connected}`,
    q850 > 0 && `Q.850 ${q850}`,
    sipCause > 0 && `SIP ${sipCause}`,
  ];
  return notes.filter((note) => typeof note === 'string');
}
