import type { Leg } from '../../../src/calls/call.ts';
import type { CallEvent } from '../../../src/calls/event.ts';
import { Directory } from '../../../src/calls/directory.ts';
import { CallTracker } from '../../../src/calls/tracker.ts';
import { connectPipeline } from '../../../src/calls/pipeline.ts';
import { Grouping } from './grouping.ts';
import { callIdOf } from './ladder.ts';
import type { PbxLeg, TrueCall } from './pbx-leg.ts';
import type { Run } from './run.ts';
import type { TrueParty, Truth } from './truth.ts';

/** Something that the tracker made wrong of a call. */
export interface Finding {
  readonly kind: string;
  readonly text: string;
  readonly calls: readonly TrueCall[];
}

/** What the tracker made of a run. */
export interface Result {
  readonly wrongJoins: readonly Finding[];
  readonly missedJoins: readonly Finding[];
  /** Of those that nobody could tell. */
  readonly obscure: readonly Finding[];
  /** Joins there truly were. */
  readonly joins: number;
  readonly parties: readonly Finding[];
  /** Of those, what only follows from legs that are in a wrong call or in none, or whose call nobody could tell. */
  readonly doubtful: readonly Finding[];
}

/** Plays a run through the tracker, as the pipeline does, and compares what it tells with the truth. */
export function compare({ tenants, observations, truth }: Run): Result {
  const tracker = new CallTracker(new Directory(tenants), { maxContacts: 100 });
  const groups = new Grouping(truth.legs);
  const events: CallEvent[] = [];
  const known = new Map<string, Leg>();
  const observe = connectPipeline(tracker, (some) => events.push(...some));
  for (const observation of observations) {
    observe(observation);
    const callId = callIdOf(observation.bytes);
    const leg = tracker.findLeg(callId);
    if (leg) known.set(callId, leg);
    if (leg) groups.note(callId, leg.call.id, observation.observedAt);
  }
  events.push(...tracker.expire(Infinity));
  for (const [callId, leg] of known) groups.note(callId, leg.call.id, Infinity);
  const { missed, obscure, joins } = groups.listMissed();
  const { wrong: wrongJoins } = groups;
  const inWrong = new Set([...wrongJoins, ...missed].flatMap(({ calls }) => calls));
  const isDoubtful = ({ kind, calls }: Finding): boolean =>
    DEPENDENT.test(kind) &&
    calls.some((call) => inWrong.has(call) || (/ told as /.test(kind) && truth.isUnclear(call)));
  const findings = compareParties(truth, events);
  const [parties = [], doubtful = []] = [false, true].map((is) => findings.filter((one) => isDoubtful(one) === is));
  return { wrongJoins, missedJoins: missed, obscure, joins, parties, doubtful };
}

/** Findings that a wrong join brings about by itself; a status depends on joins that nobody could make, too. */
const DEPENDENT = / told as |party not told of|party that never was/;

const roleOf = ({ params }: CallEvent): string => (params.CallFlow === 'OUT' ? 'caller' : 'called');

function compareParties({ parties, legs }: Truth, events: readonly CallEvent[]): Finding[] {
  const told = Map.groupBy(events, ({ extras }) => String(extras.SubCallID));
  const lives = Map.groupBy(told.values(), ([first]) => `${first!.params.CallID} ${roleOf(first!)}`);
  const findings = parties.flatMap((party) => {
    const key = `${party.callId} ${party.role}`;
    const own = lives.get(key) ?? [];
    lives.delete(key);
    return compareParty(party, own);
  });
  for (const [key, [life]] of lives) {
    const text = `${key}: ${life![0]!.extension} is told of, though it had no part in it`;
    const own = legs.filter(({ session }) => session.callId === life![0]!.params.CallID);
    findings.push({ kind: 'party that never was', text, calls: own.map(({ origin }) => origin.call.whole) });
  }
  return findings;
}

function compareParty(party: TrueParty, lives: readonly CallEvent[][]): Finding[] {
  const { leg, number, role, status, callId } = party;
  const [life] = lives;
  const { call } = leg.origin;
  const say = (kind: string, text: string): Finding[] => [
    {
      kind,
      text: `${call.scenario} #${call.whole.number}: ${role} ${number} (${callId}): ${text}`,
      calls: [call.whole],
    },
  ];
  if (!life) return say('party not told of', 'no events');
  if (lives.length > 1) return say('party told of twice', `${lives.length} lives`);
  const order = life.map(({ event }) => event[0]).join('');
  if (!/^da?h$/.test(order)) return say('life out of order', order);
  const { extension, params, extras } = life.at(-1)!;
  if (extension.split('*').at(-1) !== number) return say('wrong extension', extension);
  if (params.CallStatus === status) return [];
  return say(
    `${role}: ${status} told as ${params.CallStatus}`,
    `${params.CallStatus} ${extras.Detail}${describeLeg(leg)}`,
  );
}

const describeLeg = ({ evidence }: PbxLeg): string => (evidence === 'clear' ? '' : `, its cause is ${evidence}`);
