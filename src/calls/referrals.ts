import { isSameNumber, isTelling, numberKey } from './number-match.ts';
import type { Leg, Referral } from './call.ts';

/** A new leg, as far as it tells whose request it follows. */
export interface Follower {
  readonly site: string;
  readonly caller: string;
  readonly called: string;
  /** Number of who asked for it, from Referred-By; empty if that is not told. RFC 3892. */
  readonly referredBy: string;
  /** It goes outside with a number that nobody here has, to a number that nobody here dialled: its caller is hidden. */
  readonly isHidden: boolean;
}

const MAX_PER_KEY = 16;
const KEPT_MS = 60_000;
// Where nothing names the request, its target has to be called at once; a PBX does so by itself.
const PROMPT_MS = 5000;
const PROMPT_REDIRECT_MS = 1000;

/** Requests to call somebody else that may still be followed. Design §5.2, §5.4. */
export class Referrals {
  readonly #byKey = new Map<string, Referral[]>();
  readonly #outside = new Map<string, Referral>();
  /** In order of time; what is before `#head` was dropped. */
  #queue: { readonly referral: Referral; readonly keys: string[] }[] = [];
  #head = 0;
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#queue.length - this.#head;
  }

  /** Remembers a request; once more for each further place that it was seen to go to. */
  add(referral: Referral, site: string): void {
    if (referral.sites.has(site)) return;
    referral.sites.add(site);
    this.expire(referral.at);
    if (this.size >= this.#max) this.#drop();
    const keys = [`${site}>${numberKey(referral.target)}`];
    if (isTelling(referral.referrer)) keys.push(`${site}<${numberKey(referral.referrer)}`);
    for (const key of keys) this.#put(key, referral);
    if (referral.outsideId !== '') this.#outside.set(referral.outsideId, referral);
    this.#queue.push({ referral, keys });
  }

  /** A 3xx is followed, or what it led to failed: its next contact may be called from now on. RFC 3261 §8.1.3.4. */
  advance(leg: Leg, at: number): void {
    const { redirect } = leg;
    if (!redirect) return;
    const [target, ...others] = redirect.isFollowed ? redirect.others : [redirect.target, ...redirect.others];
    if (target === undefined) return;
    leg.redirect = { ...redirect, target, others, at, isFollowed: false, sites: new Set() };
    for (const site of redirect.sites) this.add(leg.redirect, site);
  }

  /** Puts back one that was known before a restart. */
  restore(referral: Referral): void {
    const sites = [...referral.sites];
    referral.sites.clear();
    for (const site of sites) this.add(referral, site);
  }

  /** A request that came outside of the dialog that it is about, by its Call-ID. */
  findOutside(callId: string): Referral | undefined {
    return this.#outside.get(callId);
  }

  /** The only request that a leg can be the answer to. */
  find({ site, caller, called, referredBy, isHidden }: Follower, at: number): Referral | undefined {
    this.expire(at);
    if (this.size === 0) return undefined;
    if (referredBy !== '') {
      const byReferrer = (this.#byKey.get(`${site}<${numberKey(referredBy)}`) ?? []).filter(isOpen);
      const likely = byReferrer.filter((referral) => isDue(referral, at) || isFor(referral, caller));
      const exact = likely.filter(({ target }) => isSameNumber(target, called));
      return only(exact.length > 0 ? exact : likely.filter((referral) => isFor(referral, caller)));
    }
    const byTarget = this.#byKey.get(`${site}>${numberKey(called)}`) ?? [];
    const prompt = byTarget.filter((referral) => isOpen(referral) && isPrompt(referral, at));
    return only(prompt.filter((referral) => isHidden || isFor(referral, caller)));
  }

  /** Requests so old that nobody will follow are forgotten. */
  expire(now: number): void {
    while (this.size > 0 && now - this.#queue[this.#head]!.referral.at > KEPT_MS) this.#drop();
  }

  clear(): void {
    while (this.size > 0) this.#drop();
  }

  #put(key: string, referral: Referral): void {
    const list = this.#byKey.get(key);
    if (!list) this.#byKey.set(key, [referral]);
    else if (list.length < MAX_PER_KEY) list.push(referral);
  }

  #drop(): void {
    const { referral, keys } = this.#queue[this.#head++]!;
    this.#outside.delete(referral.outsideId);
    if (this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
    for (const key of keys) {
      const left = this.#byKey.get(key)?.filter((other) => other !== referral) ?? [];
      if (left.length > 0) this.#byKey.set(key, left);
      else this.#byKey.delete(key);
    }
  }
}

/** Somebody is there still to be connected with whom is called, or it is not known who that would be. */
function isOpen({ leg, kind, state }: Referral): boolean {
  if (state === 'refused') return false;
  if (kind === 'redirect') return true;
  if (leg.referee) return leg.referee.state !== 'over';
  return leg.call.legs.length === 1 || leg.call.legs.some((other) => other !== leg && other.isUp);
}

/** Nobody followed yet, or it was asked for just now: a PBX calls a whole group. */
const isDue = ({ isFollowed, at: askedAt }: Referral, at: number): boolean => !isFollowed || at - askedAt <= PROMPT_MS;

/** Nobody followed yet, and it was asked for just now. */
const isPrompt = ({ isFollowed, kind, leg, at: askedAt }: Referral, at: number): boolean =>
  !isFollowed && at - askedAt <= (kind === 'redirect' && leg.isFed ? PROMPT_REDIRECT_MS : PROMPT_MS);

/** Who calls is the one who was asked, or who is transferred by a PBX. */
function isFor({ leg, kind, byCaller }: Referral, caller: string): boolean {
  const asked = byCaller && kind === 'refer' ? leg.calledNumber : leg.callerNumber;
  return (
    isSameNumber(asked, caller) ||
    leg.call.legs.some((other) => other !== leg && other.isUp && isSameNumber(other.ownNumber, caller))
  );
}

/** The only one; of several, the only one that nobody followed yet. */
function only(referrals: readonly Referral[]): Referral | undefined {
  if (referrals.length <= 1) return referrals[0];
  const open = referrals.filter(({ isFollowed }) => !isFollowed);
  return open.length === 1 ? open[0] : undefined;
}
