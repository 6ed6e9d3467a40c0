import type {
  Call,
  CallStatus,
  Delivery,
  DeliveryDetail,
  EventName,
  Overview,
  Party,
  Registrations,
  Rule,
} from '../../../src/api/types.ts';

/** Numbers that are the same in every run. */
export function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296;
    return state / 4294967296;
  };
}

const NAMES = ['Anna Berg', 'Front desk', 'Jörg Sørensen', 'Mei Lin', 'Support', 'Priya Nair', 'Tomás Ruiz', ''];
const CALLERS = ['+15551230101', '+442079460018', '101', '114', '+33142685300', '205'];

export const time = (at: number): string => new Date(at).toISOString();

interface CallShape {
  readonly index: number;
  readonly now: number;
  readonly state: Party['state'];
  readonly ageMs: number;
  readonly status?: CallStatus;
}

/** A call from someone to an extension. */
export function makeCall({ index, now, state, ageMs, status = 'ANSWER' }: CallShape): Call {
  const id = `call${`${index}`.padStart(6, '0')}abcdefghij`;
  const started = now - ageMs;
  const caller = CALLERS[index % CALLERS.length]!;
  const number = `${101 + (index % 60)}`;
  const isOver = state === 'over';
  const answered =
    state === 'answered' || (isOver && status === 'ANSWER') ? time(started + Math.min(ageMs, 6000)) : null;
  const party = (name: string, role: Party['role'], short: string): Party => ({
    id: `${id}-${role}`,
    extension: `0003*${short}`,
    name,
    role,
    state,
    dialledAt: time(started),
    rangAt: state === 'calling' ? null : time(started + 300),
    answeredAt: answered,
    endedAt: isOver ? time(now) : null,
    status: isOver ? status : null,
    detail: null,
    callerNumber: caller,
    callerName: NAMES[index % NAMES.length]!,
    dialled: number,
    did: caller.startsWith('+') ? '15551230001' : '',
    answeredBy: null,
    transferredBy: index % 9 === 4 ? '0003*150' : null,
  });
  const called = party(NAMES[(index + 1) % NAMES.length]!, 'called', number);
  return {
    id,
    otherIds: [],
    state: isOver ? 'over' : 'live',
    startedAt: time(started),
    endedAt: isOver ? time(now) : null,
    caller,
    callerName: NAMES[index % NAMES.length]!,
    dialled: number,
    status: isOver ? status : null,
    legs: 2,
    messages: 18,
    parties: caller.startsWith('+') ? [called] : [party('', 'caller', caller), called],
  };
}

const RULE: Rule = {
  id: 'rule1',
  source: 'api',
  readOnly: false,
  file: null,
  extensions: ['0003*101'],
  events: ['dial-in', 'hangup'],
  method: 'POST',
  url: 'https://crm.example.com/hooks/screen-pop?src=pbx',
  note: 'screen pop',
  enabled: true,
  isGone: false,
  body: 'form',
  extras: [],
  callFlow: 'upper',
  callId: 'sip',
  answeredHangup: 'ANSWER',
  omitEmpty: false,
  headers: [],
  isSigned: false,
  modified: null,
  last: null,
};

export function makeRules(now: number): Rule[] {
  const last = (
    delivery: number,
    state: Delivery['state'],
    status: number,
    error: string,
    ago: number,
  ): Rule['last'] => {
    return { delivery, state, at: time(now - ago), status, error };
  };
  return [
    { ...RULE, last: last(12, 'delivered', 200, '', 14_000) },
    {
      ...RULE,
      id: 'rule2',
      events: ['answer-in', 'answer-out'],
      url: 'https://crm.example.com/hooks/talking',
      note: 'opens the customer’s file',
      isSigned: true,
      last: last(13, 'delivered', 204, '', 63_000),
    },
    {
      ...RULE,
      id: 'rule3',
      extensions: ['0003*102'],
      events: ['hangup'],
      method: 'GET',
      url: 'http://192.0.2.60/missed.php?desk=front',
      note: 'missed calls by text message',
      last: last(14, 'dead', 500, '500 Internal Server Error', 320_000),
    },
    {
      ...RULE,
      id: 'rule4',
      extensions: ['0003*110-119', '0003*205'],
      events: ['dial-in', 'dial-out', 'hangup'],
      url: 'https://wallboard.example.net/api/v2/telephony/events/incoming?tenant=0003&board=support&layout=wide',
      note: '',
      enabled: false,
    },
    {
      ...RULE,
      id: 'file-31',
      source: 'file',
      readOnly: true,
      file: { name: 'ringside.yaml', line: 31 },
      extensions: ['*'],
      events: ['dial-in', 'dial-out', 'hangup', 'answer-in', 'answer-out'],
      url: 'http://127.0.0.1:8081/wallboard',
      note: 'wallboard',
      body: 'json',
      last: last(15, 'pending', 0, 'connect ECONNREFUSED 127.0.0.1:8081', 4_000),
    },
    {
      ...RULE,
      id: 'rule5',
      extensions: ['0003*102'],
      url: 'https://old.example.com/hooks/gone',
      note: '',
      isGone: true,
      last: last(16, 'dead', 410, '', 7_200_000),
    },
  ];
}

const EVENTS: readonly EventName[] = ['dial-in', 'dial-out', 'answer-in', 'answer-out', 'hangup'];
const RESULTS: readonly Pick<Delivery, 'state' | 'status' | 'error' | 'attempts'>[] = [
  { state: 'delivered', status: 200, error: '', attempts: 1 },
  { state: 'delivered', status: 204, error: '', attempts: 1 },
  { state: 'delivered', status: 200, error: '', attempts: 3 },
  { state: 'pending', status: 0, error: 'connect ECONNREFUSED 127.0.0.1:8081', attempts: 4 },
  { state: 'dead', status: 410, error: '410 Gone', attempts: 1 },
  { state: 'delivered', status: 200, error: '', attempts: 1 },
  { state: 'stale', status: 503, error: '503 Service Unavailable', attempts: 6 },
  { state: 'dead', status: 500, error: '500 Internal Server Error', attempts: 14 },
];

export function makeDelivery(id: number, now: number, rules: readonly Rule[]): Delivery {
  const rule = rules[id % rules.length]!;
  const created = now - (1200 - id) * 4300;
  const result = RESULTS[(id * 7) % RESULTS.length]!;
  return {
    id,
    eventId: `event-${id}`,
    rule: rule.id,
    event: EVENTS[id % 5]!,
    extension: `0003*${101 + (id % 12)}`,
    call: makeCall({ index: id % 40, now, state: 'over', ageMs: 1 }).id,
    method: rule.method,
    url: rule.url,
    createdAt: time(created),
    nextAttemptAt: result.state === 'pending' ? time(now + 30_000) : null,
    finishedAt: result.state === 'pending' ? null : time(created + 420),
    ...result,
  };
}

export function detailOf(delivery: Delivery): DeliveryDetail {
  const created = Date.parse(delivery.createdAt);
  const isForm = delivery.method === 'POST';
  const parameters = `CallID=a9101320-8990-465d&CallerIDNum=%2B15551230101&CallerIDName=Anna%20Berg&CalledDID=15551230001&CalledExtension=0003*102&CallStatus=CALLING&CallFlow=IN&CallerExtension=&CalledNumber=102&CallAPIID=${delivery.call}`;
  return {
    ...delivery,
    url: isForm ? delivery.url : `${delivery.url}&${parameters}`,
    contentType: isForm ? 'application/x-www-form-urlencoded' : null,
    body: isForm ? parameters : null,
    history: Array.from({ length: delivery.attempts }, (_, index) => {
      const isLast = index === delivery.attempts - 1;
      const isGood = isLast && delivery.state === 'delivered';
      return {
        number: index + 1,
        at: time(created + 12 + index * 2000),
        durationMs: isGood ? 42.3 : 5012,
        status: isGood ? (delivery.status ?? 200) : delivery.error === '' ? 503 : (delivery.status ?? 0),
        error: isGood ? '' : delivery.error || '503 Service Unavailable',
        answer: isGood ? 'OK' : '',
      };
    }),
  };
}

const STEPS = 60;
const SHARES: Readonly<Record<CallStatus, number>> = {
  ANSWER: 14,
  NOANSWER: 4,
  BUSY: 2.4,
  CANCEL: 2,
  CONGESTION: 0.5,
  CHANUNAVAIL: 0.8,
};

export function makeOverview(now: number, live: number): Overview {
  const random = makeRandom(7);
  const stepMs = 60_000;
  const wave = (step: number, size: number): number =>
    Math.round(size * (0.6 + 0.4 * Math.sin(step / 9) + 0.5 * random()));
  const values = (make: (step: number) => number | null): (number | null)[] =>
    Array.from({ length: STEPS }, (_, step) => make(step));
  return {
    at: time(now),
    from: time(now - STEPS * stepMs),
    stepMs,
    steps: STEPS,
    calls: {
      began: values((step) => wave(step, 20)),
      byStatus: Object.fromEntries(
        Object.entries(SHARES).map(([status, share]) => [status, values((step) => wave(step, share))]),
      ) as Overview['calls']['byStatus'],
      answerMs: { p50: values((step) => 5200 + wave(step, 1400)), p95: values((step) => 14_000 + wave(step, 5000)) },
      live,
      parties: live * 2,
    },
    deliveries: {
      pending: 38,
      dead: 12,
      queue: values((step) => (step > 46 && step < 54 ? wave(step, 90) : wave(step, 6))),
      delivered: values((step) => wave(step, 60)),
      failed: values((step) => (step > 46 && step < 54 ? wave(step, 24) : 0)),
      deliveryMs: { p50: values((step) => 38 + wave(step, 10)), p95: values((step) => 120 + wave(step, 90)) },
    },
    scripts: [
      script('https://crm.example.com/hooks/screen-pop', 'ok', 0, 2841, 0, 200, '', now),
      script('https://crm.example.com/hooks/talking', 'ok', 0, 1204, 2, 204, '', now),
      script('http://127.0.0.1:8081/wallboard', 'down', 38, 0, 211, 0, 'connect ECONNREFUSED 127.0.0.1:8081', now),
      script('http://192.0.2.60/missed.php', 'failing', 0, 74, 31, 500, '500 Internal Server Error', now),
    ],
    registrations: 4,
  };
}

function script(
  url: string,
  health: Overview['scripts'][number]['health'],
  pending: number,
  delivered: number,
  failed: number,
  lastStatus: number,
  lastError: string,
  now: number,
): Overview['scripts'][number] {
  const [p50Ms, p95Ms] = delivered > 0 ? [41, 132] : [null, null];
  return { url, health, pending, delivered, failed, p50Ms, p95Ms, lastAt: time(now - 9000), lastStatus, lastError };
}

export const makeRegistrations = (now: number): Registrations => ({
  isRegistrar: true,
  left: 0,
  registrations: ['101', '102', '110', '111'].map((short, index) => ({
    extension: `0003*${short}`,
    name: NAMES[index]!,
    contact: `sip:${short}@198.51.100.${20 + index}:5060;transport=${index % 2 ? 'tcp' : 'udp'};ob`,
    transport: index % 2 ? 'tcp' : 'udp',
    address: `198.51.100.${20 + index}:5060`,
    expiresAt: time(now + 40_000 + index * 700_000),
  })),
});
