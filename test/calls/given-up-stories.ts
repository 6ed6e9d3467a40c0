import { dial, ring, story } from './stories.ts';

// Who is to blame that nobody answers after a transfer: who waited, or the PBX.

const [in1, out1] = [dial('l1', '101', '102'), ring('l2', '101', '102')];
const talking = [in1.invite(0), out1.invite(0.1), out1.say(2, '200 OK'), in1.say(2.01, '200 OK')];
const first = (end: string): string[] => [
  `A 101 l1, 0.1 dial-out, 2.01 answer-out, ${end}, by 102`,
  'A 102 l2, 0.1 dial-in, 2 answer-in, 6 ANSWER answered, (numbers 0.8)',
];

{
  const target = ring('l3', '101', '103', ['Referred-By: <sip:102@acme.example.com>']);
  const referred = [
    talking,
    out1.refer(5, 'called', '<sip:103@acme.example.com>', ['Referred-By: <sip:102@acme.example.com>']),
    [target.invite(5.1), target.say(5.2, '180 Ringing'), out1.byeBack(6)],
  ].flat();
  const rung = (end: string): string => `A 103 l3, 5.1 dial-in, 15.02 ${end}, (referred-by 0.97), by 102`;
  story(
    'nobody answers who is transferred: the PBX hangs up before it withdraws the call from the phone',
    [referred, in1.byeBack(15), target.cancel(15.01), target.say(15.02, '487 x')],
    [...first('15 ANSWER answered'), rung('NOANSWER ring_timeout')],
  );
  story(
    'who is transferred hangs up while the phone rings',
    [referred, in1.bye(15), target.cancel(15.01), target.say(15.02, '487 x')],
    [...first('15 ANSWER answered'), rung('CANCEL caller_left')],
  );
}

{
  const [in2, out2] = [dial('l3', '102', '103'), ring('l4', '102', '103')];
  const transferred = [
    talking,
    [in2.invite(4), out2.invite(4.1), out2.say(4.2, '180 Ringing'), in2.say(4.21, '180 Ringing')],
    out1.refer(5, 'called', '<sip:103@acme.example.com?Replaces=l3%3Bto-tag%3Dl3-b%3Bfrom-tag%3Dl3-a>'),
    [in2.say(5.1, '603 Declined'), out1.byeBack(6)],
  ].flat();
  const consulted = (end: string): string[] => [
    'A 102 l3, 4.1 dial-out, 5.1 CANCEL transferred, (replaces 0.99)',
    `A 103 l4, 4.1 dial-in, 15.02 ${end}, (numbers 0.8), by 102`,
  ];
  story(
    'who is transferred to somebody who rings (semi-attended) hangs up',
    [transferred, in1.bye(15), out2.cancel(15.01), out2.say(15.02, '487 x')],
    [...first('15 ANSWER answered'), ...consulted('CANCEL caller_left')],
  );
  story(
    'who is transferred to somebody who rings (semi-attended) waits in vain',
    [transferred, in1.byeBack(15), out2.cancel(15.01), out2.say(15.02, '487 x')],
    [...first('15 ANSWER answered'), ...consulted('NOANSWER ring_timeout')],
  );
}

{
  const [in2, out2] = [dial('l4', '104', '102'), ring('l5', '104', '102')];
  const by102 = ['Referred-By: <sip:102@acme.example.com>'];
  const [target, later] = [ring('l3', '101', '103', by102), ring('l6', '104', '103', by102)];
  story(
    'a REFER that was followed is not followed again half a minute later, for another caller whose REFER was missed',
    [
      talking,
      out1.refer(5, 'called', '<sip:103@acme.example.com>', by102),
      [target.invite(5.1), target.say(6, '200 OK'), out1.byeBack(6.1)],
      [in2.invite(20), out2.invite(20.1), out2.say(22, '200 OK'), in2.say(22.01, '200 OK')],
      [later.invite(40), later.say(40.1, '486 Busy Here')],
      [out2.bye(45), in2.byeBack(45.01), target.bye(50), in1.byeBack(50.01)],
    ].flat(),
    [
      'A 101 l1, 0.1 dial-out, 2.01 answer-out, 50.01 ANSWER answered, by 102',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 6.1 ANSWER answered, (numbers 0.8)',
      'A 103 l3, 5.1 dial-in, 6 answer-in, 50 ANSWER answered, (referred-by 0.97), by 102',
      'B 104 l4, 20.1 dial-out, 22.01 answer-out, 45.01 ANSWER answered',
      'B 102 l5, 20.1 dial-in, 22 answer-in, 45 ANSWER answered, (numbers 0.8)',
      'B 103 l6, 40 dial-in, 40.1 BUSY response_486, (caller-number 0.6)',
    ],
  );
}

export { CASES, plain } from './shown-caller-stories.ts';
