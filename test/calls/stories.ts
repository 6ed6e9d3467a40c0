import { entry, PBX, type Step, tenant } from './harness.ts';

// Transfers, pickups, parking and forwards, message by message.

const phone = (number: string): string => `192.0.2.${number}`;

interface LegPlan {
  id: string;
  /** Addresses of the two ends. */
  from: string;
  to: string;
  user: string;
  uri: string;
  headers?: string[];
}

/** The messages of one leg, each at its second. */
export function leg({ id, from, to, user, uri, headers }: LegPlan) {
  const common = { callId: id, fromTag: `${id}-a`, fromUser: user, uri };
  const down = { ...common, from, to };
  const up = { ...common, from: to, to: from, toTag: `${id}-b` };
  const inDialog = { ...down, toTag: `${id}-b` };
  return {
    invite: (at: number): Step => ({ ...down, at, say: 'INVITE', branch: `z9hG4bK${id}`, ...(headers && { headers }) }),
    say: (at: number, say: string, more: string[] = []): Step => ({
      ...up,
      at,
      say,
      branch: `z9hG4bK${id}`,
      headers: more,
    }),
    cancel: (at: number, more: string[] = []): Step => ({
      ...down,
      at,
      say: 'CANCEL',
      branch: `z9hG4bK${id}`,
      headers: more,
    }),
    bye: (at: number): Step => ({ ...inDialog, at, say: 'BYE', branch: `z9hG4bK${id}bye` }),
    byeBack: (at: number): Step => ({
      ...up,
      fromTag: `${id}-b`,
      toTag: `${id}-a`,
      at,
      say: 'BYE',
      branch: `z9hG4bK${id}bye`,
    }),
    refer: (at: number, by: 'caller' | 'called', target: string, more: string[] = []): Step[] => {
      const request = by === 'caller' ? inDialog : { ...up, fromTag: `${id}-b`, toTag: `${id}-a` };
      const headers = [`Refer-To: ${target}`, ...more];
      const response = { ...request, from: request.to, to: request.from };
      return [
        { ...request, at, say: 'REFER', cseq: '7 REFER', branch: `z9hG4bK${id}refer`, headers },
        { ...response, at, say: '202 Accepted', cseq: '7 REFER', branch: `z9hG4bK${id}refer` },
      ];
    },
    /** The PBX tells one end whom it is connected to. */
    update: (at: number, to: 'caller' | 'called', number: string): Step => ({
      ...(to === 'called' ? inDialog : { ...up, fromTag: `${id}-b`, toTag: `${id}-a` }),
      at,
      say: 'UPDATE',
      cseq: '9 UPDATE',
      branch: `z9hG4bK${id}update`,
      headers: [`P-Asserted-Identity: <sip:${number}@acme.example.com>`],
    }),
  };
}

/** Into the PBX. */
export const dial = (id: string, from: string, to: string, headers?: string[]) =>
  leg({ id, from: phone(from), to: PBX, user: from, uri: `sip:${to}@acme.example.com`, ...(headers && { headers }) });
/** Out of it, to a phone. */
export const ring = (id: string, from: string, to: string, headers?: string[]) =>
  leg({ id, from: PBX, to: phone(to), user: from, uri: `sip:${to}@${phone(to)}`, ...(headers && { headers }) });
/** From phone to phone. */
export const direct = (id: string, from: string, to: string, headers?: string[]) =>
  leg({ id, from: phone(from), to: phone(to), user: from, uri: `sip:${to}@${phone(to)}`, ...(headers && { headers }) });

/** A tenant with a PBX and plain numbers. */
export const plain = tenant({
  prefix: '',
  extensions: [entry('101-109'), entry('150', { kind: 'queue' })],
  pickupCodes: ['**', '*8'],
});
/** What happens on the wire, and what is to be told of it. */
export const CASES: { title: string; steps: Step[]; expected: string[]; isOpen: boolean }[] = [];

export function story(title: string, steps: (Step | Step[])[], expected: string[], network?: 'open'): void {
  const inOrder = steps.flat().sort((one, other) => one.at - other.at);
  CASES.push({ title, steps: inOrder, expected, isOpen: network === 'open' });
}

{
  const [first, second] = [
    direct('d1', '101', '102'),
    direct('d2', '101', '103', ['Referred-By: <sip:102@acme.example.com>']),
  ];
  const unnamed = direct('d2', '101', '103');
  const up = [first.invite(0), first.say(1, '180 Ringing'), first.say(2, '200 OK')];
  story(
    'blind transfer from phone to phone, by the called side: who is transferred goes on as one party',
    [
      up,
      first.refer(5, 'called', '<sip:103@acme.example.com>', ['Referred-By: <sip:102@acme.example.com>']),
      second.invite(5.1),
      second.say(5.2, '180 Ringing'),
      first.byeBack(5.5),
      second.say(7, '200 OK'),
      second.bye(9),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 9 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 5.5 ANSWER answered',
      'A 103 d2, 5.2 dial-in, 7 answer-in, 9 ANSWER answered, (referred-by 0.97), by 102',
    ],
    'open',
  );
  story(
    'the transferor hangs up before the other side calls',
    [
      up,
      first.refer(5, 'called', '<sip:103@acme.example.com>'),
      first.byeBack(5.1),
      unnamed.invite(6),
      unnamed.say(6.1, '180 Ringing'),
      unnamed.say(7, '200 OK'),
      unnamed.bye(9),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 9 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 5.1 ANSWER answered',
      'A 103 d2, 6.1 dial-in, 7 answer-in, 9 ANSWER answered, (refer 0.95), by 102',
    ],
    'open',
  );
  story(
    'who is to call somebody else never does',
    [up, first.refer(5, 'called', '<sip:103@acme.example.com>'), first.byeBack(6)],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 11 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 6 ANSWER answered',
    ],
    'open',
  );
}

{
  const [first, second] = [direct('d1', '101', '102'), direct('d2', '102', '103')];
  story(
    'blind transfer from phone to phone, by the caller: the called party goes on as itself',
    [
      first.invite(0),
      first.say(1, '180 Ringing'),
      first.say(2, '200 OK'),
      first.refer(5, 'caller', '<sip:103@acme.example.com>'),
      second.invite(5.1),
      second.say(5.2, '180 Ringing'),
      first.bye(5.5),
      second.say(6, '486 Busy Here'),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 5.5 ANSWER answered',
      'A 102 d1, 1 dial-in, 2 answer-in, 6 ANSWER answered, by 101',
      'A 103 d2, 5.2 dial-in, 6 BUSY response_486, (refer 0.95), by 101',
    ],
    'open',
  );
}

{
  const [first, consult] = [direct('d1', '101', '102'), direct('d2', '102', '103')];
  const taken = direct('d3', '101', '103', ['Replaces: d2;to-tag=d2-b;from-tag=d2-a']);
  story(
    'attended transfer from phone to phone: two calls become one, both that stay go on',
    [
      first.invite(0),
      first.say(1, '180 Ringing'),
      first.say(2, '200 OK'),
      consult.invite(10),
      consult.say(11, '180 Ringing'),
      consult.say(12, '200 OK'),
      first.refer(15, 'called', '<sip:103@192.0.2.103?Replaces=d2%3Bto-tag%3Dd2-b%3Bfrom-tag%3Dd2-a>'),
      taken.invite(15.1),
      taken.say(15.2, '200 OK'),
      consult.byeBack(15.3),
      first.byeBack(15.4),
      taken.byeBack(20),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 20 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 15.4 ANSWER answered',
      'A 102 d2, 11 dial-out, 12 answer-out, 15.3 ANSWER answered, (replaces 0.99)',
      'A 103 d2, 11 dial-in, 12 answer-in, 20 ANSWER answered, (replaces 0.99), by 102',
    ],
    'open',
  );
}

const [in1, out1] = [dial('l1', '101', '102'), ring('l2', '101', '102')];
const talking = [
  in1.invite(0),
  out1.invite(0.1),
  out1.say(1, '180 Ringing'),
  out1.say(2, '200 OK'),
  in1.say(2.1, '200 OK'),
];
{
  const target = ring('l3', '101', '103');
  story(
    'blind transfer by a PBX that copies no Referred-By; who is transferred gives up while the target rings',
    [
      talking,
      out1.refer(5, 'called', '<sip:103@acme.example.com>'),
      target.invite(5.2),
      target.say(5.3, '180 Ringing'),
      out1.byeBack(5.4),
      in1.bye(8),
      target.cancel(8.1),
      target.say(8.2, '487 Request Terminated'),
    ],
    [
      'A 101 l1, 0.1 dial-out, 2.1 answer-out, 8 ANSWER answered, by 102',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 5.4 ANSWER answered, (numbers 0.8)',
      'A 103 l3, 5.2 dial-in, 8.2 CANCEL caller_left, (refer 0.95), by 102',
    ],
  );
  story(
    'the target of a transfer rings out: the PBX withdraws it while somebody still waits',
    [
      talking,
      out1.refer(5, 'called', '<sip:103@acme.example.com>'),
      target.invite(5.2),
      target.say(5.3, '180 Ringing'),
      out1.byeBack(5.4),
      target.cancel(20),
      target.say(20.1, '487 Request Terminated'),
      in1.byeBack(20.2),
    ],
    [
      'A 101 l1, 0.1 dial-out, 2.1 answer-out, 20.2 ANSWER answered, by 102',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 5.4 ANSWER answered, (numbers 0.8)',
      'A 103 l3, 5.2 dial-in, 20.1 NOANSWER ring_timeout, (refer 0.95), by 102',
    ],
  );
  const back = ring('l4', '101', '102', ['Referred-By: <sip:103@acme.example.com>']);
  story(
    'transferred, and transferred back: who comes back is a new party',
    [
      talking,
      out1.refer(5, 'called', '<sip:103@acme.example.com>'),
      target.invite(5.2),
      out1.byeBack(5.4),
      target.say(6, '200 OK'),
      target.refer(8, 'called', '<sip:102@acme.example.com>'),
      back.invite(8.2),
      target.byeBack(8.3),
      back.say(9, '200 OK'),
      in1.bye(12),
      back.bye(12.1),
    ],
    [
      'A 101 l1, 0.1 dial-out, 2.1 answer-out, 12 ANSWER answered, by 103',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 5.4 ANSWER answered, (numbers 0.8)',
      'A 103 l3, 5.2 dial-in, 6 answer-in, 8.3 ANSWER answered, (refer 0.95), by 102',
      'A 102 l4, 8.2 dial-in, 9 answer-in, 12.1 ANSWER answered, (referred-by 0.97), by 103',
    ],
  );
  const byCaller = ring('l3', '102', '103');
  story(
    'blind transfer by the caller: the called side waits for the target',
    [
      talking,
      in1.refer(5, 'caller', '<sip:103@acme.example.com>'),
      byCaller.invite(5.2),
      in1.bye(5.4),
      byCaller.say(5.5, '180 Ringing'),
      out1.byeBack(8),
      byCaller.cancel(8.1),
      byCaller.say(8.2, '487 Request Terminated'),
    ],
    [
      'A 101 l1, 0.1 dial-out, 2.1 answer-out, 5.4 ANSWER answered',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 8 ANSWER answered, (numbers 0.8), by 101',
      'A 103 l3, 5.2 dial-in, 8.2 CANCEL caller_left, (refer 0.95), by 101',
    ],
  );
}

{
  const [other, otherRing] = [dial('m1', '104', '105'), ring('m2', '104', '105')];
  const pickup = dial('p1', '103', '*8');
  const ringing = [in1.invite(0), out1.invite(0.1), out1.say(1, '180 Ringing')];
  const otherRinging = [other.invite(0.5), otherRing.invite(0.6), otherRing.say(1, '180 Ringing')];
  const takenOver = [out1.cancel(5.11), out1.say(5.3, '487 Request Terminated'), in1.say(5.12, '200 OK')];
  const end = [
    in1.bye(9),
    pickup.byeBack(9.1),
    other.cancel(9.5),
    otherRing.cancel(9.6),
    otherRing.say(9.7, '487 x'),
    other.say(9.7, '487 x'),
  ];
  const pickedUp = [
    'A 101 l1, 0.1 dial-out, 5.12 answer-out, 9 ANSWER answered',
    'A 102 l2, 0.1 dial-in, 5.3 NOANSWER answered_elsewhere, (numbers 0.8)',
  ];
  story(
    'group pickup while one call rings: joined at once',
    [ringing, pickup.invite(5), pickup.say(5.1, '200 OK'), takenOver, in1.bye(9), pickup.byeBack(9.1)],
    [...pickedUp, 'A 103 p1, 5.1 dial-out, 5.1 answer-out, 9.1 ANSWER answered, (pickup 0.7)'],
  );
  story(
    'group pickup while two calls ring: joined to the one that is taken away',
    [ringing, otherRinging, pickup.invite(5), pickup.say(5.1, '200 OK'), takenOver, end],
    [
      ...pickedUp,
      'B 104 m1, 0.6 dial-out, 9.7 CANCEL caller_left',
      'B 105 m2, 0.6 dial-in, 9.7 CANCEL caller_left, (numbers 0.8)',
      'A 103 p1, 5.1 dial-out, 5.1 answer-out, 9.1 ANSWER answered, (pickup 0.7)',
    ],
  );
}

{
  const retrieval = dial('r1', '103', '701');
  const fetched = [
    talking,
    out1.refer(5, 'called', '<sip:700@acme.example.com>'),
    out1.byeBack(5.5),
    retrieval.invite(20),
    retrieval.say(20.1, '200 OK', ['P-Asserted-Identity: <sip:101@acme.example.com>']),
    in1.bye(30),
    retrieval.byeBack(30.1),
  ];
  const joined = [
    'A 101 l1, 0.1 dial-out, 2.1 answer-out, 30 ANSWER answered, by 102',
    'A 102 l2, 0.1 dial-in, 2 answer-in, 5.5 ANSWER answered, (numbers 0.8)',
    'A 103 r1, 20.1 dial-out, 20.1 answer-out, 30.1 ANSWER answered, (connected-identity 0.75)',
  ];
  story('a parked call is fetched: who fetches it is told whom he talks to', fetched, joined);
  const mailbox = dial('r1', '103', '101');
  story(
    'a call that waits is not the one of who is answered in its place',
    [
      fetched.flat().filter(({ callId }) => callId !== 'r1'),
      mailbox.invite(20),
      mailbox.say(20.1, '200 OK', ['P-Asserted-Identity: <sip:101@acme.example.com>']),
      mailbox.bye(29),
    ],
    [joined[0]!, joined[1]!, 'B 103 r1, 20.1 dial-out, 20.1 answer-out, 29 ANSWER answered'],
  );

  story(
    'a parked call is fetched: both ends are told of each other',
    [
      talking,
      out1.refer(5, 'called', '<sip:700@acme.example.com>'),
      out1.byeBack(5.5),
      retrieval.invite(20),
      retrieval.say(20.1, '200 OK', ['P-Asserted-Identity: <sip:101@acme.example.com>']),
      in1.update(20.2, 'caller', '103'),
      in1.bye(30),
      retrieval.byeBack(30.1),
    ],
    [
      'A 101 l1, 0.1 dial-out, 2.1 answer-out, 30 ANSWER answered, by 102',
      'A 102 l2, 0.1 dial-in, 2 answer-in, 5.5 ANSWER answered, (numbers 0.8)',
      'A 103 r1, 20.1 dial-out, 20.1 answer-out, 30.1 ANSWER answered, (connected-identity 0.75)',
    ],
  );
}

{
  const session = ['Session-ID: 11111111111111111111111111111111;remote=00000000000000000000000000000000'];
  const [a, b, c] = [
    dial('s1', '101', '150', session),
    dial('s2', '101', '777', session),
    ring('s3', '999', '105', session),
  ];
  story(
    'a Session-ID ties legs only through a PBX; a phone that gives it to all its calls ties nothing',
    [
      a.invite(0),
      a.say(0.5, '200 OK'),
      b.invite(1),
      b.say(1.5, '200 OK'),
      c.invite(2),
      c.say(3, '200 OK'),
      a.bye(5),
      b.bye(5),
      c.bye(5),
    ],
    [
      'A 101 s1, 0.5 dial-out, 0.5 answer-out, 5 ANSWER answered',
      'A 150 s1, 0.5 dial-in, 0.5 answer-in, 5 ANSWER answered',
      'B 101 s2, 1.5 dial-out, 1.5 answer-out, 5 ANSWER answered',
      'C 105 s3, 2 dial-in, 3 answer-in, 5 ANSWER answered',
    ],
  );
  story(
    'a PBX that passes the Session-ID on, whatever numbers it shows',
    [a.invite(0), a.say(0.5, '200 OK'), c.invite(2), c.say(3, '200 OK'), a.bye(5), c.bye(5)],
    [
      'A 101 s1, 0.5 dial-out, 0.5 answer-out, 5 ANSWER answered',
      'A 150 s1, 0.5 dial-in, 0.5 answer-in, 5 ANSWER answered',
      'A 105 s3, 2 dial-in, 3 answer-in, 5 ANSWER answered, (session-id 0.9)',
    ],
  );
}

{
  const a = dial('h1', '101', '777');
  const named = ring('h2', '999', '105', ['X-CID: h1']);
  story(
    'a header that names the Call-ID of the other leg',
    [a.invite(0), named.invite(0.2), named.say(1, '486 Busy Here'), a.say(1.1, '486 Busy Here')],
    ['A 101 h1, 0.2 dial-out, 1.1 BUSY response_486', 'A 105 h2, 0.2 dial-in, 1 BUSY response_486, (header 0.9)'],
  );
  const marker = 'X-CallAPIID: abcdefghij0123456789';
  const [trusted, untrusted] = [ring('k1', '999', '105', [marker]), dial('k2', '101', '777', [marker])];
  story(
    'a CallAPIID is believed of a PBX, not of a phone',
    [untrusted.invite(0), untrusted.say(0.5, '486 x'), trusted.invite(1), trusted.say(2, '486 x')],
    ['A 101 k2, 0.5 dial-out, 0.5 BUSY response_486', 'B 105 k1, 1 dial-in, 2 BUSY response_486'],
  );
}

{
  const [first, second] = [direct('f1', '101', '102'), direct('f2', '101', '103')];
  story(
    'a caller follows a 302 with a new Call-ID: still one party',
    [
      first.invite(0),
      first.say(1, '180 Ringing'),
      first.say(2, '302 Moved Temporarily', ['Contact: <sip:103@acme.example.com>']),
      second.invite(2.1),
      second.say(3, '180 Ringing'),
      second.say(4, '200 OK'),
      second.bye(6),
    ],
    [
      'A 101 f1, 1 dial-out, 4 answer-out, 6 ANSWER answered',
      'A 102 f1, 1 dial-in, 2 NOANSWER redirected',
      'A 103 f2, 3 dial-in, 4 answer-in, 6 ANSWER answered, (redirect 0.9)',
    ],
    'open',
  );
}

{
  const [a, b, c] = [dial('x1', '101', '777'), dial('x2', '101', '778'), ring('x3', '101', '105')];
  story(
    'two calls of one caller wait at the PBX, and nothing tells which of them a third leg is for: none is joined',
    [a.invite(0), b.invite(0.1), c.invite(0.2), c.say(1, '486 x'), a.say(2, '486 x'), b.say(3, '480 x')],
    [
      'A 105 x3, 0.2 dial-in, 1 BUSY response_486',
      'B 101 x1, 1 dial-out, 2 BUSY response_486',
      'C 101 x2, 1.1 dial-out, 3 CHANUNAVAIL response_480',
    ],
  );
  story(
    'the same, but the PBX passes the ringing on to one of them: that is the one',
    [
      a.invite(0),
      b.invite(0.1),
      c.invite(0.2),
      c.say(1, '180 Ringing'),
      b.say(1.01, '180 Ringing'),
      a.say(2, '486 x'),
      c.say(3, '200 OK'),
      b.say(3.01, '200 OK'),
      b.bye(5),
      c.bye(5.01),
    ],
    [
      'A 105 x3, 0.2 dial-in, 3 answer-in, 5.01 ANSWER answered, (coincidence 0.75)',
      'B 101 x1, 1 dial-out, 2 BUSY response_486',
      'A 101 x2, 1.01 dial-out, 3.01 answer-out, 5 ANSWER answered',
    ],
  );
  story(
    'the same, but one gives up while the third leg goes on: it is for the other',
    [
      a.invite(0),
      b.invite(0.1),
      b.say(0.15, '180 Ringing'),
      c.invite(0.2),
      c.say(1, '180 Ringing'),
      a.cancel(1.5),
      a.say(1.6, '487 x'),
      c.say(3, '200 OK'),
      b.say(3.2, '200 OK'),
      c.byeBack(5),
      b.byeBack(5.01),
    ],
    [
      'A 101 x2, 0.15 dial-out, 3.2 answer-out, 5.01 ANSWER answered',
      'A 105 x3, 0.2 dial-in, 3 answer-in, 5 ANSWER answered, (coincidence 0.75)',
      'B 101 x1, 1 dial-out, 1.6 CANCEL caller_left',
    ],
  );
  const [group, straight] = [dial('g1', '101', '600'), dial('g2', '101', '105')];
  const [member, called] = [ring('g3', '101', '105'), ring('g4', '101', '105')];
  story(
    'a caller has a group called and one of its members himself: which phone rings for which, the ringing tells',
    [
      group.invite(0),
      straight.invite(0.05),
      member.invite(0.1),
      called.invite(0.2),
      called.say(1, '180 Ringing'),
      straight.say(1.005, '180 Ringing'),
      member.say(1.2, '180 Ringing'),
      group.say(1.205, '180 Ringing'),
      member.say(3, '200 OK'),
      group.say(3.01, '200 OK'),
      called.say(4, '486 x'),
      straight.say(4.01, '486 x'),
      group.bye(6),
      member.bye(6.01),
    ],
    [
      'A 105 g3, 0.1 dial-in, 3 answer-in, 6.01 ANSWER answered, (coincidence 0.75)',
      'B 105 g4, 0.2 dial-in, 4 BUSY response_486, (coincidence 0.75)',
      'A 101 g1, 1 dial-out, 3.01 answer-out, 6 ANSWER answered',
      'B 101 g2, 1.005 dial-out, 4.01 BUSY response_486',
    ],
  );
  story(
    'a caller of whom one call rings already has another one made for the call that does not',
    [
      straight.invite(0),
      called.invite(0.1),
      called.say(0.2, '180 Ringing'),
      straight.say(0.21, '180 Ringing'),
      a.invite(3),
      c.invite(3.2),
      c.say(3.3, '486 x'),
      a.say(3.4, '486 x'),
      straight.cancel(8),
      called.cancel(8.01),
      called.say(8.1, '487 x'),
      straight.say(8.1, '487 x'),
    ],
    [
      'A 101 g2, 0.1 dial-out, 8.1 CANCEL caller_left',
      'A 105 g4, 0.1 dial-in, 8.1 CANCEL caller_left, (numbers 0.8)',
      'B 101 x1, 3.2 dial-out, 3.4 BUSY response_486',
      'B 105 x3, 3.2 dial-in, 3.3 BUSY response_486, (caller-number 0.6)',
    ],
  );
  const [in2, out2] = [dial('y1', '101', '102'), ring('y2', '101', '102')];
  story(
    'two calls of the same numbers, one after the other: each leg goes to the one that has none yet',
    [
      in1.invite(0),
      out1.invite(0.1),
      in2.invite(0.2),
      out2.invite(0.3),
      out1.say(1, '200 OK'),
      in1.say(1.1, '200 OK'),
      out2.say(2, '486 x'),
      in2.say(2.1, '486 x'),
      in1.bye(5),
      out1.bye(5),
    ],
    [
      'A 101 l1, 0.1 dial-out, 1.1 answer-out, 5 ANSWER answered',
      'A 102 l2, 0.1 dial-in, 1 answer-in, 5 ANSWER answered, (numbers 0.8)',
      'B 101 y1, 0.3 dial-out, 2.1 BUSY response_486',
      'B 102 y2, 0.3 dial-in, 2 BUSY response_486, (numbers 0.8)',
    ],
  );
}

{
  const [first, second] = [direct('d1', '101', '102'), direct('d2', '101', '103')];
  const again = (step: Step): Step => ({ ...step, cseq: '2 INVITE', branch: 'z9hG4bKd2again' });
  const up = [first.invite(0), first.say(1, '180 Ringing'), first.say(2, '200 OK')];
  story(
    'the transferor leaves while the call to the target is challenged',
    [
      up,
      first.refer(5, 'called', '<sip:103@acme.example.com>'),
      second.invite(5.1),
      second.say(5.2, '407 Proxy Authentication Required'),
      first.byeBack(5.3),
      again(second.invite(5.4)),
      again(second.say(5.5, '180 Ringing')),
      again(second.say(8, '200 OK')),
      second.bye(20),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 20 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 5.3 ANSWER answered',
      'A 103 d2, 5.5 dial-in, 8 answer-in, 20 ANSWER answered, (refer 0.95), by 102',
    ],
    'open',
  );
  story(
    'who is to call somebody else is challenged, and has no credentials',
    [
      up,
      first.refer(5, 'called', '<sip:103@acme.example.com>'),
      first.byeBack(5.1),
      second.invite(6),
      second.say(6.1, '401 Unauthorized'),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 66.1 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 5.1 ANSWER answered',
    ],
    'open',
  );
  story(
    'a transfer that fails: the call goes on, and ends when it ends',
    [
      up,
      first.refer(5, 'called', '<sip:103@acme.example.com>'),
      second.invite(5.1),
      second.say(6, '486 Busy Here'),
      first.byeBack(100),
    ],
    [
      'A 101 d1, 1 dial-out, 2 answer-out, 100 ANSWER answered, by 102',
      'A 102 d1, 1 dial-in, 2 answer-in, 100 ANSWER answered',
      'A 103 d2, 6 dial-in, 6 BUSY response_486, (refer 0.95), by 102',
    ],
    'open',
  );
}

story(
  'a phone takes a call and declines it by hand; the caller never had an answer',
  [in1.invite(0), out1.invite(0.1), out1.say(3, '200 OK'), out1.byeBack(6), in1.say(6.1, '486 Busy Here')],
  [
    'A 101 l1, 0.1 dial-out, 6.1 BUSY response_486',
    'A 102 l2, 0.1 dial-in, 3 answer-in, 6 ANSWER answered, (numbers 0.8)',
  ],
);

story(
  'a Referred-By of a call that is long transferred counts only for who was transferred',
  [
    talking,
    out1.refer(5, 'called', '<sip:103@acme.example.com>', ['Referred-By: <sip:102@acme.example.com>']),
    ring('l3', '101', '103', ['Referred-By: <sip:102@acme.example.com>']).invite(5.2),
    ring('l3', '101', '103').say(6, '200 OK'),
    out1.byeBack(6.1),
    dial('w1', '104', '102').invite(25),
    ring('w2', '104', '105', ['Referred-By: <sip:102@acme.example.com>']).invite(25.1),
    ring('w2', '104', '105').say(26, '486 Busy Here'),
    dial('w1', '104', '102').say(26.1, '486 Busy Here'),
    in1.bye(30),
    ring('l3', '101', '103').bye(30),
  ],
  [
    'A 101 l1, 0.1 dial-out, 2.1 answer-out, 30 ANSWER answered, by 102',
    'A 102 l2, 0.1 dial-in, 2 answer-in, 6.1 ANSWER answered, (numbers 0.8)',
    'A 103 l3, 5.2 dial-in, 6 answer-in, 30 ANSWER answered, (referred-by 0.97), by 102',
    'B 104 w1, 25.1 dial-out, 26.1 BUSY response_486',
    'B 105 w2, 25.1 dial-in, 26 BUSY response_486, (caller-number 0.6)',
  ],
);
