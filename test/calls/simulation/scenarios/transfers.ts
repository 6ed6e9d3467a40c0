import type { PbxLeg, TrueCall } from '../pbx-leg.ts';
import type { End } from '../phone.ts';
import type { Session } from '../session.ts';
import { farEnd, type Site, turnTo } from '../site.ts';
import { answering, anyPlan, connect, converseWithAny, fail, hangUp, silent, talk } from './conversation.ts';

/** A phone asks the PBX to call somebody for the other side; resolves when the PBX agreed. */
export async function refer(
  { pbx, world }: Site,
  asker: PbxLeg,
  other: PbxLeg,
  target: string,
  replaced?: Session,
): Promise<void> {
  const host = pbx.address.ip;
  const query = replaced
    ? `?Replaces=${replaced.name.replaceAll(';', '%3B').replaceAll('=', '%3D').replaceAll('@', '%40')}`
    : '';
  const headers = [`Refer-To: <sip:${target}@${host}${query}>`];
  if (world.random.chance(0.7)) headers.push(`Referred-By: <sip:${asker.number}@${host}>`);
  const phone = farEnd(asker)!;
  world.clock.spawn(phone.request('REFER', [`Contact: <${phone.agent.contact}>`, ...headers]));
  await asker.session.referral.promise;
  if (!replaced) asker.referral = { at: world.clock.now, target, transferred: other.number, isFollowed: false };
  pbx.release(asker);
  world.clock.spawn(notify(asker, phone));
}

/** The PBX tells how it goes, which is not how it went, and the phone hangs up. */
async function notify({ session }: PbxLeg, phone: Session): Promise<void> {
  const { clock, random } = session.agent.world;
  const headers = ['Event: refer', 'Subscription-State: active;expires=60', `Contact: <${session.agent.contact}>`];
  clock.spawn(session.request('NOTIFY', headers, 'SIP/2.0 100 Trying\r\n'));
  await clock.sleep(random.between(15, 400));
  if (session.isUp) clock.spawn(session.request('NOTIFY', headers, 'SIP/2.0 200 OK\r\n'));
  await clock.sleep(random.between(5, 80));
  phone.bye();
}

/** Who is transferred is connected with who answered, or gets rid of. */
async function handOver(site: Site, other: PbxLeg, called: PbxLeg | undefined): Promise<void> {
  if (!called) return site.pbx.hangUp(other, 17);
  site.pbx.bridge(other, called);
  site.pbx.introduce(other, called);
  await talk(site, other, called);
}

/** By REFER, to whoever answers or does not. */
export async function blind(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, to] = site.cast(3) as [End, End, End];
  const pair = await converseWithAny(site, call, a, b);
  if (!pair) return;
  const { asker, other } = pair;
  await refer(site, asker, other, to.number);
  await pbx.think();
  if (world.random.chance(0.15)) world.clock.after(world.random.between(300, 3000), () => farEnd(other)?.bye());
  const referredBy = pbx.profile.copiesReferredBy;
  const headers = referredBy ? [`Referred-By: <sip:${asker.number}@${pbx.address.ip}>`] : [];
  const offer = { to, plan: anyPlan(world.random), hint: referredBy ? 'referred-by' : 'referral', headers } as const;
  await handOver(site, other, await pbx.dial(other, [offer], 7000, asker));
}

/** A second call of the same phone, and a REFER that puts the two together. */
export async function attended(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, to] = site.cast(3) as [End, End, End];
  const pair = await converseWithAny(site, call, a, b);
  if (!pair) return;
  const { asker, other } = pair;
  world.clock.spawn(Promise.resolve(farEnd(asker)?.hold(true)));
  const consultation = site.begin('attended');
  const placed = site.placeTo(consultation, asker.origin.end, to);
  const second = await placed.leg;
  await pbx.think();
  const called = await pbx.dial(second, [{ to, plan: answering(world.random) }], 20_000);
  if (!called) return fail(site, second).then(() => hangUp(asker));
  connect(site, second, called);
  await placed.own.acknowledged.promise;
  await world.clock.sleep(world.random.between(1000, 8000));
  await refer(site, asker, other, to.number, placed.own);
  consultation.join(call, world.clock.now);
  pbx.release(second);
  world.clock.after(world.random.between(1, 30), () => pbx.hangUp(second));
  await world.clock.sleep(world.random.between(1, 30));
  await handOver(site, other, called);
}

/** The same while the second call still rings. */
export async function semiAttended(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, to] = site.cast(3) as [End, End, End];
  const pair = await converseWithAny(site, call, a, b);
  if (!pair) return;
  const { asker, other } = pair;
  const consultation = site.begin('semi-attended');
  const placed = site.placeTo(consultation, asker.origin.end, to);
  const second = await placed.leg;
  await pbx.think();
  const late = { ...answering(world.random), answerAfterMs: world.random.between(6000, 9000) };
  const plan = world.random.chance(0.7) ? late : silent(world.random);
  const leg = pbx.originate(second, second.origin.end, { to, plan });
  second.tried.push([leg]);
  pbx.passRinging(leg, second);
  await world.clock.sleep(world.random.between(1500, 3000));
  if (!placed.own.rung.isSet) return leaveAll(site, asker, second, leg);
  await refer(site, asker, other, to.number, placed.own);
  consultation.join(call, world.clock.now);
  second.isHandedOver = !second.session.final.isSet;
  pbx.refuse(second, 603);
  pbx.introduce(other, leg);
  await waitFor(site, other, leg);
}

/** The transferor heard no ringing, so it can't name the call, and hangs up everywhere. */
async function leaveAll({ pbx }: Site, asker: PbxLeg, second: PbxLeg, leg: PbxLeg): Promise<void> {
  farEnd(second)?.cancel();
  await second.session.over.promise;
  pbx.withdraw(leg, 'caller');
  await hangUp(asker);
}

/** Who is transferred waits for the answer. */
async function waitFor(site: Site, other: PbxLeg, leg: PbxLeg): Promise<void> {
  const called = await site.pbx.firstAnswer([leg], other, 12_000);
  if (!called) site.pbx.withdraw(leg, other.session.over.isSet ? 'caller' : 'timeout');
  await handOver(site, other, called);
}

/** By feature code: nobody sees what is asked for, only the new leg in the name of who asks. */
export async function attendedByCode(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, to] = site.cast(3) as [End, End, End];
  const pair = await converseWithAny(site, call, a, b);
  if (!pair) return;
  const { asker, other } = pair;
  await turnTo(asker);
  if (!asker.isConnected) return;
  const leg = pbx.originate(asker, asker.origin.end, { to, plan: anyPlan(world.random) });
  pbx.release(asker);
  if (world.random.chance(0.3)) return leaveRinging(site, asker, other, leg);
  const called = await pbx.firstAnswer([leg], asker, 9000);
  if (!called) {
    pbx.withdraw(leg, 'timeout');
    pbx.bridge(asker, other);
    return talk(site, asker, other);
  }
  pbx.tell(asker, to);
  await world.clock.sleep(world.random.between(1000, 6000));
  await hangUp(asker);
  await asker.session.over.promise;
  await handOver(site, other, called);
}

/** Who asks hangs up while it rings. */
async function leaveRinging(site: Site, asker: PbxLeg, other: PbxLeg, leg: PbxLeg): Promise<void> {
  const { clock, random } = site.world;
  await clock.sleep(random.between(300, 2500));
  await hangUp(asker);
  await asker.session.over.promise;
  await waitFor(site, other, leg);
}

/** By feature code: the PBX hangs up on who asked and calls in the name of who is transferred. */
export async function blindByCode(site: Site, call: TrueCall): Promise<void> {
  const { pbx, world } = site;
  const [a, b, to] = site.cast(3) as [End, End, End];
  const pair = await converseWithAny(site, call, a, b);
  if (!pair) return;
  const { asker, other } = pair;
  await turnTo(asker);
  if (!asker.isConnected) return;
  if (other.session.isOnHold) return talk(site, asker, other);
  pbx.release(asker);
  world.clock.after(world.random.between(0, 40), () => pbx.hangUp(asker));
  await world.clock.sleep(world.random.between(0, 40));
  await handOver(site, other, await pbx.dial(other, [{ to, plan: anyPlan(world.random) }], 7000));
}
