import t from 'tap';
import { entry, openTenant, PBX, play, type Step, tell, tenant } from './harness.ts';

const INVITE: Step = { at: 0, say: 'INVITE' };
const RINGING: Step = { at: 1, say: '180 Ringing', toTag: 'b' };
const OK: Step = { at: 4, say: '200 OK', toTag: 'b' };
const ACK: Step = { at: 4, say: 'ACK', toTag: 'b', branch: 'z9hG4bKack' };
const BYE: Step = { at: 9, say: 'BYE', toTag: 'b', branch: 'z9hG4bKbye' };
const CANCEL: Step = { at: 3, say: 'CANCEL' };
const TERMINATED: Step = { at: 3, say: '487 Request Terminated', toTag: 'b' };
const proxied = (step: Step): Step => ({ ...step, branch: 'z9hG4bK2', below: ['z9hG4bK1'] });

const DIALLED = ['1 dial-out 101', '1 dial-in 102'];
const ANSWERED = [...DIALLED, '4 answer-in 102', '4 answer-out 101'];

/** One leg, nothing known of the network: what two phones tell each other is all there is. */
const ROWS: readonly [title: string, steps: Step[], told: string[]][] = [
  [
    'answered, caller hangs up',
    [INVITE, RINGING, OK, ACK, BYE],
    [...ANSWERED, '9 hangup 102 ANSWER answered', '9 hangup 101 ANSWER answered'],
  ],
  [
    'answered, called hangs up',
    [INVITE, RINGING, OK, ACK, { ...BYE, fromTag: 'b', toTag: 'a' }],
    [...ANSWERED, '9 hangup 102 ANSWER answered', '9 hangup 101 ANSWER answered'],
  ],
  [
    'BYE without the tag of the other side',
    [INVITE, RINGING, OK, ACK, { ...BYE, fromTag: 'b', toTag: '' }],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'every message twice',
    [INVITE, INVITE, RINGING, RINGING, OK, OK, ACK, ACK, BYE, BYE],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'busy',
    [INVITE, RINGING, { at: 2, say: '486 Busy Here', toTag: 'b' }],
    [...DIALLED, '2 hangup 102 BUSY response_486', '2 hangup 101 BUSY response_486'],
  ],
  [
    'cancelled',
    [INVITE, RINGING, CANCEL, TERMINATED],
    [...DIALLED, '3 hangup 102 CANCEL caller_left', '3 hangup 101 CANCEL caller_left'],
  ],
  [
    'cancelled, no 487 comes',
    [INVITE, RINGING, CANCEL],
    [...DIALLED, '35 hangup 102 CANCEL caller_left', '35 hangup 101 CANCEL caller_left'],
  ],
  [
    'CANCEL and 200 cross',
    [INVITE, RINGING, CANCEL, OK, ACK, BYE],
    [...ANSWERED, '9 hangup 102 ANSWER answered', '9 hangup 101 ANSWER answered'],
  ],
  [
    '183, then 180',
    [INVITE, { ...RINGING, say: '183 Session Progress' }, { ...RINGING, at: 2 }, OK, BYE],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    're-INVITE refused, UPDATE: the call goes on',
    [
      INVITE,
      RINGING,
      OK,
      { at: 5, say: 'INVITE', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bKre' },
      { at: 5, say: '488 Not Acceptable Here', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bKre' },
      { at: 6, say: 'UPDATE', toTag: 'b', cseq: '3 UPDATE', branch: 'z9hG4bKup' },
      BYE,
    ],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'lost BYE: a re-INVITE is answered 481',
    [
      INVITE,
      RINGING,
      OK,
      { at: 7, say: '481 Call/Transaction Does Not Exist', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bKre' },
    ],
    [...ANSWERED, '7 hangup 102 ANSWER', '7 hangup 101 ANSWER'],
  ],
  [
    'lost BYE: the session timer ends the call',
    [INVITE, RINGING, { ...OK, headers: ['Session-Expires: 90;refresher=uac'] }],
    [...ANSWERED, '126 hangup 102 ANSWER', '126 hangup 101 ANSWER'],
  ],
  [
    'lost BYE: the limit ends the call',
    [INVITE, RINGING, OK],
    [...ANSWERED, '86404 hangup 102 ANSWER', '86404 hangup 101 ANSWER'],
  ],
  [
    "lost 200: the called side's BYE tells of it",
    [INVITE, RINGING, { ...BYE, fromTag: 'b', toTag: 'a' }],
    [...DIALLED, '9 answer-in 102', '9 answer-out 101', '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'lost 200: the ACK tells of it',
    [INVITE, RINGING, ACK, BYE],
    [...DIALLED, '9 answer-in 102', '9 answer-out 101', '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'BYE of an early dialog',
    [INVITE, RINGING, { ...BYE, at: 3 }, TERMINATED],
    [...DIALLED, '3 hangup 102 CANCEL', '3 hangup 101 CANCEL'],
  ],
  [
    'rings for ever',
    [INVITE, RINGING],
    [...DIALLED, '196 hangup 102 NOANSWER no_final_response', '196 hangup 101 NOANSWER no_final_response'],
  ],
  ['no response at all', [INVITE], [...DIALLED, '196 hangup 102 NOANSWER', '196 hangup 101 NOANSWER']],
  ['challenged and never seen again', [INVITE, { at: 0.1, say: '401 Unauthorized', toTag: 'x' }], []],
  [
    'challenged again and again',
    [1, 2, 3].flatMap((n): Step[] => [
      { at: n, say: 'INVITE', cseq: `${n} INVITE`, branch: `z9hG4bK${n}` },
      { at: n, say: '407 Proxy Authentication Required', toTag: 'x', cseq: `${n} INVITE`, branch: `z9hG4bK${n}` },
    ]),
    [],
  ],
  [
    'challenged, then let in',
    [
      INVITE,
      { at: 0.1, say: '401 Unauthorized', toTag: 'x' },
      { at: 0.2, say: 'INVITE', cseq: '2 INVITE', branch: 'z9hG4bKau' },
      { at: 0.5, say: '180 Ringing', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bKau' },
      { at: 4, say: '200 OK', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bKau' },
      BYE,
    ],
    [
      '0.5 dial-out 101',
      '0.5 dial-in 102',
      '4 answer-in 102',
      '4 answer-out 101',
      '9 hangup 102 ANSWER',
      '9 hangup 101 ANSWER',
    ],
  ],
  [
    'session interval too small (422), tried again',
    [
      INVITE,
      { at: 0.1, say: '422 Session Interval Too Small', toTag: 'x' },
      { at: 0.2, say: 'INVITE', cseq: '2 INVITE', branch: 'z9hG4bKau' },
      { at: 1, say: '603 Decline', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bKau' },
    ],
    ['1 dial-out 101', '1 dial-in 102', '1 hangup 102 BUSY response_603', '1 hangup 101 BUSY response_603'],
  ],
  [
    'redirected and followed',
    [
      INVITE,
      { at: 0.5, say: '302 Moved Temporarily', toTag: 'b' },
      { at: 0.6, say: 'INVITE', uri: 'sip:103@192.0.2.103', to: '192.0.2.103', cseq: '2 INVITE', branch: 'z9hG4bK3' },
      { at: 2, say: '180 Ringing', toTag: 'c', cseq: '2 INVITE', branch: 'z9hG4bK3' },
      { at: 3, say: '200 OK', toTag: 'c', cseq: '2 INVITE', branch: 'z9hG4bK3' },
      { at: 5, say: 'BYE', toTag: 'c', branch: 'z9hG4bKbye', cseq: '3 BYE' },
    ],
    [
      '0.5 dial-out 101',
      '0.5 dial-in 102',
      '0.5 hangup 102 NOANSWER redirected',
      '0.6 dial-in 103',
      '3 answer-in 103',
      '3 answer-out 101',
      '5 hangup 103 ANSWER',
      '5 hangup 101 ANSWER',
    ],
  ],
  [
    'redirected and not followed',
    [INVITE, { at: 0.5, say: '302 Moved Temporarily', toTag: 'b' }],
    ['0.5 dial-out 101', '0.5 dial-in 102', '0.5 hangup 102 NOANSWER redirected', '5.5 hangup 101 NOANSWER redirected'],
  ],
  [
    'seen before and after a proxy',
    [
      INVITE,
      proxied({ ...INVITE, from: '192.0.2.30' }),
      proxied(RINGING),
      RINGING,
      proxied(OK),
      OK,
      proxied({ ...ACK }),
      BYE,
      { ...BYE, branch: 'z9hG4bKbye2' },
    ],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'a proxy forks to two extensions, one answers',
    [
      INVITE,
      proxied({ ...INVITE, uri: 'sip:102@192.0.2.102' }),
      {
        at: 0.1,
        say: 'INVITE',
        uri: 'sip:103@192.0.2.103',
        to: '192.0.2.103',
        branch: 'z9hG4bK3',
        below: ['z9hG4bK1'],
      },
      proxied(RINGING),
      { at: 1.5, say: '180 Ringing', toTag: 'c', branch: 'z9hG4bK3', below: ['z9hG4bK1'] },
      { at: 4, say: '200 OK', toTag: 'c', branch: 'z9hG4bK3', below: ['z9hG4bK1'] },
      { at: 4, say: '200 OK', toTag: 'c' },
      { at: 4.1, say: 'CANCEL', branch: 'z9hG4bK2' },
      proxied({ ...TERMINATED, at: 4.2 }),
      { ...BYE, toTag: 'c' },
    ],
    [
      '1 dial-out 101',
      '1 dial-in 102',
      '1 dial-in 103',
      '4 answer-in 103',
      '4 answer-out 101',
      '4.2 hangup 102 NOANSWER answered_elsewhere',
      '9 hangup 103 ANSWER',
      '9 hangup 101 ANSWER',
    ],
  ],
  [
    'two forks answer (2xx twice): each is told of, each ends',
    [
      INVITE,
      proxied({ ...INVITE, uri: 'sip:102@192.0.2.102' }),
      {
        at: 0.1,
        say: 'INVITE',
        uri: 'sip:103@192.0.2.103',
        to: '192.0.2.103',
        branch: 'z9hG4bK3',
        below: ['z9hG4bK1'],
      },
      proxied(RINGING),
      proxied(OK),
      { at: 4, say: '200 OK', toTag: 'c', branch: 'z9hG4bK3', below: ['z9hG4bK1'] },
      { ...BYE, at: 5, toTag: 'c' },
      BYE,
    ],
    [
      '1 dial-out 101',
      '1 dial-in 102',
      '1 dial-in 103',
      '4 answer-in 102',
      '4 answer-out 101',
      '4 answer-in 103',
      '5 hangup 103 ANSWER',
      '9 hangup 102 ANSWER',
      '9 hangup 101 ANSWER',
    ],
  ],
  [
    'two devices of one extension are one party',
    [
      INVITE,
      proxied(INVITE),
      {
        at: 0.1,
        say: 'INVITE',
        uri: 'sip:102@192.0.2.103',
        to: '192.0.2.103',
        branch: 'z9hG4bK3',
        below: ['z9hG4bK1'],
      },
      proxied(RINGING),
      { at: 2, say: '486 Busy Here', toTag: 'c', branch: 'z9hG4bK3', below: ['z9hG4bK1'] },
      proxied(OK),
      OK,
      BYE,
    ],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'the capture begins while it rings',
    [RINGING, OK, BYE],
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  ['the capture begins with the answer', [OK, ACK, BYE], []],
  ['the capture begins with the BYE', [BYE], []],
  [
    'no tags at all (RFC 2543)',
    [INVITE, RINGING, OK, BYE].map((step) => ({ ...step, fromTag: '', toTag: '' })),
    [...ANSWERED, '9 hangup 102 ANSWER', '9 hangup 101 ANSWER'],
  ],
  [
    'tried again after a failure: a new call',
    [
      INVITE,
      { at: 1, say: '503 Service Unavailable', toTag: 'b' },
      { at: 2, say: 'INVITE', cseq: '2 INVITE', branch: 'z9hG4bK9' },
      { at: 3, say: '486 Busy Here', toTag: 'b', cseq: '2 INVITE', branch: 'z9hG4bK9' },
    ],
    [
      '1 dial-out 101',
      '1 dial-in 102',
      '1 hangup 102 CONGESTION response_503',
      '1 hangup 101 CONGESTION response_503',
      '3 dial-out 101',
      '3 dial-in 102',
      '3 hangup 102 BUSY response_486',
      '3 hangup 101 BUSY response_486',
    ],
  ],
];

/** Rows say no detail where it is the usual one. */
const withDetail = (row: string): string => (/ANSWER$/.test(row) && !/NOANSWER$/.test(row) ? `${row} answered` : row);
const details: Record<string, string> = { CANCEL: 'caller_left', NOANSWER: 'no_final_response' };
const complete = (row: string): string => {
  const status = /hangup \S+ (CANCEL|NOANSWER)$/.exec(row)?.[1];
  return status ? `${row} ${details[status]}` : withDetail(row);
};

t.test('one leg', (t) => {
  for (const [title, steps, told] of ROWS) t.strictSame(tell(play(steps)), told.map(complete), title);
  t.end();
});

t.test('exactly one Dial, at most one Answer, exactly one Hangup, whatever is lost', (t) => {
  const all = [...ROWS.map(([, steps]) => steps)];
  for (const steps of all) {
    for (let lost = 0; lost < 2 ** Math.min(steps.length, 9); lost++) {
      const seen = steps.filter((_, index) => ((lost >> index) & 1) === 0);
      const lives = new Map<string, string>();
      for (const { event, extras } of play(seen)) {
        lives.set(String(extras.SubCallID), (lives.get(String(extras.SubCallID)) ?? '') + event[0]!);
      }
      const wrong = [...lives.values()].filter((life) => !/^da?h$/.test(life));
      if (wrong.length > 0) t.fail(`${wrong.join()} with loss pattern ${lost}`, { seen });
    }
  }
  t.pass('held in every pattern');
  t.end();
});

t.test('a phone behind a PBX that is never reached', (t) => {
  const steps: Step[] = [
    { at: 0, say: 'INVITE', to: PBX, uri: 'sip:102@acme.example.com' },
    { at: 1, say: '404 Not Found', from: PBX, toTag: 'x', uri: 'sip:102@acme.example.com' },
  ];
  t.strictSame(tell(play(steps, [tenant()])), [
    '1 dial-out 0003*101',
    '1 dial-in 0003*102',
    '1 hangup 0003*102 CHANUNAVAIL not_registered',
    '1 hangup 0003*101 CHANUNAVAIL not_registered',
  ]);
  t.end();
});

t.test('a queue is judged by the leg addressed to it, and so are phones seen from the trunk side', (t) => {
  const uri = 'sip:150@acme.example.com';
  const steps: Step[] = [
    { at: 0, say: 'INVITE', to: PBX, uri },
    { at: 1, say: '200 OK', from: PBX, toTag: 'x', uri },
    { at: 5, say: 'BYE', to: PBX, toTag: 'x', uri },
  ];
  const told = (extension: string) => [
    '1 dial-out 0003*101',
    `1 dial-in ${extension}`,
    `1 answer-in ${extension}`,
    '1 answer-out 0003*101',
    `5 hangup ${extension} ANSWER answered`,
    '5 hangup 0003*101 ANSWER answered',
  ];
  t.strictSame(tell(play(steps, [tenant()])), told('0003*150'));
  const toPhone = steps.map((step) => ({ ...step, uri: 'sip:102@acme.example.com' }));
  t.strictSame(tell(play(toPhone, [tenant({ sensor: 'trunk' })])), told('0003*102'));
  t.end();
});

t.test('parameters', (t) => {
  const uri = 'sip:110@192.0.2.110';
  const headers = ['P-Asserted-Identity: "Müller \\"M\\"" <sip:+14155550100@trunk>', 'Privacy: none'];
  const [dial] = play(
    [{ at: 0, say: 'INVITE', from: PBX, to: '192.0.2.110', uri, fromUser: 'anonymous', headers }],
    [tenant()],
  );
  t.strictSame(dial!.params, {
    CallID: 'c1',
    CallerIDNum: '+14155550100',
    CallerIDName: 'Müller "M"',
    CalledDID: '',
    CalledExtension: '0003*110',
    CallStatus: 'CALLING',
    CallFlow: 'IN',
    CallerExtension: '',
    CalledNumber: '110',
    CallAPIID: dial!.params.CallAPIID,
  });
  t.strictSame(Object.keys(dial!.params), [
    'CallID',
    'CallerIDNum',
    'CallerIDName',
    'CalledDID',
    'CalledExtension',
    'CallStatus',
    'CallFlow',
    'CallerExtension',
    'CalledNumber',
    'CallAPIID',
  ]);
  t.match(dial!.params.CallAPIID, /^[a-z0-9]{20}$/);
  const [hidden] = play(
    [{ at: 0, say: 'INVITE', from: PBX, to: '192.0.2.110', uri, fromUser: '15550001', headers: ['Privacy: id'] }],
    [tenant()],
  );
  t.strictSame([hidden!.params.CallerIDNum, hidden!.params.CallerIDName], ['anonymous', 'anonymous']);
  const [nameless] = play(
    [{ at: 0, say: 'INVITE', from: PBX, to: '192.0.2.110', uri, fromUser: '+15550001' }],
    [tenant()],
  );
  t.strictSame([nameless!.params.CallerIDNum, nameless!.params.CallerIDName], ['+15550001', '15550001']);
  const [own] = play([{ at: 0, say: 'INVITE', from: PBX, to: '192.0.2.102', fromUser: '110' }], [tenant()]);
  t.strictSame(
    [own!.params.CallerIDNum, own!.params.CallerIDName, own!.params.CallerExtension],
    ['0003*110', 'Front desk', '0003*110'],
  );
  t.end();
});

t.test('a DID', (t) => {
  const steps: Step[] = [
    {
      at: 0,
      say: 'INVITE',
      from: '192.0.2.20',
      to: PBX,
      uri: 'sip:+15551230010@192.0.2.10',
      fromUser: '14155550100',
      callId: 'in',
    },
    {
      at: 0.1,
      say: 'INVITE',
      from: PBX,
      to: '192.0.2.110',
      uri: 'sip:110@192.0.2.110',
      fromUser: '14155550100',
      callId: 'out',
      branch: 'z9hG4bKo',
    },
    { at: 1, say: '180 Ringing', from: '192.0.2.110', to: PBX, callId: 'out', branch: 'z9hG4bKo', toTag: 'p' },
    { at: 2, say: '486 Busy Here', from: '192.0.2.110', to: PBX, callId: 'out', branch: 'z9hG4bKo', toTag: 'p' },
    { at: 2, say: '486 Busy Here', from: PBX, to: '192.0.2.20', callId: 'in', toTag: 'q' },
  ];
  const events = play(steps, [tenant()]);
  t.strictSame(tell(events), ['0.1 dial-in 0003*110', '2 hangup 0003*110 BUSY response_486']);
  const { CallID, CalledDID, CalledExtension, CalledNumber, CallFlow } = events[0]!.params;
  t.strictSame(
    [CallID, CalledDID, CalledExtension, CalledNumber, CallFlow],
    ['out', '15551230010', '0003*110', '+15551230010', 'IN'],
  );
  t.end();
});

t.test('the same call has the same id for every observer, calls have different ones', (t) => {
  const id = (steps: Step[]): string => play(steps)[0]!.params.CallAPIID;
  t.equal(
    id([INVITE, RINGING]),
    id([
      { ...INVITE, at: 7, from: '192.0.2.99' },
      { ...RINGING, at: 8 },
    ]),
  );
  t.not(id([INVITE]), id([{ ...INVITE, callId: 'c2' }]));
  t.not(id([INVITE]), id([{ ...INVITE, fromTag: 'z' }]));
  const events = play([INVITE, RINGING, OK, BYE]);
  t.strictSame([...new Set(events.map(({ params }) => params.CallAPIID))].length, 1);
  t.strictSame(
    events.map(({ extras }) => extras.Sequence),
    [1, 2, 3, 4, 5, 6],
  );
  t.equal(new Set(events.map(({ extras }) => extras.EventID)).size, 6);
  t.end();
});

t.test('a phone that starts anew repeats Call-ID and tag: that is another call, with ids of its own', (t) => {
  const ended = { at: 1, say: '486 Busy Here', toTag: 'b' };
  const again = (at: number, branch: string): Step[] => [
    { ...INVITE, at, branch },
    { ...ended, at: at + 1, branch },
  ];
  for (const later of [10, 100]) {
    const events = play([INVITE, ended, ...again(later, 'z9hG4bK2'), ...again(later * 2, 'z9hG4bK3')]);
    t.equal(events.length, 12);
    t.equal(new Set(events.map(({ extras }) => extras.EventID)).size, 12, `after ${later} s`);
    t.equal(new Set(events.map(({ params }) => params.CallAPIID)).size, 3);
  }
  t.end();
});

t.test('addresses that tenants list differently are one PBX where they have one in common', (t) => {
  const [one, other] = ['192.0.2.11', '192.0.2.12'];
  const into = { callId: 'in', fromTag: 'i', uri: 'sip:102@acme.example.com', to: one };
  const out = { callId: 'out', fromTag: 'o', from: other, branch: 'z9hG4bKout' };
  const steps: Step[] = [
    { ...into, at: 0, say: 'INVITE' },
    { ...out, at: 0.1, say: 'INVITE' },
  ];
  const lists = [
    [[one], [other], [one, other]],
    [[other], [one, other]],
    [[one, other], [other]],
    [[one], [other]],
  ];
  const calls = lists.map((tenants) => {
    const plans = tenants.map((pbx, i) =>
      tenant({ prefix: `000${i}`, domains: i === 0 ? ['acme.example.com'] : [], pbx }),
    );
    return new Set(play(steps, plans).map(({ params }) => params.CallAPIID)).size;
  });
  t.strictSame(calls, [1, 1, 1, 2]);
  t.end();
});

t.test('limits', (t) => {
  const flood = Array.from({ length: 20 }, (_, n): Step => ({ at: 0, say: 'INVITE', callId: `c${n}` }));
  t.equal(play(flood, [openTenant], { maxLegs: 5 }).filter(({ event }) => event === 'dial-in').length, 5);
  const forks = Array.from({ length: 20 }, (_, n): Step => ({
    at: 0,
    say: 'INVITE',
    branch: `b${n}`,
    uri: `sip:${200 + n}@h`,
  }));
  t.equal(play(forks, [openTenant], { maxForks: 5 }).filter(({ event }) => event === 'dial-in').length, 5);
  t.strictSame(play([{ ...INVITE, callId: 'x'.repeat(513) }]), []);
  t.strictSame(play([INVITE, RINGING], [tenant({ extensions: [entry('999')] })]), [], 'nobody is an extension');
  t.end();
});
