import type { Test } from 'tap';
import type { Scene } from './scene.ts';
import type { Agent } from './support/pbx/agent.ts';
import type { AgentCall } from './support/pbx/agent-call.ts';
import { soon } from './support/ports.ts';

export const DOMAIN = 'acme.example.com';

/** What is done, and what is told: a line for each party (`scene.ts`). */
export type Act<Stage> = readonly [title: string, act: (stage: Stage) => Promise<unknown>, told: readonly string[]];

/** Phones that call each other, with whatever is between them. */
export class PhoneStage {
  readonly scene: Scene;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  phone(number: string): Agent {
    return this.scene.phone(number);
  }

  dial(from: string, number: string, headers: readonly string[] = []): AgentCall {
    return this.phone(from).call(number, { headers });
  }

  /** The phone's next call; it rings. */
  async rings(number: string): Promise<AgentCall> {
    const call = await this.phone(number).rings();
    call.ring();
    return call;
  }

  /** The phone's next call, answered. */
  async answers(number: string): Promise<AgentCall> {
    const call = await this.rings(number);
    call.answer();
    return call;
  }

  /** One phone calls another, which answers. */
  async talk(from: string, to: string): Promise<[caller: AgentCall, called: AgentCall]> {
    const call = this.dial(from, to);
    const answered = await this.answers(to);
    await this.up(call);
    return [call, answered];
  }

  /** One phone calls another, which rings. */
  async ring(from: string, to: string): Promise<[caller: AgentCall, called: AgentCall]> {
    const call = this.dial(from, to);
    const called = await this.rings(to);
    await soon(call.rung, `${from} hears ${to} ring`);
    return [call, called];
  }

  /** A phone asks for a transfer, and leaves. */
  async transfer(call: AgentCall, number: string, headers: readonly string[] = []): Promise<void> {
    await call.refer(`sip:${number}@${DOMAIN}`, headers);
    call.hangUp();
  }

  /** The same to whom it talks to, or who rings, in another call; that ends. */
  async attend(call: AgentCall, number: string, consultation: AgentCall): Promise<void> {
    await call.refer(`sip:${number}@${DOMAIN}?Replaces=${encodeURIComponent(consultation.replaces)}`);
    call.hangUp();
    await this.over(consultation);
  }

  async up(call: AgentCall): Promise<void> {
    await soon(call.answered, `the call of ${call.dialled} is answered`);
  }

  async over(...calls: AgentCall[]): Promise<void> {
    for (const call of calls) await soon(call.over, `the call of ${call.dialled} is over`);
  }

  /** One of two ends hangs up. */
  async end(call: AgentCall, other: AgentCall): Promise<void> {
    await this.up(call);
    call.hangUp();
    await this.over(other);
  }
}

/** One after the other on one stage: what an act leaves behind must not change the next. */
export async function play<Stage extends PhoneStage>(
  t: Test,
  stage: Stage,
  acts: readonly Act<Stage>[],
  prepare: () => void = () => {},
): Promise<void> {
  for (const [title, act, told] of acts) {
    await t.test(title, async (t) => {
      prepare();
      await stage.scene.begin();
      await act(stage);
      t.strictSame(await stage.scene.told(told), told);
    });
  }
}
