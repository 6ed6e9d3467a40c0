import { Session } from './session.ts';
import { UserAgent, type World } from './user-agent.ts';

/** What a phone does with a call. */
export interface Plan {
  /** Not at all, where it is missing. */
  readonly ringAfterMs?: number;
  /** What it answers after that, and when; 302 to `redirectTo`. Never, where it is missing. */
  readonly answer?: number;
  readonly answerAfterMs?: number;
  readonly redirectTo?: string;
}

/** Someone at the end of a leg: an extension's phone, or a number behind the trunk. */
export interface End {
  readonly number: string;
  readonly name: string;
  readonly phone: Phone;
  readonly isExtension: boolean;
}

/** A phone, or a trunk with all that is behind it. */
export class Phone extends UserAgent {
  readonly #user: string;
  readonly #isShared: boolean;
  /** When a call was placed last. */
  dialledAt = -Infinity;
  readonly #plans = new Map<string, Plan>();

  /** `isShared`: several devices under one number; who is at one knows nothing of the others. */
  constructor(world: World, ip: string, user: string, isShared: boolean) {
    super(world, ip);
    this.#user = user;
    this.#isShared = isShared;
  }

  get contact(): string {
    return `sip:${this.#user}@${this.address.ip}:${this.address.port}`;
  }

  /** Calls a number at a PBX. */
  call(callId: string, pbx: UserAgent, caller: End, dialled: string): Session {
    const host = pbx.address.ip;
    const target = `sip:${dialled}@${host}`;
    const local = `"${caller.name}" <sip:${caller.number}@${caller.isExtension ? host : this.address.ip}>`;
    const credentials = `Authorization: Digest username="${caller.number}", realm="pbx", nonce="1", uri="${target}", response="0"`;
    return Session.begin(this, { callId, local, remote: `<${target}>`, peer: pbx.address, target, credentials });
  }

  /** Whoever is at the phone turns to a call, or to none: the others are put on hold. Resolves when the phone has got it back. */
  async focus(session?: Session): Promise<void> {
    if (this.#isShared) return;
    for (const other of this.sessions.values()) {
      if (other !== session && other.isUp && other.acknowledged.isSet) this.world.clock.spawn(other.hold(true));
    }
    await session?.hold(false);
  }

  /** Sets what to do with a call that is to come. */
  expect(callId: string, plan: Plan): void {
    this.#plans.set(callId, plan);
  }

  protected admit(): boolean {
    return true;
  }

  protected welcome(session: Session): void {
    const plan = this.#plans.get(session.callId);
    if (plan) this.world.clock.spawn(this.#follow(session, plan));
  }

  async #follow(session: Session, plan: Plan): Promise<void> {
    const { clock } = this.world;
    if (plan.ringAfterMs !== undefined) {
      await clock.sleep(plan.ringAfterMs);
      session.ring();
    }
    if (plan.answer === undefined) return;
    await clock.sleep(plan.answerAfterMs ?? 0);
    if (plan.answer < 300) {
      this.world.clock.spawn(this.focus());
      return session.accept();
    }
    session.reject(plan.answer, plan.redirectTo ? [`Contact: <sip:${plan.redirectTo}@${session.peer.ip}>`] : []);
  }
}
