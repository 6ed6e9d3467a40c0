import { readFileSync } from 'node:fs';
import t from 'tap';
import { drawPartyStates, PARTY_STATES, type PartyInput, type PartyState } from '../../src/calls/party-states.ts';

t.test('every way through the table tells one Dial, at most one Answer, one Hangup, or nothing', (t) => {
  const walk = (state: PartyState, told: string): void => {
    if (state === 'over') return void t.match(told, /^(d(a?)h)?$/, told || 'nothing');
    const transitions = Object.entries(PARTY_STATES[state]) as [PartyInput, { next: PartyState; tells: string[] }][];
    t.ok(transitions.length > 0, `${state} has a way out`);
    for (const [, { next, tells }] of transitions) walk(next, told + tells.map((event) => event[0]).join(''));
  };
  walk('held', '');
  t.end();
});

t.test('the diagram in the documentation is that of the table', (t) => {
  const text = readFileSync(new URL('../../docs/calls.md', import.meta.url), 'utf8');
  t.equal(/```mermaid\n([\s\S]*?)\n```/.exec(text)?.[1], drawPartyStates());
  t.end();
});
