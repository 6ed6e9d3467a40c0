import type { Test } from 'tap';
import { DOMAIN, play, PhoneStage, type Act } from './phone-stage.ts';
import { openAgent, openScene, type Scene } from './scene.ts';
import type { Agent } from './support/pbx/agent.ts';
import { Pbx, plainTreatment } from './support/pbx/pbx.ts';

// A PBX with four phones and a trunk, and Ringside between all of them.

const PHONES = ['101', '102', '103', '104'];
const EXTENSIONS = [
  '{ number: "101", dids: ["15551230001"] }, "102-104"',
  '{ number: "600", kind: queue, dids: ["15551230600"] }, { number: "690", kind: conference }',
].join(', ');
const TENANT = 'trunks: [127.0.0.20]\n    dialPrefixes: ["9"]\n    pickupCodes: ["**", "*8"]';

export type PbxAct = Act<PbxStage>;

class PbxStage extends PhoneStage {
  readonly pbx: Pbx;
  readonly trunk: Agent;

  constructor(scene: Scene, pbx: Pbx, trunk: Agent) {
    super(scene);
    this.pbx = pbx;
    this.trunk = trunk;
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

export async function playWithPbx(t: Test, acts: readonly PbxAct[]): Promise<void> {
  const stage = await openPbxStage(t);
  await play(t, stage, acts, () => (stage.pbx.treatment = plainTreatment()));
}
