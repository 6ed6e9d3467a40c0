import { PBX, TRUNK } from './harness.ts';
import { dial, leg, ring, story } from './stories.ts';

// A PBX shows who is called another caller than the one it has.

const outside = (id: string, uri: string, user: string, headers: string[] = []) =>
  leg({ id, from: TRUNK, to: PBX, user, uri: `sip:${uri}@${PBX}`, headers });
const toTrunk = (id: string, user: string, uri: string) =>
  leg({ id, from: PBX, to: TRUNK, user, uri: `sip:${uri}@${TRUNK}` });
const connected = (number: string): string[] => [`P-Asserted-Identity: <sip:${number}@${PBX}>`];

{
  const line = outside('c1', '105', '15550100', connected('15550999'));
  const phone = ring('c2', '15550100', '102');
  story(
    'the PBX does not trust who asserts the number of the caller, and shows the one that the caller says',
    [line.invite(0), phone.invite(0.1), phone.say(1, '200 OK'), line.say(1.01, '200 OK'), line.bye(5), phone.bye(5.01)],
    ['A 102 c2, 0.1 dial-in, 1 answer-in, 5.01 ANSWER answered, (caller-number 0.6)'],
  );
}

{
  const line = dial('c1', '101', '88102');
  const phone = ring('c2', 'anonymous', '102', ['Privacy: id', ...connected('101')]);
  story(
    'an extension that hides its number calls another one by a prefix',
    [line.invite(0), phone.invite(0.1), phone.say(1, '486 Busy Here'), line.say(1.01, '486 Busy Here')],
    [
      'A 101 c1, 0.1 dial-out, 1.01 BUSY response_486',
      'A 102 c2, 0.1 dial-in, 1 BUSY response_486, (caller-number 0.6)',
    ],
  );
}

{
  const line = dial('c1', '101', '87102');
  const other = dial('c3', '104', '87103');
  const [phone, second] = [ring('c2', '15550001', '102'), ring('c4', '15550001', '103')];
  story(
    'the PBX shows its own number to the phones, and tells the callers at the first ring who is called',
    [
      line.invite(0),
      other.invite(0.01),
      phone.invite(0.1),
      second.invite(0.11),
      second.say(1, '180 Ringing'),
      other.say(1.01, '180 Ringing', connected('103')),
      phone.say(1.02, '180 Ringing'),
      line.say(1.03, '180 Ringing', connected('102')),
      phone.say(3, '200 OK'),
      line.say(3.01, '200 OK', connected('102')),
      other.cancel(4),
      second.cancel(4.01),
      other.say(4.02, '487 x'),
      second.say(4.02, '487 x'),
      line.bye(5),
      phone.bye(5.01),
    ],
    [
      'A 102 c2, 0.1 dial-in, 3 answer-in, 5.01 ANSWER answered, (connected-identity 0.75)',
      'B 103 c4, 0.11 dial-in, 4.02 CANCEL caller_left, (connected-identity 0.75)',
      'A 101 c1, 1 dial-out, 3.01 answer-out, 5 ANSWER answered',
      'B 104 c3, 1.01 dial-out, 4.02 CANCEL caller_left',
    ],
  );
}

{
  const line = dial('c1', '101', '102');
  const [phone, mobile] = [ring('c2', '101', '102'), toTrunk('c3', '15550001', '15550177')];
  const forwarded = [
    line.invite(0),
    phone.invite(0.1),
    phone.say(0.2, '180 Ringing'),
    line.say(0.21, '180 Ringing'),
    phone.cancel(8),
    phone.say(8.01, '487 x'),
    mobile.invite(8.02),
    mobile.say(9, '180 Ringing'),
    mobile.say(12, '486 Busy Here'),
  ];
  const rung = 'A 102 c2, 0.1 dial-in, 8.01 NOANSWER ring_timeout, (numbers 0.8)';
  story(
    'forwarded to a mobile phone, which is shown the number of the company: what it answers, the caller hears at once',
    [forwarded, line.say(12.01, '486 Busy Here')],
    ['A 101 c1, 0.1 dial-out, 12.01 BUSY response_486', rung],
  );
  story(
    'somebody else calls a mobile phone for the company meanwhile: what that answers, the caller does not hear',
    [forwarded, line.say(14, '603 Declined')],
    ['A 101 c1, 0.1 dial-out, 14 NOANSWER ring_timeout', rung],
  );
}

{
  const [line, next] = [outside('c1', '102', '15550100'), outside('c4', '103', '15550100')];
  const [phone, other] = [ring('c2', '15550100', '102'), ring('c5', '15550100', '103')];
  const mobile = toTrunk('c3', '15550100', '15550177');
  story(
    'somebody who is forwarded to the outside under his own number calls once more: that is no call that comes back',
    [
      [line.invite(0), phone.invite(0.1), phone.say(0.2, '486 Busy Here')],
      [mobile.invite(0.3), mobile.say(0.5, '180 Ringing'), line.say(0.51, '180 Ringing')],
      [next.invite(1), other.invite(1.1), other.say(2, '486 Busy Here'), next.say(2.01, '486 Busy Here')],
      [mobile.say(4, '200 OK'), line.say(4.01, '200 OK'), line.bye(8), mobile.bye(8.01)],
    ],
    [
      'A 102 c2, 0.1 dial-in, 0.2 BUSY response_486, (numbers 0.8)',
      'B 103 c5, 1.1 dial-in, 2 BUSY response_486, (numbers 0.8)',
    ],
  );
}

{
  const [mine, another, pickup] = [dial('c1', '101', '103'), dial('c3', '102', '104'), dial('c5', '103', '*8')];
  const [own, rung] = [ring('c2', '101', '103'), ring('c4', '102', '104')];
  story(
    'while calls ring at two phones, one of these takes a call of the group: its own, as the PBX withdraws that',
    [
      [mine.invite(0), own.invite(0.1), own.say(0.2, '180 Ringing'), mine.say(0.21, '180 Ringing')],
      [another.invite(1), rung.invite(1.1), rung.say(1.2, '180 Ringing'), another.say(1.21, '180 Ringing')],
      [pickup.invite(2), pickup.say(2.1, '200 OK'), mine.say(2.11, '200 OK'), own.cancel(2.12), own.say(2.13, '487 x')],
      [pickup.bye(5), mine.byeBack(5.01), rung.say(6, '486 Busy Here'), another.say(6.01, '486 Busy Here')],
    ],
    [
      'A 101 c1, 0.1 dial-out, 2.11 answer-out, 5.01 ANSWER answered',
      'A 103 c2, 0.1 dial-in, 2.13 NOANSWER ring_timeout, (numbers 0.8)',
      'B 102 c3, 1.1 dial-out, 6.01 BUSY response_486',
      'B 104 c4, 1.1 dial-in, 6 BUSY response_486, (numbers 0.8)',
      'A 103 c5, 2.1 dial-out, 2.1 answer-out, 5 ANSWER answered, (pickup 0.7)',
    ],
  );
}

{
  const [line, hiding] = [outside('c1', '104', 'anonymous'), dial('c3', '101', '88102')];
  const [phone, other] = [ring('c2', 'anonymous', '104'), ring('c4', 'anonymous', '102')];
  story(
    'an extension hides its number by a code while somebody without a number calls: what rings tells who calls whom',
    [
      [line.invite(0), phone.invite(0.1), phone.say(0.2, '180 Ringing'), line.say(0.21, '180 Ringing')],
      [hiding.invite(1), other.invite(1.1), other.say(2, '180 Ringing'), hiding.say(2.01, '180 Ringing')],
      [other.say(4, '486 Busy Here'), hiding.say(4.01, '486 Busy Here')],
      [line.cancel(6), phone.cancel(6.01), phone.say(6.02, '487 x')],
    ],
    [
      'A 104 c2, 0.1 dial-in, 6.02 CANCEL caller_left, (called-number 0.5)',
      'B 102 c4, 1.1 dial-in, 4 BUSY response_486, (coincidence 0.75)',
      'B 101 c3, 2 dial-out, 4.01 BUSY response_486',
    ],
  );
}

{
  const [phone, called] = [ring('c1', '102', '101'), ring('c2', '102', '102')];
  const talking = [phone.invite(0), phone.say(0.1, '180 Ringing'), phone.say(2, '200 OK')];
  const first = 'A 101 c1, 0 dial-in, 2 answer-in, 8 ANSWER answered';
  story(
    'click to dial: the phone rings with the number that is dialled for it, and that is shown again',
    [
      talking,
      called.invite(2.1),
      called.say(3, '180 Ringing'),
      called.say(4, '200 OK'),
      phone.byeBack(8),
      called.bye(8.01),
    ],
    [first, 'A 102 c2, 2.1 dial-in, 4 answer-in, 8.01 ANSWER answered, (click-to-dial 0.5)'],
  );
  const line = dial('c3', '104', '102');
  const rung = ring('c4', '104', '102');
  story(
    'click to dial to somebody whom somebody else calls',
    [
      talking,
      [line.invite(1), rung.invite(1.1), rung.say(1.2, '180 Ringing'), line.say(1.21, '180 Ringing')],
      [called.invite(2.1), called.say(3, '180 Ringing'), called.say(4, '200 OK'), phone.byeBack(8), called.bye(8.01)],
      [line.cancel(9), rung.cancel(9.01), rung.say(9.02, '487 x'), line.say(9.02, '487 x')],
    ],
    [
      first,
      'B 104 c3, 1.1 dial-out, 9.02 CANCEL caller_left',
      'B 102 c4, 1.1 dial-in, 9.02 CANCEL caller_left, (numbers 0.8)',
      'A 102 c2, 2.1 dial-in, 4 answer-in, 8.01 ANSWER answered, (click-to-dial 0.5)',
    ],
  );
  story(
    'click to dial, long after: that is somebody else',
    [talking, called.invite(3.5), called.say(4, '486 Busy Here'), phone.byeBack(8)],
    [first, 'B 102 c2, 3.5 dial-in, 4 BUSY response_486'],
  );
}

export { CASES, plain } from './product-stories.ts';
