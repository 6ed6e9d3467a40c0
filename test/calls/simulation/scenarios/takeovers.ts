import type { PbxLeg, TrueCall } from '../pbx-leg.ts';
import type { End } from '../phone.ts';
import type { Site } from '../site.ts';
import { anyPlan, connect, converseWithAny, fail, silent, talk } from './conversation.ts';
import { refer } from './transfers.ts';

const GROUP_REASON = ['Reason: Q.850;cause=16'];

/** Another phone takes a ringing call: of one number, or any of the group. */
export async function pickup(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, c] = site.cast(3) as [End, End, End];
  const caller = await site.placeTo(call, site.caller(a), b).leg;
  await pbx.think();
  if (caller.session.over.isSet) return;
  const ringing = pbx.originate(caller, caller.origin.end, { to: b, plan: silent(world.random) });
  caller.tried.push([ringing]);
  pbx.passRinging(ringing, caller);
  await world.clock.sleep(world.random.between(1500, 6000));
  const number = world.random.chance(0.6) ? b.number : '';
  const taker = await site.place(call, c, number === '' ? '*8' : `**${number}`).leg;
  await world.clock.sleep(world.random.between(1, 20));
  await take(site, taker, ringing, caller, number);
}

async function take(site: Site, taker: PbxLeg, ringing: PbxLeg, caller: PbxLeg, number: string): Promise<void> {
  taker.pickup = { number, at: site.world.clock.now };
  taker.session.accept(site.pbx.identify(caller.origin.end));
  site.pbx.tell(taker, caller.origin.end);
  site.pbx.withdraw(ringing, 'elsewhere', number === '' ? GROUP_REASON : undefined);
  connect(site, caller, taker);
  await talk(site, caller, taker);
}

/** A call is parked; somebody fetches it, or whoever parked it is called after a while. */
export async function park(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, c] = site.cast(3) as [End, End, End];
  const pair = await converseWithAny(site, call, a, b);
  if (!pair) return;
  const { asker, other } = pair;
  await refer(site, asker, other, '700');
  await world.clock.sleep(world.random.between(3000, 12_000));
  if (world.random.chance(0.5)) return fetch(site, other, c);
  const referredBy = pbx.profile.copiesReferredBy;
  const headers = referredBy ? [`Referred-By: <sip:${asker.number}@${pbx.address.ip}>`] : [];
  const offer = {
    to: asker.origin.end,
    plan: anyPlan(world.random),
    hint: referredBy ? 'referred-by' : 'none',
    headers,
  } as const;
  const called = await pbx.dial(other, [offer], 8000);
  if (!called) return fail(site, other);
  connect(site, other, called);
  await talk(site, other, called);
}

/** The slot is dialled; without connected identities nothing tells whom it held. */
async function fetch(site: Site, parked: PbxLeg, by: End): Promise<void> {
  const { pbx, world } = site;
  const own = site.begin('park');
  const taker = await site.place(own, by, '701').leg;
  await pbx.think();
  if (parked.session.over.isSet) return pbx.refuse(taker, 404);
  own.join(parked.origin.call, world.clock.now);
  if (!pbx.profile.tellsIdentity) taker.evidence = 'obscure';
  taker.session.accept(pbx.identify(parked.origin.end));
  pbx.bridge(taker, parked);
  pbx.introduce(taker, parked);
  await talk(site, taker, parked);
}
