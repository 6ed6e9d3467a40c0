import type { Finding } from './comparison.ts';
import type { PbxLeg, TrueCall } from './pbx-leg.ts';

/** Which legs the tracker holds for one call, as it goes along. */
export class Grouping {
  readonly wrong: Finding[] = [];
  readonly #pairs = new Set<string>();
  readonly #legs: ReadonlyMap<string, PbxLeg>;
  readonly #ids = new Map<string, string>();
  /** By CallAPIID; the same list where one became part of the other. */
  readonly #members = new Map<string, PbxLeg[]>();

  constructor(legs: readonly PbxLeg[]) {
    this.#legs = new Map(legs.map((leg) => [leg.session.callId, leg]));
  }

  /** The tracker has a leg in a call. */
  note(callId: string, id: string, at: number): void {
    const before = this.#ids.get(callId);
    const leg = this.#legs.get(callId);
    if (before === id || !leg) return;
    this.#ids.set(callId, id);
    const members = this.#members.get(id) ?? [];
    const newcomers = before === undefined ? [leg] : this.#members.get(before)!;
    if (newcomers === members) return;
    this.#check(newcomers, members, at);
    members.push(...newcomers);
    this.#members.set(id, members);
    for (const [other, list] of this.#members) if (list === newcomers) this.#members.set(other, members);
  }

  /** True calls whose legs are in several groups at the end: each group but the biggest was not joined. */
  listMissed(): { missed: Finding[]; obscure: Finding[]; joins: number } {
    const missed: Finding[] = [];
    const obscure: Finding[] = [];
    let joins = 0;
    const seen = [...this.#legs].filter(([callId]) => this.#ids.has(callId)).map(([, leg]) => leg);
    for (const [call, legs] of Map.groupBy(seen, ({ origin }) => origin.call.whole)) {
      joins += legs.length - 1;
      let unclear = legs.filter(({ evidence }) => evidence === 'obscure').length;
      for (const lost of this.#split(legs)) (unclear-- > 0 ? obscure : missed).push(describeMissed(call, lost));
    }
    return { missed, obscure, joins };
  }

  /** Each two calls are told of once, whatever else their being joined brings about. */
  #check(newcomers: readonly PbxLeg[], members: readonly PbxLeg[], at: number): void {
    for (const a of newcomers) {
      for (const b of members) {
        const calls = [a.origin.call, b.origin.call];
        const [one, other] = calls.map((call) => call.at(at));
        const pair = calls
          .map(({ whole }) => whole.number)
          .sort()
          .join(' ');
        if (one === other || this.#pairs.has(pair)) continue;
        this.#pairs.add(pair);
        this.wrong.push(describeWrong(a, b));
      }
    }
  }

  /** The groups that legs of one call are in, but for the biggest. */
  #split(legs: readonly PbxLeg[]): PbxLeg[][] {
    const groups = Map.groupBy(legs, ({ session }) => this.#members.get(this.#ids.get(session.callId)!)!);
    return [...groups.values()].sort((a, b) => b.length - a.length).slice(1);
  }
}

const describeLeg = ({ origin, session }: PbxLeg): string =>
  `${origin.call.scenario} #${origin.call.whole.number} ${origin.shownCaller}→${origin.called} ${origin.way} (${session.callId})`;

function describeWrong(a: PbxLeg, b: PbxLeg): Finding {
  const calls = [...new Set([a.origin.call.whole, b.origin.call.whole])];
  const kind = calls.length === 1 ? 'joined too early' : 'wrong join';
  return { kind, text: `${describeLeg(a)} is with ${describeLeg(b)}`, calls };
}

function describeMissed(call: TrueCall, legs: readonly PbxLeg[]): Finding {
  const [first] = legs;
  const kind = `missed join: ${first!.origin.call.scenario}, leg ${first!.origin.way}`;
  return { kind, text: legs.map(describeLeg).join('; '), calls: [call] };
}
