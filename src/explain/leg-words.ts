import type { Join, Leg } from '../calls/call.ts';
import { CONFIDENCE, type JoinMethod } from '../calls/join.ts';
import type { LegStory } from './collector.ts';
import type { Place, Places } from './places.ts';
import { type CallStory, numberOfLeg } from './story.ts';

/** What each method found, of a leg and the one that it was joined to. */
const METHODS: { readonly [method in JoinMethod]: (leg: Leg, other: string) => string } = {
  'same-call-id': (_, other) => `another From-tag under the Call-ID of ${other}`,
  'marker': (_, other) => `the id that our proxy added names the call of ${other}`,
  'replaces': (_, other) => `a Replaces (or Join, Target-Dialog) ties it to ${other}`,
  'referred-by': (_, other) => `it names who sent the REFER on ${other}`,
  'refer': (leg, other) => `a REFER on ${other} asked to call ${leg.calledNumber}`,
  'redirect': (leg, other) => `a 3xx on ${other} led to ${leg.calledNumber}`,
  'header': (_, other) => `a header that the PBX copies is that of ${other}, or names it`,
  'session-id': (_, other) => `the same Session-ID as ${other}`,
  'correlation-id': (_, other) => `the capture agent gives it the correlation id of ${other}`,
  'numbers': (leg, other) =>
    `same caller ${leg.callerNumber} and called ${leg.calledNumber} as ${other}, at the same PBX`,
  'diversion': (_, other) => `Diversion or History-Info names the number that ${other} was sent to`,
  'connected-identity': (_, other) => `the PBX says that it is connected to an end of ${other}`,
  'coincidence': (_, other) =>
    `what happened at one happened at the other, or only ${other} was left of those that fit`,
  'pickup': (_, other) => `a call to a pickup code while ${other} rang, or as it was withdrawn`,
  'caller-number': (leg, other) => `same caller ${leg.callerNumber} as ${other}, at the same PBX`,
  'called-number': (leg, other) => `same called ${leg.calledNumber} as ${other} a moment ago, at the same PBX`,
  'feature-code': (leg, other) => `the PBX calls for ${leg.callerNumber}, which talks on ${other}`,
  'click-to-dial': (leg, other) => `the PBX called ${other} for nobody, and ${leg.calledNumber} once it was answered`,
};

/** How a leg came to its call, in words. */
export function explainLeg(story: CallStory, legStory: LegStory, formatAt: (at: number) => string): string[] {
  const { leg, merge } = legStory;
  const lines: string[] = [];
  if (leg.doubt !== '') lines.push(`not joined${leg.join ? ' at once' : ''}: ${leg.doubt}`);
  lines.push(leg.join ? explainJoin(story, leg, leg.join) : 'began the call');
  if (merge) lines.push(`its call ${merge.from} became part of this one at ${formatAt(merge.at)}`);
  return lines;
}

function explainJoin(story: CallStory, leg: Leg, { method, leg: other }: Join): string {
  const number = numberOfLeg(story, (candidate) => candidate.leg === other);
  const name = number === undefined ? `a leg with Call-ID ${other.callId}` : `leg ${number}`;
  return `joined to ${name} by ${method} (${CONFIDENCE[method]}): ${METHODS[method](leg, name)}`;
}

/** The places that a leg's INVITE went along. */
export function listPlaces({ messages }: LegStory, places: Places): Place[] {
  const invites = messages.filter(({ transaction }) => transaction !== undefined);
  const hops = invites.length > 0 ? invites : messages.slice(0, 1);
  const all = hops.flatMap(({ source, destination, statusCode }) =>
    statusCode > 0 ? [destination, source] : [source, destination],
  );
  const known = all.map((address) => places.find(address)).filter((place) => place !== undefined);
  return [...new Set(known)];
}
