import t from 'tap';
import { Deadlines, type Timed } from '../../src/calls/deadlines.ts';

interface Item extends Timed {
  name: string;
}

const item = (name: string): Item => ({ name, deadline: Infinity, queueIndex: -1 });

function takeAll(deadlines: Deadlines<Item>, now: number): string[] {
  const names: string[] = [];
  for (let next = deadlines.take(now); next; next = deadlines.take(now)) names.push(`${next.name}@${next.deadline}`);
  return names;
}

t.test('in order of time, whatever the order they were set in', (t) => {
  const deadlines = new Deadlines<Item>();
  for (const at of [5, 3, 9, 1, 7, 3, 8, 2]) deadlines.set(item(String(at)), at);
  t.strictSame(takeAll(deadlines, 4), ['1@1', '2@2', '3@3', '3@3']);
  t.strictSame(takeAll(deadlines, Infinity), ['5@5', '7@7', '8@8', '9@9']);
  t.end();
});

t.test('a deadline that moved counts where it is now', (t) => {
  const deadlines = new Deadlines<Item>();
  const [late, early, stays] = [item('late'), item('early'), item('stays')];
  deadlines.set(late, 10);
  deadlines.set(early, 100_000_000);
  deadlines.set(stays, 20);
  deadlines.set(late, 30);
  deadlines.set(early, 5);
  t.strictSame(takeAll(deadlines, 9), ['early@5']);
  t.strictSame(takeAll(deadlines, Infinity), ['stays@20', 'late@30']);
  t.end();
});

t.test('an item that was taken leaves nothing behind for long', (t) => {
  const deadlines = new Deadlines<Item>();
  const call = item('call');
  deadlines.set(call, 1000);
  deadlines.set(call, 86_400_000); // answered: up to a day
  t.strictSame(takeAll(deadlines, 2000), []);
  deadlines.set(call, 3000); // over
  t.strictSame(takeAll(deadlines, 4000), ['call@3000']);
  t.strictSame(takeAll(deadlines, 100_000), []);
  t.equal(deadlines.length, 0);
  t.end();
});
