import type { TrueCall } from '../pbx-leg.ts';
import type { End, Plan } from '../phone.ts';
import type { Site } from '../site.ts';
import { answering, anyPlan, connect, fail, refusing, silent, talk } from './conversation.ts';

/** How one call from one to another goes. */
interface Course {
  readonly plan: Plan;
  readonly limitMs?: number;
  readonly cancelAfterMs?: number;
}

async function run(site: Site, call: TrueCall, from: End, to: End, course: Course): Promise<void> {
  const { pbx, world } = site;
  const placed = site.placeTo(call, from, to);
  if (course.cancelAfterMs !== undefined) world.clock.after(course.cancelAfterMs, () => placed.own.cancel());
  const caller = await placed.leg;
  await pbx.think();
  const called = await pbx.dial(caller, [{ to, plan: course.plan }], course.limitMs ?? 60_000);
  if (!called) return fail(site, caller);
  connect(site, caller, called);
  await talk(site, caller, called);
}

/** One call, however it goes. */
export async function plain(site: Site, call: TrueCall): Promise<void> {
  const { random } = site.world;
  const [a, b] = site.cast(2) as [End, End];
  const [from, to] = random.weigh<[End, End]>([
    [6, [a, b]],
    [3, [random.pick(site.outside), b]],
    [3, [a, random.pick(site.outside)]],
  ]);
  const course = random.weigh<Course>([
    [6, { plan: answering(random) }],
    [2, { plan: refusing(random) }],
    [2, { plan: silent(random), limitMs: random.between(3000, 15_000) }],
    [2, { plan: silent(random), cancelAfterMs: random.between(20, 9000) }],
    [1, { plan: answering(random), cancelAfterMs: random.between(500, 7000) }],
  ]);
  await run(site, call, from, to, course);
}

/** Two calls at once between the same two numbers, or one each way. */
export async function twins(site: Site, call: TrueCall): Promise<void> {
  const { random, clock } = site.world;
  const [a, b] = site.cast(2) as [End, End];
  const from = site.caller(a);
  clock.spawn(run(site, call, from, b, { plan: anyPlan(random), limitMs: 9000 }));
  await clock.sleep(random.between(0, 400));
  const isCrossing = from === a && random.chance(0.5);
  const [caller, called] = isCrossing ? [b, a] : [from, b];
  await run(site, site.begin('twins'), caller, called, { plan: anyPlan(random), limitMs: 9000 });
}

/** A number under which no phone is registered. */
export async function unregistered(site: Site, call: TrueCall): Promise<void> {
  const [a, b] = site.cast(2) as [End, End];
  const caller = await site.placeTo(call, site.caller(a), b).leg;
  await site.pbx.think();
  caller.isUnregistered = !caller.session.over.isSet;
  site.pbx.refuse(caller, 404, 3);
}

/** The PBX answers itself. */
export async function echoTest(site: Site, call: TrueCall): Promise<void> {
  const [a] = site.cast(1) as [End];
  const caller = await site.place(call, a, '*43').leg;
  await site.pbx.think();
  caller.session.accept();
  await talk(site, caller);
}

/** A number that the PBX forwards; or a phone that does so itself. */
export async function forwarded(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, c] = site.cast(3) as [End, End, End];
  const isByPhone = world.random.chance(0.5);
  const from = site.caller(a);
  const caller = await (isByPhone || from !== a ? site.placeTo(call, from, b) : site.place(call, a, '161')).leg;
  await pbx.think();
  if (isByPhone) await redirect(site, caller, b, c);
  const diverted = caller.origin.called;
  const called = await pbx.dial(caller, [{ to: c, plan: anyPlan(world.random), diverted }], 8000);
  if (!called) return fail(site, caller);
  connect(site, caller, called);
  await talk(site, caller, called);
}

async function redirect(
  { pbx, world }: Site,
  caller: Parameters<Site['pbx']['dial']>[0],
  to: End,
  target: End,
): Promise<void> {
  const plan = { answer: 302, answerAfterMs: world.random.between(5, 1500), redirectTo: target.number };
  await pbx.dial(caller, [{ to, plan }], 20_000);
  await pbx.think();
}
