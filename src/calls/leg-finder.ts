import { type Address, isSameAddress } from '../sip/observation.ts';
import type { JoinMethod } from './join.ts';
import type { Anchor, AnchorChain, AnchorList, Doubt, Hop, Leg } from './call.ts';
import { onlyCall } from './leg-facts.ts';
import { isSameNumber, isTelling, numberKey } from './number-match.ts';

/** A key that a leg can be found by, and where it went. */
export interface Place {
  readonly key: string;
  readonly destination: Address;
}

/** What a leg shares with the one that caused it, when a PBX passes on nothing else. */
export interface Numbers {
  /** The caller's number as shown, without `+`. */
  readonly caller: string;
  /** Another number that stands for the caller, which a PBX may show instead; else empty. */
  readonly claimed: string;
  /** The extension or number that is called, after translation. */
  readonly called: string;
  readonly isCallerExtension: boolean;
  readonly isCalledExtension: boolean;
}

/**
 * A leg that went into a site is found by its caller and called number, one that came out of it by its called number; one
 * that came out of it for nobody, by whom it shows, too.
 */
type Way = '<' | '>' | '=' | '~';

/** A leg that was found, and by what; or why none of several is taken. */
export type Found = { readonly leg: Leg; readonly method: JoinMethod } | Doubt | undefined;

// Stands for the number of a caller who hides it.
const HIDDEN = 'anonymous';
// More than these with one number at one site can't be told apart anyway.
const MAX_SEEN = 64;
// How long after an INVITE a PBX takes at most to send its own, where only the called number tells.
const FRESH_MS = 5000;
const PROMPT_MS = 1000;
// A PBX makes the legs of a ring group within this time.
const AT_ONCE_MS = 500;
// It calls all devices of one extension within this time.
const SAME_MS = 100;
const MIN_SUFFIX = 3;
const MAX_RECENT = 32;

/**
 * The legs at each site (a PBX, or any address), by the numbers at their ends: a PBX makes a new leg with nothing in it
 * that tells of the one it is for. Design §5.5.
 */
export class LegFinder {
  readonly #chains = new Map<string, AnchorChain>();
  /** By site, the last legs into it. */
  readonly #recent = new Map<string, Leg[]>();

  /** Remembers a leg by where one of its hops went; call `remove` when it is over. */
  addInto(leg: Leg, site: string, destination: Address, { caller, claimed, called }: Numbers): void {
    this.#add(leg, destination, keyOf(site, '<', isTelling(caller) ? caller : HIDDEN));
    if (isTelling(claimed)) this.#add(leg, destination, keyOf(site, '<', claimed));
    if (isTelling(called)) this.#add(leg, destination, keyOf(site, '>', called));
  }

  /** Remembers a leg whose number may end with that of an extension, and that may be for somebody whom nobody dialled. */
  addRecent(leg: Leg, site: string): void {
    const recent = this.#recent.get(site);
    if (!recent) this.#recent.set(site, [leg]);
    else if (!recent.includes(leg)) {
      if (recent.length === MAX_RECENT) recent.shift();
      recent.push(leg);
    }
  }

  /** Remembers a leg that a PBX sent to a phone. */
  addOutOf(leg: Leg, site: string, destination: Address, { caller, called, isCalledExtension }: Numbers): void {
    if (isTelling(called)) this.#add(leg, destination, keyOf(site, '=', called));
    if (!leg.join && isCalledExtension && isTelling(caller)) this.#add(leg, destination, keyOf(site, '~', caller));
  }

  /** Puts back a leg as it was known before a restart. */
  restore(leg: Leg, anchors: readonly Place[]): void {
    for (const { key, destination } of anchors) this.#add(leg, destination, key);
  }

  remove(leg: Leg): void {
    for (let anchor = leg.anchor; anchor; anchor = anchor.nextOfLeg) {
      unlist(anchor);
      const { key, idle, fed } = anchor.chain;
      if (!idle.first && !fed.first) this.#chains.delete(key);
    }
    leg.anchor = undefined;
  }

  /** A leg was made for this one: others of its numbers go before it from now on. */
  markFed(leg: Leg): void {
    if (leg.feeds++ > 0) return;
    for (let anchor = leg.anchor; anchor; anchor = anchor.nextOfLeg) {
      unlist(anchor);
      list(anchor, anchor.chain.fed);
    }
  }

  /** Legs up at a site whose own number this is: callers into it, and phones that it called. */
  findOwn(site: string, number: string): Leg[] {
    if (!isTelling(number)) return [];
    const isOwn = (leg: Leg): boolean => isSameNumber(leg.callerNumber, number);
    const isCalled = (leg: Leg): boolean => isSameNumber(leg.calledNumber, number);
    return [...this.#collect(keyOf(site, '<', number), isOwn), ...this.#collect(keyOf(site, '=', number), isCalled)];
  }

  /** Legs into a site that are meant for a number, or came a moment ago for a longer one that ends with it. */
  findDialled(site: string, number: string, at: number): Leg[] {
    if (!isTelling(number)) return [];
    const legs = this.#collect(keyOf(site, '>', number), (leg) => isSameNumber(leg.calledNumber, number));
    if (legs.length > 0 || number.length < MIN_SUFFIX) return legs;
    const recent = this.#recent
      .get(site)
      ?.filter(({ phase, startedAt }) => phase !== 'ended' && at - startedAt < FRESH_MS);
    return recent?.filter(({ calledNumber }) => calledNumber.endsWith(number)) ?? [];
  }

  /**
   * The leg that caused the one with this first hop: by both numbers, else by the caller's, else (the PBX shows a number of
   * its own as the caller) by the called, else (a phone is shown no caller) one without a caller's number, too. Of several, none.
   */
  find(hop: Hop, site: string, numbers: Numbers, at: number): Found {
    const found = this.#findCaller(hop, site, numbers.caller, numbers, at);
    if (found) return found;
    const claimed = this.#findCaller(hop, site, numbers.claimed, numbers, at);
    if (claimed) return claimed;
    const byCalled = this.#candidates(site, '>', numbers.called, hop);
    const hidden = byCalled.filter((leg) => hasHiddenCaller(leg, numbers) && at - leg.startedAt < FRESH_MS);
    const idle = hidden.filter(({ feeds }) => feeds === 0);
    if (idle.length > 0) return chooseOnly(idle, 'called-number');
    const again = hidden.filter((leg) => isAlone(leg) && !isCalling(leg, numbers.called, at));
    return (
      this.#findHidden(hop, site, numbers, at) ??
      chooseOnly(again, 'called-number') ??
      chooseOnly(this.#findCalledBack(hop, site, numbers, at), 'click-to-dial')
    );
  }

  /** Phones that the PBX called for nobody, shown the number that it calls now that they answered. */
  #findCalledBack(hop: Hop, site: string, { called }: Numbers, at: number): Leg[] {
    if (!isTelling(called)) return [];
    const fits = ({ isUp, join, candidates, answeredAt, callerNumber }: Leg): boolean =>
      isUp && !join && candidates.length === 0 && at - answeredAt <= PROMPT_MS && isSameNumber(callerNumber, called);
    const isPossible = (anchor: Anchor): boolean => mayCause(anchor, hop, called);
    return this.#collect(keyOf(site, '~', called), (leg) => fits(leg) && isAlone(leg), isPossible);
  }

  /** The last callers that seek somebody: one of them may have caused the leg with this first hop, which tells of none. */
  findSeekingLately(hop: Hop, site: string): Leg[] {
    const legs = this.#recent.get(site) ?? [];
    return legs.filter(
      (leg) =>
        (leg.phase === 'pending' || leg.phase === 'held' || leg.isUp) &&
        isAlone(leg) &&
        leg.anchor !== undefined &&
        mayCause(leg.anchor, hop),
    );
  }

  #findCaller(hop: Hop, site: string, caller: string, numbers: Numbers, at: number): Found {
    const callers = this.#candidates(site, '<', caller, hop);
    const phones = this.#candidates(site, '=', caller, hop, numbers.called).filter(({ isUp }) => isUp);
    return chooseCaller(callers, phones, numbers, at);
  }

  #findHidden(hop: Hop, site: string, numbers: Numbers, at: number): Found {
    if (isTelling(numbers.caller) || !numbers.isCalledExtension) return undefined;
    const isHidden = (leg: Leg): boolean => leg.phase !== 'challenged' && !isTelling(leg.callerNumber);
    const callers = this.#collect(keyOf(site, '<', HIDDEN), isHidden, (anchor) => mayCause(anchor, hop));
    const found = chooseCaller(callers, [], numbers, at);
    const rivals = this.findDialled(site, numbers.called, at).filter(
      (leg) => !callers.includes(leg) && leg.feeds === 0 && isFresh(leg, at) && isAlone(leg),
    ); // who dialled a code first may hide, too
    return found && 'leg' in found && rivals.length > 0 ? chooseOnly([found.leg, ...rivals], found.method) : found;
  }

  /** Callers that seek somebody, and may have caused the leg with this first hop. */
  findSeeking(hop: Hop, site: string, { caller }: Numbers, at: number): Leg[] {
    const callers = this.#candidates(site, '<', caller, hop);
    return callers.filter((leg) => isAlone(leg) && !isServed(leg, at));
  }

  #candidates(site: string, way: Way, number: string, hop: Hop, called = ''): Leg[] {
    if (!isTelling(number)) return [];
    const fits = (leg: Leg): boolean =>
      leg.phase !== 'challenged' && (way === '<' ? isCallerOf(leg, number) : isSameNumber(leg.calledNumber, number));
    return this.#collect(keyOf(site, way, number), fits, (anchor) => mayCause(anchor, hop, called));
  }

  /** Those that caused no leg yet before those that did. */
  #collect(key: string, fits: (leg: Leg) => boolean, isPossible?: (anchor: Anchor) => boolean): Leg[] {
    const legs: Leg[] = [];
    const chain = this.#chains.get(key);
    if (!chain) return legs;
    for (const { first } of [chain.idle, chain.fed]) {
      let anchor = first;
      for (let seen = 0; anchor && seen < MAX_SEEN; seen++, anchor = anchor.next) {
        const { leg } = anchor;
        if (fits(leg) && (!isPossible || isPossible(anchor)) && !legs.includes(leg)) legs.push(leg);
      }
    }
    return legs;
  }

  #add(leg: Leg, destination: Address, key: string): void {
    for (let known = leg.anchor; known; known = known.nextOfLeg) if (known.chain.key === key) return;
    const chain = this.#chainOf(key);
    const into = leg.feeds > 0 ? chain.fed : chain.idle;
    leg.anchor = { leg, destination, chain, list: into, previous: undefined, next: undefined, nextOfLeg: leg.anchor };
    list(leg.anchor, into);
  }

  #chainOf(key: string): AnchorChain {
    let chain = this.#chains.get(key);
    if (!chain) {
      chain = { key, idle: { first: undefined, last: undefined }, fed: { first: undefined, last: undefined } };
      this.#chains.set(key, chain);
    }
    return chain;
  }
}

function list(anchor: Anchor, into: AnchorList): void {
  anchor.list = into;
  anchor.previous = into.last;
  anchor.next = undefined;
  if (into.last) into.last.next = anchor;
  else into.first = anchor;
  into.last = anchor;
}

function unlist({ list, previous, next }: Anchor): void {
  if (previous) previous.next = next;
  else list.first = next;
  if (next) next.previous = previous;
  else list.last = previous;
}

/** Whether a hop of the leg went into a site. */
export function goesInto(leg: Leg, site: string): boolean {
  for (let anchor = leg.anchor; anchor; anchor = anchor.nextOfLeg) {
    if (anchor.chain.key.startsWith(`${site}<`) || anchor.chain.key.startsWith(`${site}>`)) return true;
  }
  return false;
}

const isCallerOf = ({ callerNumber, claimedNumber }: Leg, number: string): boolean =>
  isSameNumber(callerNumber, number) || isSameNumber(claimedNumber, number);

const keyOf = (site: string, way: Way, number: string): string => `${site}${way}${numberKey(number)}`;

/**
 * Two legs from the same sender, or to the same receiver, are two calls: a PBX stands between the legs of one. A proxy takes
 * what a PBX sends to all its phones: there, another called number is another receiver.
 */
export function mayCause({ leg, destination }: Pick<Anchor, 'leg' | 'destination'>, hop: Hop, called = ''): boolean {
  if (!leg.isFed && isSameAddress(leg.source, hop.source)) return false;
  return !isSameAddress(destination, hop.destination) || (isTelling(called) && !isSameNumber(leg.calledNumber, called));
}

/** The called side is shown no caller, or the number that was dialled, or (an extension calls out) that of the company. */
function hasHiddenCaller(leg: Leg, { caller, isCallerExtension, isCalledExtension }: Numbers): boolean {
  if (!isTelling(caller) || isSameNumber(leg.calledNumber, caller)) return true;
  return !isTelling(leg.callerNumber) || (leg.caller !== undefined && !isCallerExtension && !isCalledExtension);
}

/** The number is being called for it, and not just now: other devices of an extension are called at once. */
const isCalling = (leg: Leg, number: string, at: number): boolean =>
  leg.call.legs.some(
    ({ feeder, phase, startedAt, calledNumber, transactions }) =>
      feeder === leg &&
      (phase === 'pending' || phase === 'held') &&
      at - startedAt > SAME_MS &&
      isSameNumber(calledNumber, number) &&
      !transactions.some(({ wasWithdrawn }) => wasWithdrawn),
  );

/** Nobody in its call talks to it, as far as is known: it rings, or a queue or menu answered, or it is parked. */
const isAlone = (leg: Leg): boolean => !leg.isUp || !leg.call.legs.some((other) => other !== leg && other.isUp);

/**
 * Of legs with the caller's number: one that dialled just that number a moment ago; then those that seek somebody, and phones
 * that the PBX called and that are left alone (parked); then legs that talk, which may be transferred at any time; last, legs
 * that are being served. Those of the next sort may be meant just as well.
 */
function chooseCaller(into: readonly Leg[], outOf: readonly Leg[], { called }: Numbers, at: number): Found {
  if (into.length === 0 && outOf.length === 0) return undefined;
  const callers = into.filter((leg) => !isCalling(leg, called, at));
  const phones = outOf.filter((leg) => !isCalling(leg, called, at));
  const alone = callers.filter(isAlone);
  const [served, seeking] = partition(alone, (leg) => isServed(leg, at));
  const isExact = (leg: Leg): boolean => isSameNumber(leg.calledNumber, called);
  const exact = alone.filter((leg) => leg.feeds === 0 && isExact(leg) && isFresh(leg, at));
  const parked = phones.filter(isAlone);
  const [held, talking] = partition(
    [...callers, ...phones].filter((leg) => !isAlone(leg)),
    ({ isOnHold }) => isOnHold,
  );
  const all = [...exact, ...seeking, ...parked, ...talking, ...served, ...held];
  const pick = (best: readonly Leg[], rivals: readonly Leg[]): Found =>
    widen(choose(best, rivals, called, callers), all);
  const isRival = (leg: Leg): boolean => !isExact(leg) && !leg.addressee; // who dialled another phone is hardly forwarded here
  if (exact.length > 0) return pick(exact, seeking.filter(isRival));
  if (seeking.length > 0) return pick(seeking, [...parked, ...talking]);
  if (parked.length > 0) return pick(parked, talking);
  if (talking.length > 0) return pick(talking, served);
  return pick(served.length > 0 ? served : held, []);
}

/** Where there is a doubt, it may be for any of them after all. */
const widen = (found: Found, all: readonly Leg[]): Found =>
  found && 'doubt' in found ? { ...found, legs: [...new Set([...found.legs, ...all])] } : found;

/** A PBX calls at once who was dialled. */
const isFresh = ({ root, startedAt }: Leg, at: number): boolean => at - (root?.startedAt ?? startedAt) <= PROMPT_MS;

/** Phones ring for it, and no more of them will; or its phone was tried in vain, and the PBX answered in its place. */
function isServed(leg: Leg, at: number): boolean {
  const made = leg.call.legs.filter(({ feeder }) => feeder === leg);
  if (leg.addressee && leg.isUp && leg.feeds > 0 && made.every(({ answeredAt }) => answeredAt === 0)) return true;
  const patienceMs = leg.addressee ? 0 : AT_ONCE_MS;
  return made.some(
    ({ phase, startedAt, goneAt }) =>
      (phase === 'pending' || phase === 'held') && goneAt === 0 && at - startedAt > patienceMs,
  );
}

/** The best, unless there are others of another call that fit as well. */
function choose(best: readonly Leg[], rivals: readonly Leg[], called: string, callers: readonly Leg[]): Found {
  const both = best.filter((leg) => callers.includes(leg) && isSameNumber(leg.calledNumber, called));
  const isCaller = best.length === 0 || callers.includes(best[0]!);
  const method = both.length > 0 ? 'numbers' : isCaller ? 'caller-number' : 'feature-code';
  const all = [...new Set([...best, ...rivals])];
  return chooseOnly(onlyCall(all) && both.length > 0 ? both : all, method);
}

/** The newest leg, where all are of one call. */
function chooseOnly(legs: readonly Leg[], method: JoinMethod): Found {
  if (onlyCall(legs)) return { leg: legs.at(-1)!, method };
  return legs.length > 0 ? { doubt: `${legs.length} legs fit by ${method}: ${listCallIds(legs)}`, legs } : undefined;
}

function partition<T>(items: readonly T[], fits: (item: T) => boolean): [T[], T[]] {
  return [items.filter(fits), items.filter((item) => !fits(item))];
}

const listCallIds = (legs: readonly Leg[]): string => legs.map(({ callId }) => callId).join(', ');
