import t from 'tap';
import { playWithPbx, type PbxAct } from './pbx-stage.ts';

// Calls through a PBX, with Ringside between it and its phones: what the scripts are told.

const acts: PbxAct[] = [
  [
    'answered; the caller hangs up',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.end(caller, called);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
  [
    'answered; media goes another way, the caller holds, and the called side hangs up',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.pbx.renegotiate(s.pbx.legOf(caller.callId));
      await caller.send('INVITE', { body: 'v=0\r\na=sendonly\r\n' });
      await s.end(called, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
  [
    'busy',
    async (s) => {
      const [caller, called] = await s.ring('101', '102');
      called.refuse(486);
      await s.over(caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, hangup BUSY response_486',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup BUSY response_486; numbers 0.8',
    ],
  ],
  [
    'declined: 603, of which the PBX makes 403',
    async (s) => {
      const [caller, called] = await s.ring('101', '102');
      called.refuse(603);
      await s.over(caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, hangup BUSY response_603',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup BUSY response_603; numbers 0.8',
    ],
  ],
  [
    'nobody answers: the PBX says 603',
    async (s) => {
      const calls = await s.ring('101', '102');
      s.pbx.giveUp();
      await s.over(...calls);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, hangup NOANSWER ring_timeout',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER ring_timeout; numbers 0.8',
    ],
  ],
  [
    'given up by the caller',
    async (s) => {
      const [caller, called] = await s.ring('101', '102');
      caller.cancel();
      await s.over(caller, called);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, hangup CANCEL caller_left',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup CANCEL caller_left; numbers 0.8',
    ],
  ],
  [
    'not registered',
    async (s) => {
      await s.phone('104').register(0);
      await s.over(s.dial('101', '104'));
      await s.phone('104').register();
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 104 [104]: dial-out, hangup CHANUNAVAIL not_registered',
      'A 104 IN 101.1, 101 [101] dialled 104 [104]: dial-in, hangup CHANUNAVAIL not_registered',
    ],
  ],
  [
    'no such number',
    (s) => s.over(s.dial('101', '199')),
    ['A 101 OUT 101.1, 101 [101] dialled 199 []: dial-out, hangup CONGESTION q850_1'],
  ],
  [
    'busy, and the PBX answers with a tone',
    async (s) => {
      s.pbx.treatment.hasBusyTone = true;
      const [caller, called] = await s.ring('101', '102');
      called.refuse(486);
      await s.up(caller);
      caller.hangUp();
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup BUSY response_486; numbers 0.8',
    ],
  ],
  [
    'voicemail',
    async (s) => {
      s.pbx.treatment.hasVoicemail = true;
      const [caller] = await s.ring('101', '102');
      s.pbx.giveUp();
      await s.up(caller);
      caller.hangUp();
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER ring_timeout; numbers 0.8',
    ],
  ],
  [
    'from outside to a DID',
    async (s) => {
      const caller = s.trunk.call('15551230001');
      const called = await s.answers('101');
      await s.up(caller);
      await s.end(caller, called);
    },
    [
      'A 101 IN 101.1, 14155550100 [] dialled 15551230001 [101] did 15551230001: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
  [
    'to outside',
    async (s) => {
      const caller = s.dial('101', '914155550123');
      const called = await s.trunk.rings();
      called.answer();
      await s.up(caller);
      await s.end(caller, called);
    },
    ['A 101 OUT 101.1, 101 [101] dialled 914155550123 []: dial-out, answer-out, hangup ANSWER'],
  ],
  [
    'two calls at once between the same two',
    async (s) => {
      const [first, other] = await s.talk('101', '102');
      const [second, another] = await s.talk('101', '102');
      await s.end(first, other);
      await s.end(another, second);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B 101 OUT 101.2, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'B 102 IN 102.2, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
  [
    'two calls that cross',
    async (s) => {
      const [one, two] = [s.dial('101', '102'), s.dial('102', '101')];
      const [atTwo, atOne] = [await s.rings('102'), await s.rings('101')];
      atTwo.answer();
      atOne.refuse(486);
      await s.up(one);
      await s.over(two);
      await s.end(atTwo, one);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.2, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B 101 IN 101.2, 102 "Bob B" [102] dialled 101 [101]: dial-in, hangup BUSY response_486; numbers 0.8',
      'B 102 OUT 102.1, 102 [102] dialled 101 [101]: dial-out, hangup BUSY response_486',
    ],
  ],
  [
    'a conference: the PBX answers',
    async (s) => {
      const calls = [s.dial('101', '690'), s.dial('102', '690')];
      for (const call of calls) await s.up(call);
      for (const call of calls) call.hangUp();
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 690 [690]: dial-out, answer-out, hangup ANSWER',
      'A 690 IN 101.1, 101 [101] dialled 690 [690]: dial-in, answer-in, hangup ANSWER',
      'B 102 OUT 102.1, 102 [102] dialled 690 [690]: dial-out, answer-out, hangup ANSWER',
      'B 690 IN 102.1, 102 [102] dialled 690 [690]: dial-in, answer-in, hangup ANSWER',
    ],
  ],
];

t.test('calls of two', (t) => playWithPbx(t, acts));
