import { Signal } from './clock.ts';
import { findRivals } from './evidence.ts';
import { type Hint, PbxLeg, type TrueCall, type Withdrawal } from './pbx-leg.ts';
import type { End, Plan } from './phone.ts';
import { Session } from './session.ts';
import type { ServerTransaction } from './transaction.ts';
import { UserAgent, type World } from './user-agent.ts';

/** How a PBX is made and configured. */
export interface Profile {
  /** Asks phones for credentials. */
  readonly challenges: boolean;
  /** Tells phones whom they are connected to. RFC 3325, RFC 4916. */
  readonly tellsIdentity: boolean;
  readonly copiesReferredBy: boolean;
  /** Says why it ends a leg. RFC 3326. */
  readonly tellsReason: boolean;
  /** Makes its legs in the order of those that cause them. */
  readonly keepsOrder: boolean;
}

/** A leg to be made. */
export interface Offer {
  readonly to: End;
  readonly plan: Plan;
  /** The number in the Request-URI, where it is not that of `to`. */
  readonly called?: string;
  readonly hint?: Hint;
  readonly headers?: readonly string[];
  /** The number that is forwarded to it. */
  readonly diverted?: string;
}

const REASONS: { readonly [why in Withdrawal]: readonly string[] } = {
  caller: ['Reason: Q.850;cause=127'],
  timeout: ['Reason: Q.850;cause=0'],
  elsewhere: ['Reason: SIP;cause=200;text="Call completed elsewhere"', 'Reason: Q.850;cause=26'],
};

/** A B2BUA: what its legs have in common is nothing but the numbers. */
export class Pbx extends UserAgent {
  readonly profile: Profile;
  readonly mainNumber: string;
  readonly legs: PbxLeg[] = [];
  readonly #arrivals = new Map<string, Signal<Session>>();
  #lastDue = 0;

  constructor(world: World, ip: string, profile: Profile, mainNumber: string) {
    super(world, ip, true);
    this.profile = profile;
    this.mainNumber = mainNumber;
  }

  get contact(): string {
    return `sip:${this.address.ip}:${this.address.port}`;
  }

  /** The session with a Call-ID, once its INVITE arrived. */
  arrival(callId: string): Promise<Session> {
    const signal = this.#arrivals.get(callId) ?? new Signal<Session>();
    this.#arrivals.set(callId, signal);
    return signal.promise;
  }

  /** A phone's INVITE needs credentials; a trunk's does not. */
  protected admit(server: ServerTransaction): boolean {
    const { headers, from } = server.request;
    const isPhone = from.includes(`@${this.address.ip}>`);
    if (!isPhone || !this.profile.challenges || headers.some((header) => header.startsWith('Authorization:')))
      return true;
    server.respond(401, this.world.random.hex(10), ['WWW-Authenticate: Digest realm="pbx", nonce="1"']);
    return false;
  }

  protected welcome(session: Session): void {
    const signal = this.#arrivals.get(session.callId) ?? new Signal<Session>();
    this.#arrivals.set(session.callId, signal);
    signal.set(session);
  }

  /** Thinks for a while before it makes a leg. */
  think(): Promise<void> {
    const { clock, random } = this.world;
    const due = clock.now + random.between(2, 300);
    this.#lastDue = this.profile.keepsOrder ? Math.max(this.#lastDue + 0.1, due) : due;
    return clock.sleep(this.#lastDue - clock.now);
  }

  /** Takes note of a leg that arrived. */
  enter(call: TrueCall, end: End, called: string, session: Session): PbxLeg {
    return this.#note(
      new PbxLeg({
        ...this.#base(call, session),
        way: 'in',
        end,
        shownCaller: end.number,
        called,
        hint: 'none',
        hidesCaller: false,
      }),
    );
  }

  /** Calls somebody on behalf of a leg; `as` is who is shown as the caller. */
  originate(
    cause: PbxLeg,
    as: End,
    { to, plan, called = to.number, hint = 'none', headers = [], diverted }: Offer,
  ): PbxLeg {
    const { random } = this.world;
    const callId = `${random.hex(8)}-${random.hex(12)}`;
    const hidesCaller = !to.isExtension;
    const shownCaller = hidesCaller ? this.mainNumber : as.number;
    const host = this.address.ip;
    to.phone.expect(callId, plan);
    const local = `"${as.name}" <sip:${shownCaller}@${host}>`;
    const target = `sip:${called}@${to.phone.address.ip}:5060`;
    const identity = this.profile.tellsIdentity ? [`P-Asserted-Identity: ${local}`] : [];
    const diversion = diverted === undefined ? [] : [`Diversion: <sip:${diverted}@${host}>;reason=unconditional`];
    const invite = {
      callId,
      local,
      remote: `<${target}>`,
      peer: to.phone.address,
      target,
      headers: [...identity, ...diversion, ...headers],
    };
    const base = this.#base(cause.origin.call, Session.begin(this, invite));
    const leg = this.#note(
      new PbxLeg({ ...base, way: 'out', end: to, shownCaller, called, cause, hint, hidesCaller, diverted }),
    );
    leg.rivals = findRivals(leg, this.legs, this.world.clock.now);
    cause.fed++;
    if (cause.referral) cause.referral.isFollowed = true;
    return leg;
  }

  /** Calls some at once until one answers; undefined if none does or the caller gives up. */
  async dial(caller: PbxLeg, offers: readonly Offer[], limitMs: number, cause = caller): Promise<PbxLeg | undefined> {
    if (caller.session.over.isSet) return undefined;
    const legs = offers.map((offer) => this.originate(cause, caller.origin.end, offer));
    caller.tried.push(legs);
    for (const leg of legs) this.passRinging(leg, caller);
    const winner = await this.firstAnswer(legs, caller, limitMs);
    const why = winner ? 'elsewhere' : caller.session.over.isSet ? 'caller' : 'timeout';
    for (const leg of legs) if (leg !== winner) this.withdraw(leg, why);
    return winner;
  }

  /** The leg that is answered first; undefined when all failed, the time is up or who waits has left. */
  async firstAnswer(legs: readonly PbxLeg[], waiting: PbxLeg, limitMs: number): Promise<PbxLeg | undefined> {
    const first = new Signal<PbxLeg | undefined>();
    let left = legs.length;
    for (const leg of legs) {
      void leg.session.final.promise.then((code) => {
        if (code < 300) first.set(leg);
        else if (--left === 0) first.set(undefined);
      });
    }
    void waiting.session.over.promise.then(() => first.set(undefined));
    this.world.clock.after(limitMs, () => first.set(undefined));
    return first.promise;
  }

  withdraw(leg: PbxLeg, why: Withdrawal, headers = REASONS[why]): void {
    if (leg.session.final.isSet) return;
    leg.withdrawal = why;
    leg.goneAt = this.world.clock.now;
    if (why !== 'caller') leg.withdrawnAt = this.world.clock.now;
    leg.session.cancel(this.profile.tellsReason ? headers : []);
  }

  /** Two legs talk to each other from now on; when one ends, the other is ended. */
  bridge(a: PbxLeg, b: PbxLeg): void {
    a.peer = a.partner = b;
    b.peer = b.partner = a;
    for (const leg of [a, b]) if (leg.session.over.isSet) this.#hangUpPeer(leg);
  }

  /** Takes a leg out of what it is connected to; returns that. */
  release(leg: PbxLeg): PbxLeg | undefined {
    const { peer } = leg;
    leg.peer = undefined;
    if (peer) peer.peer = undefined;
    return peer;
  }

  hangUp(leg: PbxLeg, cause = 16): void {
    leg.session.bye(this.profile.tellsReason ? [`Reason: Q.850;cause=${cause}`] : []);
  }

  refuse(leg: PbxLeg, status: number, cause = 16): void {
    leg.session.reject(status, this.profile.tellsReason ? [`Reason: Q.850;cause=${cause}`] : []);
  }

  /** Tells a phone whom it is connected to now. */
  tell(leg: PbxLeg, other: End): void {
    const { clock } = this.world;
    const { session } = leg;
    if (this.profile.tellsIdentity && !session.over.isSet && (session.rung.isSet || session.isUp)) {
      clock.spawn(session.request('UPDATE', [`Contact: <${this.contact}>`, ...this.identify(other)]));
    }
  }

  /** Two phones are told of each other. */
  introduce(a: PbxLeg, b: PbxLeg): void {
    this.tell(a, b.origin.end);
    this.tell(b, a.origin.end);
  }

  identify({ name, number }: End): string[] {
    return this.profile.tellsIdentity ? [`P-Asserted-Identity: "${name}" <sip:${number}@${this.address.ip}>`] : [];
  }

  #base(call: TrueCall, session: Session) {
    return { site: this.address.ip, call, session, startedAt: this.world.clock.now };
  }

  #note(leg: PbxLeg): PbxLeg {
    this.legs.push(leg);
    const { clock } = this.world;
    void leg.session.rung.promise.then(() => (leg.rungAt = clock.now));
    void leg.session.final.promise.then((code) => code < 300 && (leg.answeredAt = clock.now));
    void leg.session.over.promise.then(() => {
      leg.endedAt = clock.now;
      leg.goneAt = Math.min(leg.goneAt, clock.now);
      this.#hangUpPeer(leg);
    });
    return leg;
  }

  #hangUpPeer(leg: PbxLeg): void {
    const peer = this.release(leg);
    if (peer) this.world.clock.after(this.world.random.between(1, 20), () => this.hangUp(peer));
  }

  /** Who calls hears that it rings. */
  passRinging(leg: PbxLeg, caller: PbxLeg): void {
    void leg.session.rung.promise.then(() => {
      if (!caller.session.rung.isSet && !leg.session.final.isSet) caller.session.ring(this.identify(leg.origin.end));
    });
  }
}
