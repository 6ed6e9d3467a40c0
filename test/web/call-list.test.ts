import t from 'tap';
import type { Call } from '../../src/api/types.ts';
import { countKinds, nameOfCaller, selectCalls } from '../../src/web/calls/call-filter.ts';
import { CallList } from '../../src/web/calls/call-list.ts';
import { holdStill } from '../../src/web/calls/hold-still.ts';
import { findWindow } from '../../src/web/parts/list-window.ts';
import { makeCall } from './fake/fixtures.ts';

const NOW = 1_800_000_000_000;
const call = (index: number, state: Call['parties'][number]['state'] = 'ringing', ageMs = 1000): Call =>
  makeCall({ index, now: NOW, state, ageMs });
const ids = (calls: readonly Call[]): string[] => calls.map(({ id }) => id.slice(4, 10));

t.test('the list of live calls', (t) => {
  const list = new CallList();
  list.start({ at: '', calls: [call(1), call(2)], isGap: false });
  list.change({ changed: [call(2, 'answered'), call(3)], gone: [] }, NOW);
  t.strictSame(ids(list.calls), ['000001', '000002', '000003']);
  t.equal(list.find(call(2).id)?.parties[0]?.state, 'answered', 'as it is now');
  list.change({ changed: [], gone: [{ id: call(1).id, into: call(2).id }] }, NOW);
  t.strictSame(ids(list.calls), ['000002', '000003'], 'what became part of another is gone');
  list.change({ changed: [call(2, 'over'), call(9, 'over')], gone: [] }, NOW + 1000);
  t.strictSame(ids(list.calls), ['000002', '000003'], 'what is over stays for a while, but does not begin');
  t.equal(list.forget(NOW + 999), false);
  t.equal(list.forget(NOW + 1000), true);
  t.strictSame(ids(list.calls), ['000003']);
  list.change({ changed: [call(3, 'over')], gone: [] }, NOW + 2000);
  list.change({ changed: [call(3, 'answered')], gone: [] }, NOW + 2001);
  t.equal(list.forget(NOW + 9000), false, 'it goes on: a call that came back');
  list.start({ at: '', calls: [call(5)], isGap: true });
  t.strictSame(ids(list.calls), ['000005'], 'a new start replaces all');
  t.end();
});

t.test('which calls are shown, and in which order', (t) => {
  const calls = [call(1, 'ringing', 1000), call(2, 'answered', 9000), call(3, 'over', 5000), call(4, 'calling', 7000)];
  const shown = (filter: Partial<Parameters<typeof selectCalls>[1]>): string[] =>
    ids(selectCalls(calls, { kind: 'all', order: 'newest', text: '', ...filter }));
  t.strictSame(shown({}), ['000001', '000003', '000004', '000002']);
  t.strictSame(shown({ order: 'longest' }), ['000002', '000004', '000003', '000001']);
  t.strictSame(shown({ kind: 'ringing' }), ['000001', '000004']);
  t.strictSame(shown({ kind: 'talking' }), ['000002']);
  t.strictSame(shown({ text: ' 0003*103 ' }), ['000002'], 'an extension');
  t.strictSame(shown({ text: 'jörg' }), ['000002', '000001'].reverse(), 'a name');
  t.strictSame(shown({ text: '<script>' }), []);
  t.strictSame(countKinds(calls), { all: 3, ringing: 2, talking: 1 });
  t.end();
});

t.test('the name of who calls, where it says more than the number', (t) => {
  const name = (caller: string, callerName: string): string => nameOfCaller({ ...call(1), caller, callerName });
  t.strictSame([name('0003*101', '101'), name('101', '101'), name('101', '')], ['', '', '']);
  t.strictSame([name('0003*101', 'Anna'), name('+1555', '555')], ['Anna', '555']);
  t.end();
});

t.test('a list that is held still', (t) => {
  const held = [call(1), call(2)];
  t.strictSame(holdStill(undefined, held, held), { calls: held, waiting: 0 });
  const now = [call(3), call(2, 'answered')];
  const { calls, waiting } = holdStill(held, now, now);
  t.strictSame(ids(calls), ['000001', '000002'], 'everything at its place');
  t.strictSame([calls[0]?.state, calls[1]?.parties[0]?.state], ['over', 'answered'], 'as it is now');
  t.equal(waiting, 1);
  t.end();
});

t.test('the part of a long list that is in view', (t) => {
  const heights = [10, 20, 30, 40];
  t.strictSame(findWindow(heights, 0, 100), { first: 0, end: 4, above: 0, height: 100 });
  t.strictSame(findWindow(heights, 10, 31), { first: 1, end: 3, above: 10, height: 100 });
  t.strictSame(findWindow(heights, -500, 5), { first: 0, end: 1, above: 0, height: 100 });
  t.strictSame(findWindow(heights, 200, 300), { first: 0, end: 0, above: 0, height: 100 });
  t.strictSame(findWindow([], 0, 100), { first: 0, end: 0, above: 0, height: 0 });
  t.end();
});
