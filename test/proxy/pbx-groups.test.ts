import t from 'tap';
import { playWithPbx, type PbxAct } from './pbx-stage.ts';

// Groups, queues, pickups and forwards by a PBX, with Ringside between it and its phones: what the scripts are told.

const acts: PbxAct[] = [
  [
    'a group rings; one answers',
    async (s) => {
      const caller = s.trunk.call('15551230601');
      const [one, two, three, four] = [
        await s.rings('101'),
        await s.rings('102'),
        await s.rings('103'),
        await s.rings('104'),
      ];
      three.answer();
      await s.up(caller);
      await s.over(one, two, four);
      await s.end(caller, three);
    },
    [
      'A 101 IN 101.1, 14155550100 [] dialled 15551230601 [101]: dial-in, hangup NOANSWER answered_elsewhere; caller-number 0.6',
      'A 102 IN 102.1, 14155550100 [] dialled 15551230601 [102]: dial-in, hangup NOANSWER answered_elsewhere; caller-number 0.6',
      'A 103 IN 103.1, 14155550100 [] dialled 15551230601 [103]: dial-in, answer-in, hangup ANSWER; caller-number 0.6',
      'A 104 IN 104.1, 14155550100 [] dialled 15551230601 [104]: dial-in, hangup NOANSWER answered_elsewhere; caller-number 0.6',
    ],
  ],
  [
    'a group rings; one is busy, and the caller gives up',
    async (s) => {
      const caller = s.dial('101', '601');
      const [two, three, four] = [await s.rings('102'), await s.rings('103'), await s.rings('104')];
      three.refuse(486);
      caller.cancel();
      await s.over(caller, two, four);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 601 []: dial-out, hangup CANCEL caller_left',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 601 [102]: dial-in, hangup CANCEL caller_left; caller-number 0.6',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 601 [103]: dial-in, hangup BUSY response_486; caller-number 0.6',
      'A 104 IN 104.1, 101 "Alice A" [101] dialled 601 [104]: dial-in, hangup CANCEL caller_left; caller-number 0.6',
    ],
  ],
  [
    'a group rings; one is busy, and nobody answers',
    async (s) => {
      const caller = s.dial('101', '601');
      const [two, three, four] = [await s.rings('102'), await s.rings('103'), await s.rings('104')];
      three.refuse(486);
      await s.over(s.pbx.legOf(three.callId));
      s.pbx.giveUp();
      await s.over(caller, two, four);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 601 []: dial-out, hangup NOANSWER ring_timeout',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 601 [102]: dial-in, hangup NOANSWER ring_timeout; caller-number 0.6',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 601 [103]: dial-in, hangup BUSY response_486; caller-number 0.6',
      'A 104 IN 104.1, 101 "Alice A" [101] dialled 601 [104]: dial-in, hangup NOANSWER ring_timeout; caller-number 0.6',
    ],
  ],
  [
    'a group rings, and each refuses in its way: the PBX says 403',
    async (s) => {
      const caller = s.dial('101', '601');
      (await s.rings('102')).refuse(486);
      (await s.rings('103')).refuse(603);
      (await s.rings('104')).refuse(480);
      await s.over(caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 601 []: dial-out, hangup NOANSWER response_480',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 601 [102]: dial-in, hangup BUSY response_486; caller-number 0.6',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 601 [103]: dial-in, hangup BUSY response_603; caller-number 0.6',
      'A 104 IN 104.1, 101 "Alice A" [101] dialled 601 [104]: dial-in, hangup NOANSWER response_480; caller-number 0.6',
    ],
  ],
  [
    'a queue answers; one agent does not, the next does',
    async (s) => {
      const caller = s.dial('101', '600');
      await s.up(caller);
      const first = await s.rings('102');
      s.pbx.giveUp();
      await s.over(first);
      await s.end(caller, await s.answers('103'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 600 [600]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 600 [102]: dial-in, hangup NOANSWER ring_timeout; caller-number 0.6',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 600 [103]: dial-in, answer-in, hangup ANSWER; caller-number 0.6',
      'A 600 IN 101.1, 101 [101] dialled 600 [600]: dial-in, answer-in, hangup ANSWER',
    ],
  ],
  [
    'a queue answers; the caller gives up while an agent rings',
    async (s) => {
      const caller = s.trunk.call('15551230600');
      await s.up(caller);
      await s.end(caller, await s.rings('102'));
    },
    [
      'A 102 IN 102.1, 14155550100 [] dialled 15551230600 [102] did 15551230600: dial-in, hangup CANCEL caller_left; caller-number 0.6',
      'A 600 IN 14155550100.1, 14155550100 [] dialled 15551230600 [600] did 15551230600: dial-in, answer-in, hangup ANSWER',
    ],
  ],
  [
    'pickup by the code of the phone that rings',
    async (s) => {
      const [caller, called] = await s.ring('101', '102');
      const other = s.dial('103', '**102');
      await s.over(called);
      await s.up(other);
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; answered by 103',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER answered_elsewhere; numbers 0.8',
      'A 103 OUT 103.1, 103 [103] dialled **102 []: dial-out, answer-out, hangup ANSWER; pickup 0.7',
    ],
  ],
  [
    'pickup by the code of the group',
    async (s) => {
      const [caller, called] = await s.ring('101', '102');
      const other = s.dial('103', '*8');
      await s.over(called);
      await s.up(other);
      await s.end(other, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; answered by 103',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER answered_elsewhere; numbers 0.8',
      'A 103 OUT 103.1, 103 [103] dialled *8 []: dial-out, answer-out, hangup ANSWER; pickup 0.7',
    ],
  ],
  [
    'pickup by an INVITE with Replaces',
    async (s) => {
      const [caller, called] = await s.ring('101', '102');
      const other = s.dial('103', '102', [`Replaces: ${called.replaces};early-only`]);
      await s.over(called);
      await s.up(other);
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; answered by 103',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER answered_elsewhere; numbers 0.8',
      'A 103 OUT 103.1, 103 [103] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; replaces 0.99',
    ],
  ],
  [
    'forwarded by the PBX',
    async (s) => {
      s.pbx.treatment.forwards.set('102', '103');
      const caller = s.dial('101', '102');
      const other = await s.answers('103');
      await s.up(caller);
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; answered by 103',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; diversion 0.85',
    ],
  ],
  [
    'forwarded by the phone: 302',
    async (s) => {
      const caller = s.dial('101', '102');
      (await s.rings('102')).refuse(302, ['Contact: <sip:103@acme.example.com>']);
      const other = await s.answers('103');
      await s.up(caller);
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; answered by 103',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER redirected; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; redirect 0.9',
    ],
  ],
  [
    'forwarded by the phone to outside',
    async (s) => {
      const caller = s.dial('101', '102');
      (await s.rings('102')).refuse(302, ['Contact: <sip:914155550177@acme.example.com>']);
      const other = await s.trunk.rings();
      other.answer();
      await s.up(caller);
      await s.end(other, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, hangup NOANSWER redirected; numbers 0.8',
    ],
  ],
];

t.test('groups, queues, pickups and forwards', (t) => playWithPbx(t, acts));
