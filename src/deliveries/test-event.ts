import { randomBytes } from 'node:crypto';
import type { CallEvent, EventName } from '../calls/event.ts';
import type { Rule } from '../rules/rule.ts';

const isOut = (event: EventName): boolean => event === 'dial-out' || event === 'answer-out';

/**
 * A sample of an event that a rule is for: what a call from outside to that extension, or from it, would tell.
 *
 * CallID, CallAPIID and EventID begin with `test`, and the caller's name says so.
 */
export function makeTestEvent(rule: Rule, event: EventName, now: number): CallEvent {
  const id = `test${randomBytes(8).toString('hex')}`;
  const [extension = '101'] = rule.extensions.map((text) => sampleOf(text));
  const isCaller = isOut(event);
  const CallStatus = event === 'hangup' || event.startsWith('answer') ? 'ANSWER' : 'CALLING';
  return {
    event,
    at: now,
    dialledAt: now,
    extension,
    params: {
      CallID: `${id}@ringside.invalid`,
      CallerIDNum: isCaller ? extension : '15555550100',
      CallerIDName: 'Ringside test',
      CalledDID: '',
      CalledExtension: isCaller ? '' : extension,
      CallStatus,
      CallFlow: isCaller ? 'OUT' : 'IN',
      CallerExtension: isCaller ? extension : '',
      CalledNumber: isCaller ? '15555550100' : extension.replace(/^.*\*/, ''),
      CallAPIID: id,
    },
    extras: {
      EventType: event,
      EventID: `${id}-${event}`,
      Sequence: 1,
      Timestamp: new Date(now).toISOString(),
      Detail: 'test',
    },
  };
}

/** An extended number that a number, range or pattern stands for. */
const sampleOf = (text: string): string =>
  text === '*' ? '101' : text.replace(/-\d+$/, '').replaceAll('?', '1').replace(/\*$/, '1');
