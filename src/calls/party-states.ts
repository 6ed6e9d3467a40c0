/** Where a party stands. `held`: it may yet turn out to be no call at all, so nothing has been told of it. */
export type PartyState = 'held' | 'calling' | 'ringing' | 'answered' | 'over';

/**
 * What happens to a party: it is released (a call for certain), it rings, it is answered, its part ends, or it
 * vanishes (there was no call: an unauthenticated INVITE, a hop that only passed it on).
 */
export type PartyInput = 'release' | 'ring' | 'answer' | 'end' | 'vanish';

/** Events of a party, in the order they are told. */
export type PartyEvent = 'dial' | 'answer' | 'hangup';

export interface Transition {
  readonly next: PartyState;
  readonly tells: readonly PartyEvent[];
}

/**
 * The life of a party. What is not listed changes nothing. Whatever way through it leads, it tells exactly one Dial,
 * at most one Answer and exactly one Hangup, or, from `held` by `vanish`, nothing at all.
 */
export const PARTY_STATES: { readonly [state in PartyState]: { readonly [input in PartyInput]?: Transition } } = {
  held: {
    release: { next: 'calling', tells: ['dial'] },
    ring: { next: 'ringing', tells: ['dial'] },
    answer: { next: 'answered', tells: ['dial', 'answer'] },
    end: { next: 'over', tells: ['dial', 'hangup'] },
    vanish: { next: 'over', tells: [] },
  },
  calling: {
    ring: { next: 'ringing', tells: [] },
    answer: { next: 'answered', tells: ['answer'] },
    end: { next: 'over', tells: ['hangup'] },
  },
  ringing: {
    answer: { next: 'answered', tells: ['answer'] },
    end: { next: 'over', tells: ['hangup'] },
  },
  answered: {
    end: { next: 'over', tells: ['hangup'] },
  },
  over: {},
};

/** The table as a Mermaid state diagram, for the documentation. */
export function drawPartyStates(): string {
  const lines = ['stateDiagram-v2', '    [*] --> held'];
  for (const [state, transitions] of Object.entries(PARTY_STATES)) {
    for (const [input, { next, tells }] of Object.entries(transitions)) {
      lines.push(`    ${state} --> ${next}: ${input}${tells.length > 0 ? ` / ${tells.join(', ')}` : ''}`);
    }
  }
  return [...lines, '    over --> [*]'].join('\n');
}
