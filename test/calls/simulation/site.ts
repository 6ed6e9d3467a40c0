import type { Address } from '../../../src/sip/observation.ts';
import { Pbx, type Profile } from './pbx.ts';
import { type PbxLeg, TrueCall } from './pbx-leg.ts';
import { type End, Phone } from './phone.ts';
import type { Session } from './session.ts';
import type { World } from './user-agent.ts';

/** A call that a phone placed: its own end, and the PBX's once it is there. */
export interface Placed {
  readonly own: Session;
  readonly leg: Promise<PbxLeg>;
}

const OUTSIDE = 8;
const FIRST = 101;
// Every so many extensions are several devices.
const SHARED = 5;

/** One PBX with its extensions and its trunk. */
export class Site {
  readonly world: World;
  readonly pbx: Pbx;
  readonly trunk: Phone;
  readonly extensions: readonly End[];
  /** Numbers behind the trunk. */
  readonly outside: readonly End[];
  readonly calls: TrueCall[] = [];
  readonly #index: number;

  /** `index` tells sites apart: their addresses, not their numbers, differ. */
  constructor(world: World, index: number, size: number, profile: Profile) {
    const ip = (host: number): string => `10.0.${index}.${host}`;
    this.world = world;
    this.#index = index;
    this.pbx = new Pbx(world, ip(10), profile, this.did('0'));
    this.trunk = new Phone(world, ip(20), 'trunk', true);
    this.extensions = Array.from({ length: size }, (_, i) => {
      const number = String(FIRST + i);
      const phone = new Phone(world, ip(FIRST + i), number, i % SHARED === 0);
      return { number, name: `Phone ${number}`, phone, isExtension: true };
    });
    this.outside = Array.from({ length: OUTSIDE }, (_, i) => {
      const number = `441632960${String(i).padStart(3, '0')}`;
      return { number, name: `Outside ${i}`, phone: this.trunk, isExtension: false };
    });
  }

  get address(): Address {
    return this.pbx.address;
  }

  /** The public number of an extension. */
  did(number: string): string {
    return `1555${123 + this.#index}${number.padStart(4, '0')}`;
  }

  begin(scenario: string): TrueCall {
    const call = new TrueCall(this.#index * 10_000 + this.calls.length, scenario);
    this.calls.push(call);
    return call;
  }

  /** Different extensions; the first few are busy ones, so that their calls overlap. */
  cast(count: number): End[] {
    const { random } = this.world;
    const busy = random.chance(0.6) && count <= 5 ? this.extensions.slice(0, 7) : this.extensions;
    return random.sample(busy, count);
  }

  /** Somebody who calls: mostly an extension, else somebody outside. */
  caller(extension: End): End {
    const { random } = this.world;
    return random.chance(0.3) ? random.pick(this.outside) : extension;
  }

  /** Calls a number; `called` is what that means in the numbering plan. */
  place(call: TrueCall, from: End, dialled: string, called = dialled): Placed {
    const { random, clock } = this.world;
    clock.spawn(from.phone.focus());
    from.phone.dialledAt = clock.now;
    const callId = `${random.hex(12)}@${from.phone.address.ip}`;
    const leg = this.pbx.arrival(callId).then((session) => this.pbx.enter(call, from, called, session));
    return { own: from.phone.call(callId, this.pbx, from, dialled), leg };
  }

  /** Calls somebody: an extension, or outside. */
  placeTo(call: TrueCall, from: End, to: End): Placed {
    if (!to.isExtension) return this.place(call, from, `9${to.number}`, to.number);
    return this.place(call, from, from.isExtension ? to.number : this.did(to.number), to.number);
  }
}

const HAND_MS = 400;

/** Who is at the end of a leg turns to it, as soon as his hands are free, to dial a feature code. */
export async function turnTo(leg: PbxLeg): Promise<void> {
  const { phone, isExtension } = leg.origin.end;
  const { clock } = phone.world;
  if (!isExtension) return;
  for (let own = farEnd(leg)!; own.holds || clock.now - phone.dialledAt < HAND_MS;) {
    await clock.sleep(HAND_MS);
    if (!own.isUp) return;
    await phone.focus(own);
  }
}

/** The other end of a leg: the phone's. */
export const farEnd = ({ origin, session }: PbxLeg): Session | undefined =>
  origin.end.phone.sessions.get(session.callId);
