import type { PbxLeg, TrueCall } from '../pbx-leg.ts';
import type { End, Plan } from '../phone.ts';
import type { Random } from '../random.ts';
import { farEnd, type Site } from '../site.ts';

/** A caller and who answered. */
export interface Pair {
  readonly call: TrueCall;
  readonly caller: PbxLeg;
  readonly called: PbxLeg;
}

/** A phone that is answered after a while. */
export const answering = (random: Random): Plan => ({
  ringAfterMs: random.between(5, 400),
  answer: 200,
  answerAfterMs: random.between(600, 6000),
});

/** A phone that nobody answers. */
export const silent = (random: Random): Plan => ({ ringAfterMs: random.between(5, 400) });

/** A phone that refuses the call. */
export const refusing = (random: Random): Plan => ({
  ...(random.chance(0.6) ? silent(random) : {}),
  answer: random.pick([486, 603, 480]),
  answerAfterMs: random.between(20, 3000),
});

/** Any of these. */
export const anyPlan = (random: Random): Plan =>
  random.weigh([
    [6, answering(random)],
    [2, silent(random)],
    [2, refusing(random)],
  ]);

/** The PBX connects a caller with who answered. */
export function connect({ pbx }: Site, caller: PbxLeg, called: PbxLeg): void {
  if (caller.session.final.isSet) pbx.tell(caller, called.origin.end);
  caller.session.accept(pbx.identify(called.origin.end));
  pbx.bridge(caller, called);
}

/** The PBX tells a caller that nobody was reached, or takes a message. */
export async function fail({ pbx, world }: Site, caller: PbxLeg): Promise<void> {
  if (caller.session.over.isSet) return;
  if (caller.session.isUp) return pbx.hangUp(caller);
  if (world.random.chance(0.2)) return takeMessage(pbx, caller, world.random.between(500, 8000));
  const codes = (caller.tried.at(-1) ?? []).map(({ session }) => session.final.value ?? 0);
  if (codes.includes(0) || codes.includes(487)) return pbx.refuse(caller, world.random.pick([603, 480]));
  if (codes.includes(603)) return pbx.refuse(caller, 403, 21);
  pbx.refuse(caller, codes[0] ?? 603, codes[0] === 486 ? 17 : 19);
}

async function takeMessage(pbx: Site['pbx'], caller: PbxLeg, lengthMs: number): Promise<void> {
  caller.session.accept();
  await pbx.world.clock.sleep(lengthMs);
  pbx.hangUp(caller);
}

/** They talk, perhaps hold each other for a while, and one hangs up. */
export async function talk({ world: { clock, random } }: Site, ...legs: readonly PbxLeg[]): Promise<void> {
  await clock.sleep(random.between(300, 12_000));
  if (random.chance(0.2)) {
    const holder = farEnd(random.pick(legs));
    clock.spawn(Promise.resolve(holder?.hold(true)));
    await clock.sleep(random.between(1500, 5000));
    clock.spawn(Promise.resolve(holder?.hold(false)));
    await clock.sleep(random.between(1500, 5000));
  }
  await hangUp(random.pick(legs));
}

/** Whoever is at the end of a leg hangs up, once it knows that it is connected. */
export async function hangUp(leg: PbxLeg): Promise<void> {
  const phone = farEnd(leg)!;
  await phone.final.promise;
  phone.bye();
}

/** A call that is answered and goes on. */
export async function converse(site: Site, call: TrueCall, from: End, to: End): Promise<Pair | undefined> {
  const { pbx, world } = site;
  const caller = await site.placeTo(call, from, to).leg;
  await pbx.think();
  const called = await pbx.dial(caller, [{ to, plan: answering(world.random) }], 60_000);
  if (!called) return void (await fail(site, caller));
  connect(site, caller, called);
  await farEnd(caller)!.acknowledged.promise;
  await world.clock.sleep(world.random.between(1000, 6000));
  return { call, caller, called };
}

/** Two that talk, one of them outside now and then; the extension that will do something is told first. */
export async function converseWithAny(
  site: Site,
  call: TrueCall,
  actor: End,
  other: End,
): Promise<{ readonly asker: PbxLeg; readonly other: PbxLeg } | undefined> {
  const { random } = site.world;
  const isByCaller = random.chance(0.4);
  const far = site.caller(other);
  const pair = isByCaller ? await converse(site, call, actor, far) : await converse(site, call, far, actor);
  if (!pair || !pair.caller.isConnected) return undefined;
  return isByCaller ? { asker: pair.caller, other: pair.called } : { asker: pair.called, other: pair.caller };
}
