import type { Test } from 'tap';
import { openAgent, openScene, type Scene } from './scene.ts';
import type { Agent } from './support/pbx/agent.ts';
import type { AgentCall } from './support/pbx/agent-call.ts';
import { Pbx, plainTreatment } from './support/pbx/pbx.ts';
import { soon } from './support/ports.ts';

// A PBX with four phones and a trunk, and Ringside between all of them.

const PHONES = ['101', '102', '103', '104'];
const EXTENSIONS = [
  '{ number: "101", dids: ["15551230001"] }, "102-104"',
  '{ number: "600", kind: queue, dids: ["15551230600"] }, { number: "690", kind: conference }',
].join(', ');
const TENANT = 'trunks: [127.0.0.20]\n    dialPrefixes: ["9"]\n    pickupCodes: ["**", "*8"]';
const DOMAIN = 'acme.example.com';

/** What is done, and what is told: a line for each party (`scene.ts`). */
export type Act = readonly [title: string, act: (stage: PbxStage) => Promise<unknown>, told: readonly string[]];

export class PbxStage {
  readonly scene: Scene;
  readonly pbx: Pbx;
  readonly trunk: Agent;

  constructor(scene: Scene, pbx: Pbx, trunk: Agent) {
    this.scene = scene;
    this.pbx = pbx;
    this.trunk = trunk;
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

  /** The same to whom it talks to, or who rings, in another call. */
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

async function openPbxStage(t: Test): Promise<PbxStage> {
  const trunk = await openAgent(t, '14155550100', '127.0.0.20', '127.0.0.20');
  const pbx = new Pbx({
    ip: '127.0.0.10',
    domain: DOMAIN,
    trunk: () => trunk.at,
    dids: { '15551230001': '101', '15551230600': '600', '15551230601': '601' },
    names: { '101': 'Alice A', '102': 'Bob B', '103': 'Carol C', '104': 'Dave D' },
  });
  await pbx.agent.open();
  t.teardown(() => pbx.agent.close());
  const sip = `upstream: "sip:${pbx.agent.at}"`;
  const scene = await openScene(t, PHONES, { sip, tenant: TENANT, extensions: EXTENSIONS });
  pbx.agent.proxy = trunk.proxy = scene.product.udp;
  scene.add(trunk);
  for (const number of PHONES) await scene.phone(number).register();
  return new PbxStage(scene, pbx, trunk);
}

/** One after the other on one stage: what an act leaves behind must not change the next. */
export async function play(t: Test, acts: readonly Act[]): Promise<void> {
  const stage = await openPbxStage(t);
  for (const [title, act, told] of acts) {
    await t.test(title, async (t) => {
      stage.pbx.treatment = plainTreatment();
      await stage.scene.begin();
      await act(stage);
      t.strictSame(await stage.scene.told(told), told);
    });
  }
}
