import { makeResponse, SDP } from '../wire-builders.ts';
import { userOf, uriOf, type Received } from '../wire-message.ts';
import { Agent } from './agent.ts';
import { readTarget, type AgentCall } from './agent-call.ts';
import { Attempt, ELSEWHERE, type Outcome } from './attempt.ts';

// A PBX as a B2BUA: legs that share nothing, REFER handled by itself, codes rewritten, callers answered by queues. What it
// does on the wire is what Asterisk was seen to do.

export interface PbxOptions {
  readonly ip: string;
  readonly domain: string;
  /** Where `9…` goes, behind the proxy. */
  readonly trunk: () => string;
  /** Numbers from outside, and the extension that each is for. */
  readonly dids: Readonly<Record<string, string>>;
  readonly names: Readonly<Record<string, string>>;
}

/** How it treats calls; as a scene sets it. */
export interface Treatment {
  /** Calls that nobody answers, or that a busy phone refuses, are answered by the PBX. */
  hasVoicemail: boolean;
  hasBusyTone: boolean;
  /** Where calls to an extension go instead. */
  readonly forwards: Map<string, string>;
}

const NORMAL = ['Reason: Q.850;cause=16'];
const GROUP = ['101', '102', '103', '104'];
const AGENTS = ['102', '103'];

export class Pbx {
  readonly agent: Agent;
  treatment: Treatment = plainTreatment();
  readonly #options: PbxOptions;
  readonly #bindings = new Map<string, string>();
  readonly #peers = new Map<AgentCall, AgentCall>();
  readonly #attempts = new Set<Attempt>();
  #parked: { readonly call: AgentCall; readonly parker: string } | undefined;

  constructor(options: PbxOptions) {
    this.#options = options;
    this.agent = new Agent({ ip: options.ip, user: 'asterisk', domain: options.ip });
    this.agent.onRequest = (request) => this.#answer(request);
    this.agent.onCall = (call) => this.#take(call);
    this.agent.onRefer = (call, refer) => this.#transfer(call, refer);
  }

  /** The PBX's side of a call that a phone has. */
  legOf(callId: string): AgentCall {
    return [...this.agent.calls].find((call) => call.callId === callId)!;
  }

  /** Media goes another way from now on: both ends are asked for new SDP. */
  async renegotiate(leg: AgentCall): Promise<void> {
    for (const each of [leg, this.#peers.get(leg)!]) await each.send('INVITE', { body: SDP });
  }

  /** A transfer by digits that nobody sees: whoever pressed them is out. */
  transferByCode(leg: AgentCall, number: string): void {
    const stays = this.#part(leg);
    leg.hangUp(NORMAL);
    void this.#route(stays, number);
  }

  /** The same with a word before: it is over when whoever pressed them hangs up. */
  consultByCode(leg: AgentCall, number: string): void {
    const stays = this.#part(leg);
    const target = this.#ring(number, leg)!;
    void leg.over.then(() => this.#connect(stays, target));
  }

  /** Whoever rings now has rung for long enough. */
  giveUp(): void {
    for (const attempt of this.#attempts) attempt.giveUp();
  }

  /** Who is parked has waited for long enough. */
  returnParked(): void {
    const { call, parker } = this.#parked!;
    this.#parked = undefined;
    void this.#dial(call, [parker]);
  }

  #answer(request: Received): string {
    const user = userOf(request.header('From')!);
    if (request.method === 'REGISTER') return this.#register(request, user);
    const isOfPhone = uriOf(request.header('From')!).endsWith(`@${this.#options.domain}`);
    if (request.method !== 'INVITE' || !isOfPhone || request.header('Authorization')) return makeResponse(request, 200);
    const challenge = 'WWW-Authenticate: Digest realm="asterisk", nonce="n", algorithm=MD5, qop="auth"';
    return makeResponse(request, 401, { headers: [challenge] });
  }

  #register(request: Received, user: string): string {
    const contact = request.header('Contact')!;
    if (request.header('Expires') === '0') this.#bindings.delete(user);
    else this.#bindings.set(user, uriOf(contact));
    return makeResponse(request, 200, { contact: `${contact};expires=300` });
  }

  #take(call: AgentCall): void {
    void call.over.then(() => this.#left(call));
    const named = call.invite.header('Replaces')?.split(';')[0];
    const attempt = [...this.#attempts].find(({ legs }) => legs.some(({ callId }) => callId === named));
    if (attempt) attempt.pickUp(call, ['Reason: Q.850;cause=0']);
    else void this.#route(call, call.dialled);
  }

  /** The numbering plan. */
  async #route(caller: AgentCall, dialled: string, headers: readonly string[] = []): Promise<void> {
    const number = this.#options.dids[dialled] ?? dialled;
    const forward = this.treatment.forwards.get(number);
    if (forward !== undefined) return this.#forward(caller, forward, number, headers);
    if (number === '600') return this.#queue(caller);
    if (number === '601')
      return this.#dial(
        caller,
        GROUP.filter((user) => user !== caller.number),
        headers,
      );
    if (number === '690') return caller.answer();
    if (number === '701') return this.#fetch(caller);
    if (number.startsWith('*')) return this.#pickUp(caller, number);
    if (!this.#isKnown(number)) return caller.refuse(404, ['Reason: Q.850;cause=1']);
    return this.#dial(caller, [number], headers);
  }

  #isKnown(number: string): boolean {
    return /^(10\d|9\d+|60[01]|690|70[01])$/.test(number);
  }

  async #dial(caller: AgentCall, numbers: readonly string[], headers: readonly string[] = []): Promise<void> {
    const legs = numbers.flatMap((number) => this.#ring(number, caller, headers) ?? []);
    if (legs.length === 0) return caller.refuse(404, ['Reason: Q.850;cause=3']);
    const attempt = new Attempt(caller, legs);
    const outcome = await this.#settle(attempt);
    const forwarded = legs.find(({ final }) => final?.code === 302);
    if (forwarded) return this.#forward(attempt.caller, userOf(forwarded.final!.header('Contact')!), numbers[0]!);
    this.#conclude(attempt.caller, outcome);
  }

  async #settle(attempt: Attempt): Promise<Outcome> {
    this.#attempts.add(attempt);
    return attempt.outcome.finally(() => this.#attempts.delete(attempt));
  }

  #conclude(caller: AgentCall, outcome: Outcome): void {
    if (outcome === 'gone') return;
    const { hasVoicemail, hasBusyTone } = this.treatment;
    if (outcome === 'timeout') return hasVoicemail ? caller.answer() : caller.refuse(603, NORMAL);
    if ('answered' in outcome) return this.#connect(caller, outcome.answered);
    const [code] = [...new Set(outcome.refused)];
    if (hasBusyTone && code === 486) return caller.answer();
    const isBusy = code === 486;
    const told = outcome.refused.length > 1 || code === 603 ? 403 : code!;
    caller.refuse(told, [`Reason: Q.850;cause=${isBusy ? 17 : 21}`]);
  }

  /** A leg to a phone or the trunk, with nothing of the caller's but number and name. */
  #ring(number: string, caller: AgentCall, headers: readonly string[] = []): AgentCall | undefined {
    const isOutside = number.startsWith('9');
    const target = isOutside ? `sip:${number.slice(1)}@${this.#options.trunk()}` : this.#bindings.get(number);
    if (target === undefined) return undefined;
    const { names, dids, ip } = this.#options;
    const { proxy } = this.agent;
    const routes = isOutside ? [`Route: <sip:${proxy.ip}:${proxy.port};lr>`] : [];
    const shown = isOutside
      ? (Object.keys(dids).find((did) => dids[did] === caller.number) ?? caller.number)
      : caller.number;
    const name = names[caller.number] ?? caller.name;
    const leg = this.agent.call(target, { from: `sip:${shown}@${ip}`, name, headers: [...routes, ...headers] });
    leg.number = number;
    void leg.over.then(() => this.#left(leg));
    return leg;
  }

  #forward(caller: AgentCall, to: string, by: string, headers: readonly string[] = []): Promise<void> {
    const diversion = `Diversion: <sip:${by}@${this.#options.ip}>;reason=unknown`;
    caller.ring(181, [`Diversion: <sip:${to}@${this.#options.ip}>;reason=unknown`]);
    return this.#dial(caller, [to], [...headers, diversion]);
  }

  async #queue(caller: AgentCall): Promise<void> {
    caller.answer();
    for (const agent of AGENTS) {
      const leg = this.#ring(agent, caller)!;
      const outcome = await this.#settle(new Attempt(caller, [leg]));
      if (outcome === 'gone') return;
      if (typeof outcome === 'object' && 'answered' in outcome) return this.#connect(caller, outcome.answered);
    }
    caller.hangUp(NORMAL);
  }

  #pickUp(by: AgentCall, code: string): void {
    const isGroup = code === '*8';
    const attempt = [...this.#attempts].find(({ legs }) =>
      legs.some(({ state, number }) => state === 'early' && (isGroup || `**${number}` === code)),
    );
    if (!attempt) return by.refuse(404, ['Reason: Q.850;cause=3']);
    attempt.pickUp(by, isGroup ? NORMAL : ELSEWHERE);
    by.update(attempt.caller.number);
  }

  #fetch(by: AgentCall): void {
    by.answer();
    const { call } = this.#parked!;
    this.#parked = undefined;
    this.#connect(call, by);
  }

  #transfer(call: AgentCall, refer: Received): void {
    const { uri, replaces } = readTarget(refer);
    const number = userOf(uri);
    const isPossible = replaces !== undefined || this.#isKnown(number);
    tell(call, 'SIP/2.0 100 Trying');
    tell(call, isPossible ? 'SIP/2.0 200 OK' : 'SIP/2.0 404 Not Found');
    if (!isPossible) return;
    const stays = this.#part(call);
    if (replaces !== undefined) return this.#merge(stays, this.legOf(replaces.split(';')[0]!));
    if (number === '700') return void (this.#parked = { call: stays, parker: call.number });
    void this.#route(stays, number, [`Referred-By: ${refer.header('Referred-By') ?? refer.header('From')}`]);
  }

  /** Who was consulted is connected, or rings on, for who stays. */
  #merge(stays: AgentCall, consultation: AgentCall): void {
    const target = this.#peers.get(consultation);
    if (target) {
      this.#part(consultation);
      this.#connect(stays, target);
      return consultation.hangUp(NORMAL);
    }
    [...this.#attempts].find(({ caller }) => caller === consultation)!.handOver(stays);
    consultation.refuse(603, NORMAL);
  }

  #connect(one: AgentCall, other: AgentCall): void {
    const wasUp = one.state === 'up' && !this.#peers.has(one);
    one.answer();
    this.#peers.set(one, other).set(other, one);
    if (!wasUp) return;
    one.update(other.number);
    other.update(one.number);
  }

  /** Who was connected with it. */
  #part(call: AgentCall): AgentCall {
    const other = this.#peers.get(call)!;
    this.#peers.delete(call);
    this.#peers.delete(other);
    return other;
  }

  #left(call: AgentCall): void {
    if (this.#peers.has(call)) this.#part(call).hangUp(NORMAL);
  }
}

export const plainTreatment = (): Treatment => ({
  hasVoicemail: false,
  hasBusyTone: false,
  forwards: new Map(),
});

/** Tells who transfers what came of it, before anything did. */
function tell(call: AgentCall, body: string): void {
  const isLast = !body.includes(' 100 ');
  const state = isLast ? 'terminated;reason=noresource' : 'active';
  void call.send('NOTIFY', { headers: ['Event: refer', `Subscription-State: ${state}`], body });
}
