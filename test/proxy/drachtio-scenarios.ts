import type { Binding } from '../../src/proxy/bindings.ts';
import type { DrachtioStage, Scenario } from './drachtio-stage.ts';
import { openWebPhone } from './phones.ts';
import { until } from './support/ports.ts';
import {
  callerDialog,
  contactUri,
  makeInDialog,
  makeRequest,
  makeResponse,
  type RequestOptions,
  unique,
} from './support/wire-builders.ts';
import { authorize, type Received, type WirePhone } from './support/wire-phone.ts';

// What the drachtio engine is asked to do, one thing each; each is recorded under its name.

const DOMAIN = 'sip:acme.example.com';
const TO = 'sip:102@acme.example.com';
const TRUSTED = { trunks: ['127.0.0.101'] };

const bound = (phone: WirePhone): Binding => ({
  account: '0003*102',
  contact: `sip:102@${phone.at}`,
  flow: { transport: 'udp', remote: { ip: phone.ip, port: phone.port } },
  path: [],
  q: 1,
  expiresAt: 4e12,
  callId: '',
  cseq: 0,
  instance: '',
});

/** An INVITE and what makes it that one. */
interface Invited {
  readonly branch: string;
  readonly callId: string;
}

async function invite({ caller, udp }: DrachtioStage, options: Partial<RequestOptions> = {}): Promise<Invited> {
  const ids = { branch: `z9hG4bK${unique()}`, callId: unique() };
  await caller.send(makeRequest(caller, { to: TO, ...ids, ...options }), udp);
  return ids;
}

const cancel = ({ caller, udp }: DrachtioStage, ids: Invited): Promise<void> =>
  caller.send(makeRequest(caller, { to: TO, method: 'CANCEL', contact: '', ...ids }), udp);

async function ring(stage: DrachtioStage, at: WirePhone, from: WirePhone): Promise<Received> {
  const request = await at.next('INVITE');
  await at.send(makeResponse(request, 180), stage.udp);
  await from.next(180);
  return request;
}

async function refuse(stage: DrachtioStage, at: WirePhone, request: Received, code: number): Promise<void> {
  await at.send(makeResponse(request, code, code === 302 ? { contact: '<sip:103@127.0.0.9>' } : {}), stage.udp);
  await stage.caller.next(code);
}

/** The called side takes the call, and the caller ends it. */
async function talk(stage: DrachtioStage, at: WirePhone, request: Received): Promise<void> {
  const { caller, udp } = stage;
  await at.send(makeResponse(request, 200, { contact: `<${contactUri(at, '102')}>` }), udp);
  const dialog = callerDialog(await caller.next('200 INVITE'));
  await caller.send(makeInDialog(caller, dialog, 'ACK', 1), udp);
  await at.next('ACK');
  await caller.send(makeInDialog(caller, dialog, 'BYE', 2), udp);
  await at.send(makeResponse(await at.next('BYE'), 200), udp);
  await caller.next('200 BYE');
}

/** Registers with its password; returns the answer. */
async function register({ phone, udp }: DrachtioStage, headers: readonly string[] = []): Promise<Received> {
  const first = makeRequest(phone, { method: 'REGISTER', to: DOMAIN, from: TO, headers });
  await phone.send(first, udp);
  await phone.send(authorize(first, await phone.next(401), { user: '102', password: 'secret102' }), udp);
  return phone.next('200 REGISTER');
}

/** Registers with the PBX; returns what that got, and its answer as it comes to the phone. */
async function registerAtPbx(
  { phone, pbx, udp }: DrachtioStage,
  headers: readonly string[],
): Promise<readonly [Received, Received]> {
  await phone.send(makeRequest(phone, { method: 'REGISTER', to: DOMAIN, from: TO, cseq: 7, headers }), udp);
  const request = await pbx.next('REGISTER');
  const contact = `${request.header('Contact')!};expires=60`;
  await pbx.send(makeResponse(request, 200, { contact, headers: ['X-Of-The-PBX: yes'] }), udp);
  return [request, await phone.next(200)];
}

function check(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

const DIALS = ['101 dial-out CALLING', '102 dial-in CALLING'];
const ANSWERS = ['101 answer-out ANSWER', '102 answer-in ANSWER'];
const both = (status: string, detail: string): string[] => [
  `101 hangup ${status} ${detail}`,
  `102 hangup ${status} ${detail}`,
];
const ANSWERED = [...DIALS, ...ANSWERS, ...both('ANSWER', 'answered')];

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'a phone registers and is called by one that shows who it is',
    act: async (stage) => {
      const { caller, phone, udp } = stage;
      const ok = await register(stage);
      check(/expires=3600$/.test(ok.header('Contact') ?? ''), 'the registrar tells for how long');
      const ids = { branch: `z9hG4bK${unique()}`, callId: unique() };
      const first = makeRequest(caller, { to: TO, ...ids });
      await caller.send(first, udp);
      const challenge = await caller.next(407);
      const toTag = /tag=(.*)/.exec(challenge.header('To')!)![1]!;
      await caller.send(makeRequest(caller, { to: TO, ...ids, method: 'ACK', toTag, contact: '' }), udp);
      await caller.send(authorize(first, challenge, { user: '101', password: 'secret101' }), udp);
      const request = await ring(stage, phone, caller);
      check(request.uri === `sip:102@${phone.at};transport=udp`, 'it is called at its contact');
      await talk(stage, phone, request);
    },
    told: ANSWERED,
  },
  {
    name: 'a wrong password and numbers that nobody has',
    options: () => TRUSTED,
    act: async (stage) => {
      const { caller, phone, udp } = stage;
      const first = makeRequest(phone, { method: 'REGISTER', to: DOMAIN, from: TO });
      await phone.send(first, udp);
      await phone.send(authorize(first, await phone.next(401), { user: '102', password: 'wrong' }), udp);
      await phone.next(403);
      await invite(stage, { to: 'sip:999@acme.example.com' });
      await caller.next(404);
      await invite(stage);
      await caller.next(480);
    },
    told: [
      '101 dial-out CALLING',
      '101 dial-out CALLING',
      '101 hangup CHANUNAVAIL response_480',
      '101 hangup CONGESTION response_404',
      '102 dial-in CALLING',
      '102 hangup CHANUNAVAIL response_480',
    ],
  },
  {
    name: 'two devices ring and one answers',
    options: ({ phone, other }) => ({ ...TRUSTED, bindings: [bound(phone), bound(other)] }),
    act: async (stage) => {
      await invite(stage);
      const lost = await ring(stage, stage.phone, stage.caller);
      const won = await ring(stage, stage.other, stage.caller);
      await talk(stage, stage.other, won);
      await stage.phone.send(makeResponse(await stage.phone.next('CANCEL'), 200), stage.udp);
      await stage.phone.send(makeResponse(lost, 487), stage.udp);
      await stage.phone.next('ACK');
    },
    told: ANSWERED,
  },
  {
    name: 'busy and sent elsewhere',
    options: ({ phone }) => ({ ...TRUSTED, bindings: [bound(phone)] }),
    act: async (stage) => {
      for (const code of [486, 302]) {
        await invite(stage);
        await refuse(stage, stage.phone, await ring(stage, stage.phone, stage.caller), code);
        await stage.phone.next('ACK');
      }
    },
    told: [...DIALS, ...DIALS, ...both('BUSY', 'response_486'), ...both('NOANSWER', 'redirected')],
  },
  {
    name: 'the caller gives up while it rings',
    options: ({ phone }) => ({ ...TRUSTED, bindings: [bound(phone)] }),
    act: async (stage) => {
      const ids = await invite(stage);
      const request = await ring(stage, stage.phone, stage.caller);
      await cancel(stage, ids);
      await stage.phone.send(makeResponse(await stage.phone.next('CANCEL'), 200), stage.udp);
      await stage.phone.send(makeResponse(request, 487), stage.udp);
      await stage.caller.next(487);
    },
    told: [...DIALS, ...both('CANCEL', 'caller_left')],
  },
  {
    name: 'the ring time-out',
    options: ({ phone }) => ({ ...TRUSTED, bindings: [bound(phone)], ringMs: 400 }),
    act: async (stage) => {
      await invite(stage);
      const request = await ring(stage, stage.phone, stage.caller);
      await stage.phone.send(makeResponse(await stage.phone.next('CANCEL'), 200), stage.udp);
      await stage.phone.send(makeResponse(request, 487), stage.udp);
      await stage.caller.next(487);
    },
    told: [...DIALS, ...both('NOANSWER', 'response_487')], // the server refuses the INVITE before it withdraws its own
  },
  {
    name: 'a browser is called over its connection',
    options: () => TRUSTED,
    act: async (stage) => {
      const browser = await openWebPhone(stage.places['ws']!);
      const contact = '<sip:x7@h9.invalid;transport=ws>';
      const first = makeRequest(browser, { method: 'REGISTER', to: DOMAIN, from: TO, contact });
      await browser.send(first);
      await browser.send(authorize(first, await browser.next(401), { user: '102', password: 'secret102' }));
      await browser.next('200 REGISTER');
      await invite(stage);
      const request = await browser.next('INVITE');
      check(request.uri.startsWith('sip:x7@'), `the user is that of its contact: ${request.uri}`);
      await browser.send(makeResponse(request, 180));
      await stage.caller.next(180);
      await browser.send(makeResponse(request, 486));
      await stage.caller.next(486);
      await browser.close();
    },
    told: [...DIALS, ...both('BUSY', 'response_486')],
  },
  {
    name: 'other requests than calls',
    options: ({ phone }) => ({ ...TRUSTED, bindings: [bound(phone)] }),
    act: async (stage) => {
      const { caller, phone, udp } = stage;
      await caller.send(makeRequest(caller, { method: 'OPTIONS', to: DOMAIN }), udp);
      const ok = await caller.next('200 OPTIONS');
      check(/INVITE/.test(ok.header('Allow') ?? ''), 'OPTIONS is answered');
      for (const method of ['MESSAGE', 'OPTIONS', 'SUBSCRIBE', 'NOTIFY', 'PUBLISH', 'INFO']) {
        const headers = ['Event: presence', 'Subscription-State: active', 'Expires: 60'];
        await caller.send(makeRequest(caller, { method, to: TO, headers }), udp);
        await phone.send(
          makeResponse(await phone.next(method), 200, { contact: `<${contactUri(phone, '102')}>` }),
          udp,
        );
        await caller.next(`200 ${method}`);
      }
    },
    told: [],
  },
  {
    name: 'a call to the PBX is marked once',
    options: ({ pbx }) => ({ upstream: `sip:${pbx.at}` }),
    act: async (stage) => {
      await invite(stage);
      const request = await ring(stage, stage.pbx, stage.caller);
      check(request.headers('X-CallAPIID').length === 1, 'the PBX is told which call it is');
      check(request.uri === TO, 'the domain of the PBX stays');
      await refuse(stage, stage.pbx, request, 486);
      await invite(stage, { headers: ['X-CallAPIID: claimed'] });
      const claimed = await ring(stage, stage.pbx, stage.caller);
      check(claimed.headers('X-CallAPIID').length === 1, 'and not twice');
      await refuse(stage, stage.pbx, claimed, 486);
    },
    told: [...DIALS, ...DIALS, ...both('BUSY', 'response_486'), ...both('BUSY', 'response_486')],
  },
  {
    name: 'a phone that knows Path registers with the PBX and is called along it',
    options: ({ pbx }) => ({ upstream: `sip:${pbx.at}` }),
    act: async (stage) => {
      const { phone, pbx, udp } = stage;
      const [request, ok] = await registerAtPbx(stage, ['Supported: path']);
      const path = request.header('Path') ?? '';
      check(/^<sip:[\w-]+@[\d.]+:5060;lr>$/.test(path), `it gets a Path: ${path}`);
      check(request.cseq === 7 && ok.header('X-Of-The-PBX') === 'yes', 'the rest stays');
      const to = contactUri(phone, '102');
      await pbx.send(makeRequest(pbx, { to, from: 'sip:101@acme.example.com', headers: [`Route: ${path}`] }), udp);
      const call = await ring(stage, phone, pbx);
      check(call.uri === to, 'with the contact that it registered');
      await phone.send(makeResponse(call, 486), udp);
      await pbx.next(486);
    },
    told: ['102 dial-in CALLING', '102 hangup BUSY response_486'],
  },
  {
    name: 'a phone that knows no Path has a contact that leads through us',
    options: ({ pbx }) => ({ upstream: `sip:${pbx.at}` }),
    act: async (stage) => {
      const { phone, pbx, udp } = stage;
      const [request, ok] = await registerAtPbx(stage, []);
      const contact = /<([^>]*)>/.exec(request.header('Contact')!)![1]!;
      check(contact.includes(`@${udp.ip}:`), `the PBX gets a contact of ours: ${contact}`);
      check(ok.header('Contact')!.includes(contactUri(phone, '102')), 'the phone gets its own back');
      await pbx.send(makeRequest(pbx, { to: contact, from: 'sip:101@acme.example.com' }), udp);
      const call = await ring(stage, phone, pbx);
      check(call.uri === contactUri(phone, '102'), `with the contact that it registered: ${call.uri}`);
      await phone.send(makeResponse(call, 486), udp);
      await pbx.next(486);
    },
    told: ['102 dial-in CALLING', '102 hangup BUSY response_486'],
  },
  {
    name: 'a request that the server can not pass on',
    options: ({ pbx }) => ({ upstream: `sip:${pbx.at};transport=tls` }),
    act: async (stage) => {
      await invite(stage);
      await stage.caller.next(500);
      const told = 'the drachtio server did not pass a request on';
      await until(() => stage.log.some((line) => line.startsWith(told)), 'the words for it');
    },
    told: [...DIALS, ...both('CONGESTION', 'response_500')],
  },
];
