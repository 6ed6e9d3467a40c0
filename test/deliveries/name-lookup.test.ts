import type { LookupAddress } from 'node:dns';
import t from 'tap';
import { NameLookup } from '../../src/deliveries/name-lookup.ts';

type Done = (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void;

/** A system that answers when it is told to. */
function makeSystem() {
  const asked: { readonly host: string; readonly answer: Done }[] = [];
  const names = new NameLookup((host, _, done) => asked.push({ host, answer: done }));
  return { asked, names };
}

const ADDRESSES = [
  { address: '192.0.2.1', family: 4 },
  { address: '2001:db8::1', family: 6 },
];

t.test('a name is asked for once at a time, however many wait for it', (t) => {
  const { asked, names } = makeSystem();
  const told: unknown[][] = [];
  const tell = (...answer: unknown[]): void => void told.push(answer);
  for (let n = 0; n < 1000; n++) names.lookUp('mute.example', { all: true }, tell);
  names.lookUp('crm.example', {}, tell);
  t.strictSame(
    asked.map(({ host }) => host),
    ['mute.example', 'crm.example'],
    'others do not wait behind it',
  );
  asked[1]!.answer(null, ADDRESSES);
  t.strictSame(told, [[null, '192.0.2.1', 4]]);
  asked[0]!.answer(Object.assign(new Error('no answer'), { code: 'EAI_AGAIN' }), []);
  t.equal(told.length, 1001);
  t.match(told.at(-1), [{ code: 'EAI_AGAIN' }, []]);
  names.lookUp('mute.example', { all: true }, tell);
  t.equal(asked.length, 3, 'and anew the next time');
  asked[2]!.answer(null, ADDRESSES);
  t.strictSame(told.at(-1), [null, ADDRESSES]);
  t.end();
});

t.test('who asks for one kind of address does not get another', (t) => {
  const { asked, names } = makeSystem();
  names.lookUp('crm.example', { family: 4 }, () => {});
  names.lookUp('crm.example', { family: 6 }, () => {});
  t.equal(asked.length, 2);
  t.end();
});
