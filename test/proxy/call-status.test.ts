import t, { type Test } from 'tap';
import type { EmbeddedOptions } from '../../src/proxy/embedded/embedded-engine.ts';
import { keep, openUdpPhone } from './phones.ts';
import { bind, openStage, type Stage } from './stage.ts';
import { isDrachtio } from './support/drachtio.ts';
import { callerDialog, makeInDialog, makeRequest, makeResponse, unique } from './support/wire-builders.ts';
import type { Endpoint } from './support/relay.ts';
import type { Received, WirePhone } from './support/wire-phone.ts';

// Every CallStatus, by calls that really pass through the proxy: what the scripts would be told.

interface Scene extends Stage {
  readonly caller: WirePhone;
  readonly phone: WirePhone;
  readonly other: WirePhone;
}

/** Marks a scene in which 102 has two devices. */
const BOTH = 40_000;

async function openScene(t: Test, options: Partial<EmbeddedOptions> = {}, upstream?: Endpoint[]): Promise<Scene> {
  const [caller, phone, other] = [
    await keep(t, openUdpPhone()),
    await keep(t, openUdpPhone()),
    await keep(t, openUdpPhone()),
  ];
  const devices = options.ringMs === BOTH ? [phone, other] : [phone];
  const bindings = options.upstream === undefined ? devices.map((device) => bind('102', device)) : [];
  return { ...(await openStage(t, { bindings, ...options }, upstream)), caller, phone, other };
}

/** `extension event status detail`; once the calls are over. */
const told = async (stage: Stage): Promise<string[]> => {
  await stage.settle();
  return stage
    .events()
    .map(({ extension, event, params, extras }) =>
      `${extension} ${event} ${params.CallStatus} ${extras.Detail ?? ''}`.trim(),
    )
    .toSorted();
};

const TO = 'sip:102@acme.example.com';
const DIALS = ['0003*101 dial-out CALLING', '0003*102 dial-in CALLING'];

async function ring(stage: Scene, to = TO): Promise<{ branch: string; callId: string; invite: Received }> {
  const ids = { branch: `z9hG4bK${unique()}`, callId: unique() };
  await stage.caller.send(makeRequest(stage.caller, { to, ...ids }), stage.udp);
  const invite = await stage.phone.next('INVITE');
  await stage.phone.send(makeResponse(invite, 180), stage.udp);
  await stage.caller.next(180);
  return { ...ids, invite };
}

async function refuse(stage: Scene, code: number, expected = code): Promise<void> {
  const { invite } = await ring(stage);
  await stage.phone.send(makeResponse(invite, code), stage.udp);
  await stage.caller.next(expected);
}

const hangups = (status: string, detail = ''): string[] => [
  `0003*102 hangup ${status} ${detail}`.trim(),
  `0003*101 hangup ${status} ${detail}`.trim(),
];

const rows: [title: string, act: (stage: Scene) => Promise<void>, told: string[]][] = [
  [
    'ANSWER',
    async (stage) => {
      const { invite } = await ring(stage);
      await stage.phone.send(makeResponse(invite, 200, { contact: `<sip:102@${stage.phone.at}>` }), stage.udp);
      const dialog = callerDialog(await stage.caller.next(200));
      await stage.caller.send(makeInDialog(stage.caller, dialog, 'ACK', 1), stage.udp);
      await stage.phone.next('ACK');
      await stage.caller.send(makeInDialog(stage.caller, dialog, 'BYE', 2), stage.udp);
      await stage.phone.send(makeResponse(await stage.phone.next('BYE'), 200), stage.udp);
      await stage.caller.next(200);
    },
    [...DIALS, '0003*102 answer-in ANSWER', '0003*101 answer-out ANSWER', ...hangups('ANSWER', 'answered')],
  ],
  ['BUSY', (stage) => refuse(stage, 486), [...DIALS, ...hangups('BUSY', 'response_486')]],
  [
    'NOANSWER: 480 of a phone that rang',
    (stage) => refuse(stage, 480),
    [...DIALS, ...hangups('NOANSWER', 'response_480')],
  ],
  ['CONGESTION', (stage) => refuse(stage, 500), [...DIALS, ...hangups('CONGESTION', 'response_500')]],
  [
    'CANCEL',
    async (stage) => {
      const { branch, callId, invite } = await ring(stage);
      await stage.caller.send(
        makeRequest(stage.caller, { to: TO, method: 'CANCEL', branch, callId, contact: '' }),
        stage.udp,
      );
      await stage.phone.send(makeResponse(await stage.phone.next('CANCEL'), 200), stage.udp);
      await stage.phone.send(makeResponse(invite, 487), stage.udp);
      await stage.caller.next(487);
    },
    [...DIALS, ...hangups('CANCEL', 'caller_left')],
  ],
  [
    'NOANSWER: the ring time-out of the proxy',
    async (stage) => {
      const { invite } = await ring(stage);
      stage.skip(30_100);
      await stage.phone.send(makeResponse(await stage.phone.next('CANCEL'), 200), stage.udp);
      await stage.phone.send(makeResponse(invite, 487), stage.udp);
      await stage.caller.next(408);
    },
    [...DIALS, '0003*102 hangup NOANSWER ring_timeout', '0003*101 hangup NOANSWER ring_timeout'],
  ],
  [
    'NOANSWER: nothing comes back at all',
    async (stage) => {
      await stage.caller.send(makeRequest(stage.caller, { to: TO }), stage.udp);
      await stage.phone.next('INVITE');
      stage.skip(32_100);
      await stage.caller.next(408);
    },
    [...DIALS, ...hangups('NOANSWER', 'response_408')],
  ],
  [
    'CHANUNAVAIL: nobody is registered',
    async (stage) => {
      await stage.caller.send(makeRequest(stage.caller, { to: 'sip:110@acme.example.com' }), stage.udp);
      await stage.caller.next(480);
    },
    [
      '0003*101 dial-out CALLING',
      '0003*110 dial-in CALLING',
      '0003*110 hangup CHANUNAVAIL response_480',
      '0003*101 hangup CHANUNAVAIL response_480',
    ],
  ],
  [
    'CHANUNAVAIL: the phone is gone',
    async (stage) => {
      await stage.phone.close();
      await stage.caller.send(makeRequest(stage.caller, { to: TO }), stage.udp);
      await stage.caller.next(503);
    },
    [...DIALS, ...hangups('CHANUNAVAIL', 'q850_27')],
  ],
  [
    'CONGESTION: no such number',
    async (stage) => {
      await stage.caller.send(makeRequest(stage.caller, { to: 'sip:999@acme.example.com' }), stage.udp);
      await stage.caller.next(404);
    },
    ['0003*101 dial-out CALLING', '0003*101 hangup CONGESTION response_404'],
  ],
];

/** A drachtio server has timers of its own, which no test can hurry. */
const TIMED: ReadonlySet<string> = new Set([
  'NOANSWER: the ring time-out of the proxy',
  'NOANSWER: nothing comes back at all',
  'CHANUNAVAIL: the phone is gone',
]);

t.test('phones that call each other', async (t) => {
  for (const [title, act, expected] of rows) {
    if (isDrachtio && TIMED.has(title)) continue;
    await t.test(title, async (t) => {
      const stage = await openScene(t, { ringMs: 30_000 });
      await act(stage);
      t.strictSame(await told(stage), expected.toSorted());
    });
  }
});

t.test('two devices of one extension are one party', async (t) => {
  const stage = await openScene(t, { ringMs: BOTH });
  const { invite } = await ring(stage);
  const other = await stage.other.next('INVITE');
  await stage.other.send(makeResponse(other, 200, { toTag: 'two', contact: `<sip:102@${stage.other.at}>` }), stage.udp);
  const dialog = callerDialog(await stage.caller.next(200));
  await stage.phone.send(makeResponse(await stage.phone.next('CANCEL'), 200), stage.udp);
  await stage.phone.send(makeResponse(invite, 487), stage.udp);
  await stage.phone.next('ACK');
  await stage.caller.send(makeInDialog(stage.caller, dialog, 'BYE', 2), stage.udp);
  await stage.other.send(makeResponse(await stage.other.next('BYE'), 200), stage.udp);
  await stage.caller.next(200);
  const answers = ['0003*102 answer-in ANSWER', '0003*101 answer-out ANSWER'];
  t.strictSame(await told(stage), [...DIALS, ...answers, ...hangups('ANSWER', 'answered')].toSorted());
});

t.test('through a PBX and back: two legs, one party each', async (t) => {
  const pbx = await keep(t, openUdpPhone());
  const stage = await openScene(t, { upstream: `sip:${pbx.at}`, trunks: [] }, [pbx]);
  await stage.caller.send(makeRequest(stage.caller, { to: TO }), stage.udp);
  const first = await pbx.next('INVITE');
  const register = { method: 'REGISTER', to: 'sip:acme.example.com', from: TO };
  await stage.phone.send(makeRequest(stage.phone, register), stage.udp);
  const contact = (await pbx.next('REGISTER')).header('Contact')!;
  await pbx.send(makeRequest(pbx, { to: /<([^>]*)>/.exec(contact)![1]!, from: 'sip:101@pbx.example.com' }), stage.udp);
  const second = await stage.phone.next('INVITE');
  await stage.phone.send(makeResponse(second, 180), stage.udp);
  await pbx.next(180);
  await pbx.send(makeResponse(first, 180), stage.udp);
  await stage.caller.next(180);
  await stage.phone.send(makeResponse(second, 486), stage.udp);
  await pbx.next(486);
  await pbx.send(makeResponse(first, 486), stage.udp);
  await stage.caller.next(486);
  t.strictSame(await told(stage), [...DIALS, ...hangups('BUSY', 'response_486')].toSorted());
});
