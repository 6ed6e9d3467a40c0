import t, { type Test } from 'tap';
import { DOMAIN, play, PhoneStage, type Act } from './phone-stage.ts';
import { openScene } from './scene.ts';
import type { Agent } from './support/pbx/agent.ts';
import { isDrachtio } from './support/drachtio.ts';
import { readTarget, type AgentCall } from './support/pbx/agent-call.ts';
import type { Received } from './support/wire-message.ts';

// Phones that register with Ringside and transfer each other's calls themselves: what the scripts are told.

/** A phone that calls whom it is asked to call, and tells what came of it. RFC 3515 §2.4. */
function follow(phone: Agent, call: AgentCall, refer: Received): void {
  const { uri, replaces } = readTarget(refer);
  const by = refer.header('Referred-By');
  const next = phone.call(uri, {
    headers: [
      ...(by === undefined ? [] : [`Referred-By: ${by}`]),
      ...(replaces === undefined ? [] : [`Replaces: ${replaces}`]),
    ],
  });
  const tell = (body: string, state: string): void => {
    if (call.state === 'up')
      void call.send('NOTIFY', { headers: ['Event: refer', `Subscription-State: ${state}`], body });
  };
  tell('SIP/2.0 100 Trying', 'active');
  void next.answered.then((isUp) => tell(isUp ? 'SIP/2.0 200 OK' : 'SIP/2.0 486 Busy Here', 'terminated'));
}

async function openPhones(t: Test): Promise<PhoneStage> {
  const numbers = ['101', '102', '103', '104'];
  const extensions = numbers.map((number) => `{ number: "${number}", password: secret${number} }`).join(', ');
  const stage = new PhoneStage(await openScene(t, numbers, { extensions }));
  for (const number of ['101', '102', '103']) {
    const phone = stage.phone(number);
    phone.onRefer = (call, refer) => follow(phone, call, refer);
    await phone.register();
  }
  return stage;
}

/** The next call of whom a phone was asked to call. */
const callOf = (stage: PhoneStage, number: string): AgentCall => [...stage.phone(number).calls].at(-1)!;

const acts: Act<PhoneStage>[] = [
  [
    'blind, by the called side; answered',
    async (s) => {
      const [, called] = await s.talk('101', '102');
      await s.transfer(called, '103', [`Referred-By: <sip:102@${DOMAIN}>`]);
      const other = await s.answers('103');
      await s.end(callOf(s, '101'), other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER',
      'A 103 IN 101.2, 101 [101] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; marker 1; by 102',
    ],
  ],
  [
    'blind, by the caller; answered',
    async (s) => {
      const [caller] = await s.talk('101', '102');
      await s.transfer(caller, '103');
      const other = await s.answers('103');
      await s.end(other, callOf(s, '102'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; by 101',
      'A 103 IN 102.2, 102 [102] dialled 102 [103]: dial-in, answer-in, hangup ANSWER; marker 1; by 101',
    ],
  ],
  [
    'blind, to a busy phone; both talk on',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await called.refer(`sip:103@${DOMAIN}`);
      const told = called.next('NOTIFY');
      (await s.rings('103')).refuse(486);
      await told;
      await s.over(callOf(s, '101'));
      await s.end(caller, called);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER',
      'A 103 IN 101.2, 101 [101] dialled 102 [103]: dial-in, hangup BUSY response_486; marker 1; by 102',
    ],
  ],
  [
    'blind, to an extension without a phone; then who asked hangs up',
    async (s) => {
      const [caller, called] = await s.talk('101', '102');
      await called.refer(`sip:104@${DOMAIN}`);
      await s.over(callOf(s, '101'));
      await s.end(called, caller);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER',
      'A 104 IN 101.2, 101 [101] dialled 102 [104]: dial-in, hangup CHANUNAVAIL response_480; marker 1; by 102',
    ],
  ],
  [
    'blind, and who is transferred gives up',
    async (s) => {
      const [, called] = await s.talk('101', '102');
      await s.transfer(called, '103');
      const other = await s.rings('103');
      const next = callOf(s, '101');
      next.cancel();
      await s.over(next, other);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER',
      'A 103 IN 101.2, 101 [101] dialled 102 [103]: dial-in, hangup CANCEL caller_left; marker 1; by 102',
    ],
  ],
  [
    'attended, by the called side',
    async (s) => {
      const [, called] = await s.talk('101', '102');
      const [consultation, other] = await s.talk('102', '103');
      await called.refer(`sip:103@${DOMAIN}?Replaces=${encodeURIComponent(consultation.replaces)}`);
      const taken = await s.phone('103').rings();
      taken.answer();
      await s.end(other, consultation);
      called.hangUp();
      await s.end(callOf(s, '101'), taken);
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER; by 102',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER',
      'B>A 102 OUT 102.2, 102 [102] dialled 103 [103]: dial-out, answer-out, hangup ANSWER; replaces 0.99; was B',
      'B>A 103 IN 102.2, 102 [102] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; replaces 0.99; by 102; was B',
    ],
  ],
  [
    'attended, by the caller; the other hangs up',
    async (s) => {
      const [caller] = await s.talk('101', '102');
      const [consultation, other] = await s.talk('101', '103');
      await caller.refer(`sip:103@${DOMAIN}?Replaces=${encodeURIComponent(consultation.replaces)}`);
      const taken = await s.phone('103').rings();
      taken.answer();
      await s.end(other, consultation);
      caller.hangUp();
      await s.end(taken, callOf(s, '102'));
    },
    [
      'A 101 OUT 101.1, 101 [101] dialled 102 [102]: dial-out, answer-out, hangup ANSWER',
      'A 102 IN 101.1, 101 [101] dialled 102 [102]: dial-in, answer-in, hangup ANSWER; by 101',
      'B>A 101 OUT 101.2, 101 [101] dialled 103 [103]: dial-out, answer-out, hangup ANSWER; replaces 0.99; was B',
      'B>A 103 IN 101.2, 101 [101] dialled 103 [103]: dial-in, answer-in, hangup ANSWER; replaces 0.99; by 101; was B',
    ],
  ],
];

/** In-dialog requests pass a drachtio server as they are: no REFER is marked there, and its Refer-To must tell. */
const expected = acts.map(([title, act, told], index): Act<PhoneStage> => {
  const evidence = index === 0 ? 'referred-by 0.97' : 'refer 0.95';
  return [title, act, isDrachtio ? told.map((line) => line.replace('marker 1', evidence)) : told];
});

t.test('phones transfer calls', async (t) => play(t, await openPhones(t), expected));
