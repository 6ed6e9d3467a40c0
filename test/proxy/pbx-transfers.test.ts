import t from 'tap';
import { playWithPbx, type PbxAct } from './pbx-stage.ts';
import type { AgentCall } from './support/pbx/agent-call.ts';

// Transfers and parking by a PBX, with Ringside between it and its phones: what the scripts are told.

const blind: PbxAct[] = [
  [
    'by the called side; answered',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '103', ['Referred-By: <sip:102@acme.example.com>']);
      await s.end(caller, await s.answers('103'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; referred-by 0.97; by 102',
    ],
  ],
  [
    'by the caller; answered',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(caller, '103');
      await s.end(await s.answers('103'), called);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 101',
      'A 103 IN 103.1, 102 "Bob B" [102] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; referred-by 0.97; by 101',
    ],
  ],
  [
    'to a busy phone',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '103');
      (await s.rings('103')).refuse(486);
      await s.over(caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, hangup BUSY response_486; referred-by 0.97; by 102',
    ],
  ],
  [
    'to a phone that nobody answers',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '103');
      const other = await s.rings('103');
      s.pbx.giveUp();
      await s.over(other, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, hangup NOANSWER ring_timeout; referred-by 0.97; by 102',
    ],
  ],
  [
    'to a phone that says nothing',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '103');
      const other = await s.phone('103').rings();
      s.pbx.giveUp();
      await s.over(other, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, hangup NOANSWER ring_timeout; referred-by 0.97; by 102',
    ],
  ],
  [
    'to a phone that rings until who is transferred hangs up',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '103');
      await s.end(caller, await s.rings('103'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, hangup CANCEL caller_left; referred-by 0.97; by 102',
    ],
  ],
  [
    'to a number that is none; who asked hangs up',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '199');
      await s.over(caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
  [
    'to outside',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '914155550177');
      const other = await s.trunk.rings();
      other.answer();
      await s.end(other, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
  [
    'of a caller from outside',
    async (s) => {
      const caller = s.trunk.call('15551230001');
      const called = await s.answers('101');
      await s.up(caller);
      await s.transfer(called, '103');
      await s.end(caller, await s.answers('103'));
    },
    [
      'A 101 IN 101.1, 14155550100 [] dialled 15551230001 [101] did 15551230001: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 14155550100 [] dialled 15551230001 [103] did 15551230001: dial-in, answer-in, hangup ANSWER; referred-by 0.97; by 101',
    ],
  ],
  [
    'back to who transferred',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '103');
      await s.transfer(await s.answers('103'), '102');
      await s.end(caller, await s.answers('102'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 103',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 102 IN 102.2, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; referred-by 0.97; by 103',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; referred-by 0.97; by 102',
    ],
  ],
  [
    'the PBX asks the phone to call somebody else',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      const by = 'Referred-By: <sip:102@127.0.0.10>';
      const asked = Promise.withResolvers<AgentCall>();
      s.phone('101').onRefer = () => asked.resolve(s.dial('101', '103', [by]));
      const leg = s.pbx.legOf(caller.callId);
      await leg.refer('sip:103@acme.example.com', [by]);
      const [next, other] = [await asked.promise, await s.answers('103')];
      s.phone('101').onRefer = undefined;
      await s.up(next);
      await s.end(leg, called);
      await s.end(next, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 102',
    ],
  ],
  [
    'by a code that nobody sees',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      s.pbx.transferByCode(s.pbx.legOf(called.callId), '103');
      await s.over(called);
      await s.end(caller, await s.answers('103'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 101 "Alice A" [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; caller-number 0.6',
    ],
  ],
];

const others: PbxAct[] = [
  [
    'attended, by the called side',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      const [consultation, other] = await s.talk('102', '103');
      await s.attend(called, '103', consultation);
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B>A 102 OUT 102.2, 102 [102] dialled 103 [103]: dial-out, answer-out, hangup ANSWER; replaces 0.99; was B',
      'B>A 103 IN 103.1, 102 "Bob B" [102] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 102; was B',
    ],
  ],
  [
    'attended, by the caller',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      const [consultation, other] = await s.talk('101', '103');
      await s.attend(caller, '103', consultation);
      await s.end(other, called);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 101',
      'B>A 101 OUT 101.2, 101 [101] dialled 103 [103]: dial-out, answer-out, hangup ANSWER; replaces 0.99; was B',
      'B>A 103 IN 103.1, 101 "Alice A" [101] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 101; was B',
    ],
  ],
  [
    'attended, of a caller from outside',
    async (s) => {
      const caller = s.trunk.call('15551230001');
      const called = await s.answers('101');
      await s.up(caller);
      const [consultation, other] = await s.talk('101', '103');
      await s.attend(called, '103', consultation);
      await s.end(caller, other);
    },
    [
      'A 101 IN 101.1, 14155550100 [] dialled 15551230001 [101] did 15551230001: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B>A 101 OUT 101.2, 101 [101] dialled 103 [103]: dial-out, answer-out, hangup ANSWER; replaces 0.99; was B',
      'B>A 103 IN 103.1, 101 "Alice A" [101] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 101; was B',
    ],
  ],
  [
    'semi-attended; then answered',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      const [consultation, other] = await s.ring('102', '103');
      await s.attend(called, '103', consultation);
      other.answer();
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B>A 102 OUT 102.2, 102 [102] dialled 103 [103]: dial-out, hangup CANCEL transferred; replaces 0.99; was B',
      'B>A 103 IN 103.1, 102 "Bob B" [102] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; numbers 0.8; by 102; was B',
    ],
  ],
  [
    'semi-attended; nobody answers',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      const [consultation, other] = await s.ring('102', '103');
      await s.attend(called, '103', consultation);
      s.pbx.giveUp();
      await s.over(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B>A 102 OUT 102.2, 102 [102] dialled 103 [103]: dial-out, hangup CANCEL transferred; replaces 0.99; was B',
      'B>A 103 IN 103.1, 102 "Bob B" [102] dialled 103 [103]: dial-in, hangup NOANSWER ring_timeout; numbers 0.8; by 102; was B',
    ],
  ],
  [
    'attended, by a code that nobody sees',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      s.pbx.consultByCode(s.pbx.legOf(called.callId), '103');
      const other = await s.answers('103');
      const connected = caller.next('UPDATE');
      called.hangUp();
      await connected;
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 103 IN 103.1, 102 "Bob B" [102] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; feature-code 0.5',
    ],
  ],
  [
    'parked, and fetched by another phone',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '700');
      const other = s.dial('103', '701');
      await other.next('UPDATE');
      await s.end(caller, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'B>A 103 OUT 103.1, 103 [103] dialled 701 []: dial-out, answer-out, hangup ANSWER; connected-identity 0.75; was B',
    ],
  ],
  [
    'parked, and nobody fetches: it comes back to who parked it',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await s.transfer(called, '700');
      s.pbx.returnParked();
      await s.end(await s.answers('102'), caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 102.1, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
      'A 102 IN 102.2, 101 "Alice A" [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; numbers 0.8',
    ],
  ],
];

t.test('blind transfers', (t) => playWithPbx(t, blind));
t.test('attended transfers and parking', (t) => playWithPbx(t, others));
