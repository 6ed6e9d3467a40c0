import { PBX, type Step, TRUNK } from './harness.ts';
import { CASES, dial, direct, leg, plain, ring, story } from './stories.ts';

// What other PBXs than Asterisk do on the wire, and what is rare: added to the stories.

const identity = (number: string, party = 'calling'): string =>
  `Remote-Party-ID: <sip:${number}@${PBX}>;party=${party};screen=yes;privacy=off`;

const [in1, out1] = [dial('l1', '101', '102'), ring('l2', '101', '102')];
const ringing = [in1.invite(0), out1.invite(0.1), out1.say(1, '180 Ringing'), in1.say(1.01, '180 Ringing')];
const talking = [...ringing, out1.say(2, '200 OK'), in1.say(2.01, '200 OK')];
const [in2, out2] = [dial('l3', '102', '103'), ring('l4', '102', '103')];
const consulting = [in2.invite(10), out2.invite(10.1), out2.say(11, '180 Ringing'), in2.say(11.01, '180 Ringing')];
const first = [
  'A 101 l1, 0.1 dial-out, 2.01 answer-out, 20 ANSWER answered',
  'A 102 l2, 0.1 dial-in, 2 answer-in, 15.1 ANSWER answered, (numbers 0.8)',
];

/** The PBX tells one end by re-INVITE whom it is connected to, as Cisco's does. */
const reinvite = (step: Step, number: string): Step => ({
  ...step,
  say: 'INVITE',
  cseq: '9 INVITE',
  headers: [identity(number, 'called')],
});

story(
  'attended transfer by a PBX that tells both ends of each other with a re-INVITE, and shows no REFER (Cisco)',
  [
    talking,
    consulting,
    out2.say(12, '200 OK'),
    in2.say(12.01, '200 OK'),
    reinvite(in1.update(15, 'caller', ''), '103'),
    reinvite(out2.update(15.02, 'called', ''), '101'),
    out1.bye(15.1),
    in2.byeBack(15.1),
    in1.bye(20),
    out2.bye(20.05),
  ],
  [
    ...first,
    'A 102 l3, 10.1 dial-out, 12.01 answer-out, 15.1 ANSWER answered, (connected-identity 0.75)',
    'A 103 l4, 10.1 dial-in, 12 answer-in, 20.05 ANSWER answered, (numbers 0.8)',
  ],
);

const forwarded = ring('l5', '101', '103', [`Diversion: <sip:102@${PBX}>;reason=no-answer`]);
story(
  'forward when nobody answers, with Diversion; the caller is told of it in another 180 (Cisco)',
  [
    ringing,
    out1.cancel(10),
    out1.say(10.01, '487 x'),
    forwarded.invite(10.02),
    forwarded.say(11, '180 Ringing'),
    in1.say(11.01, '180 Ringing', [identity('103', 'called')]),
    forwarded.say(13, '200 OK'),
    in1.say(13.01, '200 OK', [identity('103', 'called')]),
    in1.bye(20),
    forwarded.bye(20.02),
  ],
  [
    'A 101 l1, 0.1 dial-out, 13.01 answer-out, 20 ANSWER answered',
    'A 102 l2, 0.1 dial-in, 10.01 NOANSWER ring_timeout, (numbers 0.8)',
    'A 103 l5, 10.02 dial-in, 13 answer-in, 20.02 ANSWER answered, (diversion 0.85)',
  ],
);

const session = 'Av-Global-Session-ID: 6ba7b810-9dad-11d1-80b4-00c04fd430c8';
const [named, hidden] = [dial('l1', '101', '777', [session]), ring('l2', '', '105', [session])];
story(
  'an identifier of the whole session in every leg, and another caller shown (Avaya)',
  [named.invite(0), hidden.invite(0.2), hidden.say(1, '486 Busy Here'), named.say(1.1, '486 Busy Here')],
  ['A 101 l1, 0.2 dial-out, 1.1 BUSY response_486', 'A 105 l2, 0.2 dial-in, 1 BUSY response_486, (header 0.9)'],
);

const group = dial('g1', '101', '600');
const [m2, m3] = [ring('g2', '101', '102', [identity('101')]), ring('g3', '101', '103', [identity('101')])];
const offered = [group.invite(0), m2.invite(0.05), m3.invite(0.05), m2.say(0.2, '180 x'), m3.say(0.25, '180 x')];
story(
  'a ring group: who lost the race is told so (FreeSWITCH)',
  [
    offered,
    m2.say(3, '200 OK'),
    m3.cancel(3.01, ['Reason: SIP;cause=200;text="Call completed elsewhere"']),
    m3.say(3.02, '487 x'),
    group.say(3.03, '200 OK'),
    group.bye(8),
    m2.bye(8.01),
  ],
  [
    'A 101 g1, 0.05 dial-out, 3.03 answer-out, 8 ANSWER answered',
    'A 102 g2, 0.05 dial-in, 3 answer-in, 8.01 ANSWER answered, (caller-number 0.6)',
    'A 103 g3, 0.05 dial-in, 3.02 NOANSWER answered_elsewhere, (caller-number 0.6)',
  ],
);
const timeout = ['Reason: Q.850;cause=19;text="NO_ANSWER"'];
story(
  'a ring group that nobody answers: the caller gets a 480 (FreeSWITCH)',
  [
    offered,
    m2.cancel(20, timeout),
    m3.cancel(20, timeout),
    m2.say(20.1, '487 x'),
    m3.say(20.1, '487 x'),
    group.say(20.2, '480 Temporarily Unavailable', timeout),
  ],
  [
    'A 101 g1, 0.05 dial-out, 20.2 NOANSWER ring_timeout',
    'A 102 g2, 0.05 dial-in, 20.1 NOANSWER ring_timeout, (caller-number 0.6)',
    'A 103 g3, 0.05 dial-in, 20.1 NOANSWER ring_timeout, (caller-number 0.6)',
  ],
);
for (const reason of ['Q.850;cause=20;text="SUBSCRIBER_ABSENT"', 'SIP;cause=606;text="USER_NOT_REGISTERED"']) {
  const detail = reason.startsWith('Q') ? 'not_registered' : 'response_480';
  story(
    `nobody is registered: ${reason} (FreeSWITCH)`,
    [in1.invite(0), in1.say(0.2, '480 Temporarily Unavailable', [`Reason: ${reason}`])],
    [`A 101 l1, 0.2 dial-out, 0.2 CHANUNAVAIL ${detail}`, `A 102 l1, 0.2 dial-in, 0.2 CHANUNAVAIL ${detail}`],
  );
}

const device = leg({
  id: 'l3',
  from: PBX,
  to: '192.0.2.103',
  user: '101',
  uri: 'sip:103@192.0.2.103:5060;rinstance=z1',
});
story(
  'blind transfer, the Refer-To without brackets, by a PBX that hangs up on who asked (3CX)',
  [
    talking,
    out1.refer(5, 'called', 'sip:103@acme.example.com'),
    device.invite(5.1),
    out1.bye(5.2),
    device.say(6, '180 Ringing'),
    device.say(8, '200 OK'),
    in1.bye(12),
    device.bye(12.01),
  ],
  [
    'A 101 l1, 0.1 dial-out, 2.01 answer-out, 12 ANSWER answered, by 102',
    'A 102 l2, 0.1 dial-in, 2 answer-in, 5.2 ANSWER answered, (numbers 0.8)',
    'A 103 l3, 5.1 dial-in, 8 answer-in, 12.01 ANSWER answered, (refer 0.95), by 102',
  ],
);

{
  const outside: Step = {
    at: 5,
    say: 'REFER',
    from: '192.0.2.102',
    to: PBX,
    callId: 'r1',
    fromTag: 'r1-a',
    fromUser: '102',
    uri: 'sip:acme.example.com',
    branch: 'z9hG4bKr1',
    headers: ['Refer-To: <sip:103@acme.example.com>', 'Target-Dialog: l2;local-tag=l2-b;remote-tag=l2-a'],
  };
  const agreed: Step = {
    ...outside,
    at: 5.01,
    say: '202 Accepted',
    from: PBX,
    to: '192.0.2.102',
    toTag: 'r1-b',
    cseq: '1 REFER',
  };
  const target = ring('l3', '101', '103');
  story(
    'a REFER outside of the dialog that it is about',
    [
      talking,
      outside,
      agreed,
      target.invite(5.1),
      out1.bye(5.2),
      target.say(6, '180 Ringing'),
      target.say(8, '200 OK'),
      in1.bye(12),
      target.bye(12.01),
    ],
    [
      'A 101 l1, 0.1 dial-out, 2.01 answer-out, 12 ANSWER answered, by 102',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 5.2 ANSWER answered, (numbers 0.8)',
      'A 103 l3, 5.1 dial-in, 8 answer-in, 12.01 ANSWER answered, (refer 0.95), by 102',
    ],
  );
}

story(
  'who asks to be replaced while the target rings, and hears that it is busy',
  [
    talking,
    consulting,
    out1.refer(12, 'called', '<sip:103@acme.example.com?Replaces=l3%3Bto-tag%3Dl3-b%3Bfrom-tag%3Dl3-a>'),
    out2.say(12.5, '486 Busy Here'),
    in2.say(12.51, '486 Busy Here'),
    out1.byeBack(13),
    in1.byeBack(14),
  ],
  [
    'A 101 l1, 0.1 dial-out, 2.01 answer-out, 14 ANSWER answered, by 102',
    'A 102 l2, 0.1 dial-in, 2 answer-in, 13 ANSWER answered, (numbers 0.8)',
    'A 102 l3, 10.1 dial-out, 12.51 BUSY response_486, (replaces 0.99)',
    'A 103 l4, 10.1 dial-in, 12.5 BUSY response_486, (numbers 0.8), by 102',
  ],
);

{
  const called = direct('d1', '101', '102');
  const taking = direct('p1', '103', '101', ['Replaces: d1;to-tag=d1-b;from-tag=d1-a;early-only']);
  story(
    'pickup from phone to phone, by Replaces of the early dialog: who calls is answered by somebody else',
    [
      called.invite(0),
      called.say(1, '180 Ringing'),
      taking.invite(3),
      taking.say(3.1, '200 OK'),
      called.cancel(3.2),
      called.say(3.3, '487 x'),
      taking.bye(9),
    ],
    [
      'A 101 d1, 1 dial-out, 3.1 answer-out, 9 ANSWER answered',
      'A 102 d1, 1 dial-in, 3.3 NOANSWER answered_elsewhere',
      'A 103 p1, 3.1 dial-out, 3.1 answer-out, 9 ANSWER answered, (replaces 0.99)',
    ],
    'open',
  );
}

{
  const contacts = ['Contact: <sip:104@acme.example.com>;q=0.5, <sip:103@acme.example.com>'];
  const [sent, one, other] = [direct('f1', '101', '102'), direct('f2', '101', '103'), direct('f3', '101', '104')];
  story(
    'a 302 with two contacts, followed one by one by the phone: still one caller',
    [
      sent.invite(0),
      sent.say(1, '302 Moved Temporarily', contacts),
      one.invite(1.1),
      one.say(2, '180 Ringing'),
      one.say(9, '486 Busy Here'),
      other.invite(9.1),
      other.say(10, '180 Ringing'),
      other.say(11, '200 OK'),
      other.bye(15),
    ],
    [
      'A 101 f1, 1 dial-out, 11 answer-out, 15 ANSWER answered',
      'A 102 f1, 1 dial-in, 1 NOANSWER redirected',
      'A 103 f2, 2 dial-in, 9 BUSY response_486, (redirect 0.9)',
      'A 104 f3, 10 dial-in, 11 answer-in, 15 ANSWER answered, (redirect 0.9)',
    ],
    'open',
  );
  story(
    'the same, but the phone gives up after the first: its caller hears what became of that',
    [
      sent.invite(0),
      sent.say(1, '302 Moved Temporarily', contacts),
      one.invite(1.1),
      one.say(9, '486 Busy Here'),
      other.invite(30),
      other.say(31, '486 Busy Here'),
    ],
    [
      'A 101 f1, 1 dial-out, 14 BUSY response_486',
      'A 102 f1, 1 dial-in, 1 NOANSWER redirected',
      'A 103 f2, 2.1 dial-in, 9 BUSY response_486, (redirect 0.9)',
      'B 101 f3, 31 dial-out, 31 BUSY response_486',
      'B 104 f3, 31 dial-in, 31 BUSY response_486',
    ],
    'open',
  );
  const [next, last] = [ring('f3', '101', '103'), ring('f4', '101', '104')];
  story(
    'a 302 with two contacts, followed one by one by the PBX',
    [
      in1.invite(0),
      out1.invite(0.1),
      out1.say(1, '302 Moved Temporarily', contacts),
      next.invite(1.1),
      next.say(9, '486 Busy Here'),
      last.invite(9.1),
      last.say(11, '200 OK'),
      in1.say(11.01, '200 OK'),
      in1.bye(15),
      last.bye(15.01),
    ],
    [
      'A 101 l1, 0.1 dial-out, 11.01 answer-out, 15 ANSWER answered',
      'A 102 l2, 0.1 dial-in, 1 NOANSWER redirected, (numbers 0.8)',
      'A 103 f3, 1.1 dial-in, 9 BUSY response_486, (redirect 0.9)',
      'A 104 f4, 9.1 dial-in, 11 answer-in, 15.01 ANSWER answered, (redirect 0.9)',
    ],
  );
}

{
  const line = dial('h1', '101', '9441632960000');
  const toTrunk = leg({ id: 'h2', from: PBX, to: TRUNK, user: '101', uri: `sip:441632960000@${TRUNK}` });
  const back = leg({ id: 'h3', from: TRUNK, to: PBX, user: '101', uri: `sip:102@${PBX}` });
  const phone = ring('h4', '101', '102');
  const legs = [line, toTrunk, back, phone];
  story(
    'a call that leaves for the trunk and comes back: one call, the caller hears busy',
    [legs.map((each, i) => each.invite(i / 10)), legs.toReversed().map((each, i) => each.say(1 + i / 100, '486 x'))],
    ['A 101 h1, 0.1 dial-out, 1.03 BUSY response_486', 'A 102 h4, 0.3 dial-in, 1 BUSY response_486, (numbers 0.8)'],
  );
}

export { CASES, plain };
