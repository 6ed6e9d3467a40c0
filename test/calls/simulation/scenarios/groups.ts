import type { PbxLeg, TrueCall } from '../pbx-leg.ts';
import type { End } from '../phone.ts';
import type { Site } from '../site.ts';
import { anyPlan, connect, fail, talk } from './conversation.ts';

/** A number of the PBX is called, by somebody who may give up. */
async function enter(site: Site, call: TrueCall, from: End, dialled: string): Promise<PbxLeg> {
  const { clock, random } = site.world;
  const placed = site.place(call, from, dialled);
  if (random.chance(0.15)) clock.after(random.between(300, 9000), () => placed.own.cancel());
  const caller = await placed.leg;
  await site.pbx.think();
  return caller;
}

async function finish(site: Site, caller: PbxLeg, called: PbxLeg | undefined): Promise<void> {
  if (!called) return fail(site, caller);
  connect(site, caller, called);
  await talk(site, caller, called);
}

/** Several phones ring at once. */
export async function ringGroup(site: Site, call: TrueCall): Promise<void> {
  const { random } = site.world;
  const [a, ...members] = site.cast(4) as [End, ...End[]];
  const caller = await enter(site, call, site.caller(a), '600');
  const offers = members.map((to) => ({ to, plan: anyPlan(random) }));
  await finish(site, caller, await site.pbx.dial(caller, offers, random.between(4000, 12_000)));
}

/** Several phones ring one after the other. */
export async function hunt(site: Site, call: TrueCall): Promise<void> {
  const [a, ...members] = site.cast(4) as [End, ...End[]];
  const caller = await enter(site, call, site.caller(a), '610');
  await finish(site, caller, await tryEach(site, caller, members));
}

/** The PBX answers, then looks for somebody to talk to; who waits may leave. */
export async function queue(site: Site, call: TrueCall): Promise<void> {
  const { clock, random } = site.world;
  const [a, ...agents] = site.cast(4) as [End, ...End[]];
  const placed = site.place(call, site.caller(a), '500');
  const caller = await placed.leg;
  await site.pbx.think();
  caller.session.accept();
  if (random.chance(0.25)) clock.after(random.between(300, 12_000), () => placed.own.bye());
  await clock.sleep(random.between(100, 3000));
  await finish(site, caller, await tryEach(site, caller, agents));
}

async function tryEach({ pbx, world }: Site, caller: PbxLeg, members: readonly End[]): Promise<PbxLeg | undefined> {
  for (const to of members) {
    const called = await pbx.dial(caller, [{ to, plan: anyPlan(world.random) }], world.random.between(2500, 8000));
    if (called) return called;
    await pbx.think();
  }
  return undefined;
}
