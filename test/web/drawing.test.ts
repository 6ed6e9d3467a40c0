import t from 'tap';
import type { Ladder, LadderEvent, Message } from '../../src/api/types.ts';
import { drawLadder, type Row } from '../../src/web/ladder/drawing.ts';
import { readLadder } from './fake/ladder-fixture.ts';

// The ladder as geometry, of made-up calls and of recorded ones.

const START = Date.parse('2026-11-23T10:00:00.000Z');
const at = (ms: number): string => new Date(START + ms).toISOString();

const message = (line: number, ms: number, from: number, to: number, change: Partial<Message> = {}): Message => ({
  line,
  at: at(ms),
  leg: 1,
  from,
  to,
  transport: 'udp',
  method: 'INVITE',
  statusCode: 0,
  text: 'INVITE 102',
  target: '',
  repeats: null,
  notes: [],
  ...change,
});

const event = (line: number | null, ms: number, change: Partial<LadderEvent> = {}): LadderEvent => ({
  line,
  isTimed: line === null,
  at: at(ms),
  event: 'hangup',
  extension: '0003*102',
  params: { CallStatus: 'BUSY' } as LadderEvent['params'],
  extras: {},
  leg: 1,
  section: '4.5',
  words: 'final response 486 Busy Here',
  summary: 'hangup 0003*102 BUSY',
  ...change,
});

const ladder = (messages: Message[], events: LadderEvent[] = [], change: Partial<Ladder> = {}): Ladder => ({
  call: { startedAt: at(0) } as Ladder['call'],
  legs: [],
  lanes: [
    { label: '101', address: '192.0.2.1' },
    { label: 'PBX', address: '192.0.2.10' },
    { label: '102', address: '192.0.2.2' },
  ],
  messages,
  messagesLeft: 0,
  events,
  ...change,
});

const OPTIONS = { width: 800, showsRepeats: false };

/** A row in a word or two. */
function tell(row: Row): string {
  if (row.kind === 'arrow') return `${row.line} ${row.text}`;
  if (row.kind === 'event') return `${row.title} | ${row.lines.join(' ')}`;
  return row.kind === 'transfer' ? row.lines.join(' ') : row.text;
}

t.test('lanes share the width, and keep a distance', (t) => {
  const wide = drawLadder(ladder([]), OPTIONS);
  t.strictSame(
    wide.lanes.map(({ x, label, address }) => [x, label, address]),
    [
      [180, '101', '192.0.2.1'],
      [452, 'PBX', '192.0.2.10'],
      [724, '102', '192.0.2.2'],
    ],
  );
  const narrow = drawLadder(ladder([]), { ...OPTIONS, width: 320 });
  t.strictSame(
    narrow.lanes.map(({ x }) => x),
    [180, 316, 452],
  );
  t.equal(narrow.width, 528, 'wider than there is room for');
  t.end();
});

t.test('an arrow goes from lane to lane', (t) => {
  const { rows, height } = drawLadder(
    ladder([message(1, 12.4, 0, 1), message(2, 40, 2, 1, { statusCode: 180 })]),
    OPTIONS,
  );
  t.match(rows, [
    { kind: 'arrow', y: 0, from: 184, to: 448, textX: 316, time: '+0.012', look: 'request' },
    { kind: 'arrow', y: 32, from: 720, to: 456, textX: 588, time: '+0.040', look: 'provisional' },
  ]);
  t.equal(height, 64);
  t.match(rows[0], { title: '1: INVITE 102, from 101 to PBX, +0.012 s, leg 1' });
  t.end();
});

t.test('what stays at its place is a loop', (t) => {
  t.match(drawLadder(ladder([message(1, 0, 1, 1)]), OPTIONS).rows, [{ from: 452, to: 452 }]);
  t.end();
});

const LOOKS: readonly [method: string, statusCode: number, look: string][] = [
  ['INVITE', 0, 'request'],
  ['REFER', 0, 'transfer'],
  ['INVITE', 183, 'provisional'],
  ['INVITE', 200, 'success'],
  ['INVITE', 302, 'transfer'],
  ['INVITE', 486, 'failure'],
];
t.test('what a message means for its call', (t) => {
  for (const [method, statusCode, look] of LOOKS) {
    t.match(drawLadder(ladder([message(1, 0, 0, 1, { method, statusCode })]), OPTIONS).rows, [{ look }]);
  }
  t.end();
});

t.test('events stand below the message that brought them about, or at their time', (t) => {
  const messages = [message(1, 0, 0, 1), message(2, 900, 1, 0, { statusCode: 486, text: '486 Busy Here' })];
  const events = [
    event(2, 900),
    event(null, 500, { extension: '0003*103', words: 'it was too long' }),
    event(null, 950),
  ];
  t.strictSame(drawLadder(ladder(messages, events), OPTIONS).rows.map(tell), [
    '1 INVITE 102',
    'Hangup 0003*103: BUSY | BUSY because: it was too long (a timer ran out)',
    '2 486 Busy Here',
    'Hangup 0003*102: BUSY | BUSY because: final response 486 Busy Here',
    'Hangup 0003*102: BUSY | BUSY because: final response 486 Busy Here (a timer ran out)',
  ]);
  t.end();
});

t.test('repeats are left out or shown; their events are always there', (t) => {
  const messages = [message(1, 0, 0, 1), message(2, 500, 0, 1, { repeats: 'retransmission', notes: ['again'] })];
  const drawn = (showsRepeats: boolean): string[] =>
    drawLadder(ladder(messages, [event(2, 500)]), { ...OPTIONS, showsRepeats }).rows.map(tell);
  const told = 'Hangup 0003*102: BUSY | BUSY because: final response 486 Busy Here';
  t.strictSame(drawn(false), ['1 INVITE 102', told]);
  t.strictSame(drawn(true), ['1 INVITE 102', '2 INVITE 102', told]);
  t.end();
});

t.test('a pause is told', (t) => {
  const messages = [message(1, 0, 0, 1), message(2, 999, 0, 1), message(3, 13_399, 0, 1)];
  const rows = drawLadder(ladder(messages), OPTIONS).rows.map(tell);
  t.strictSame(rows, ['1 INVITE 102', '2 INVITE 102', '12.4 s later', '3 INVITE 102']);
  t.end();
});

t.test('a leg that came by a transfer says so at its first message', (t) => {
  const legs = [{ number: 2, caller: '101', called: '103', isTransfer: true, words: ['it names who sent the REFER'] }];
  const messages = [message(1, 0, 0, 1), message(2, 10, 1, 2, { leg: 2 }), message(3, 11, 2, 1, { leg: 2 })];
  const drawn = drawLadder(ladder(messages, [], { legs: legs as Ladder['legs'] }), OPTIONS);
  const transfer = 'Transfer: 101 to 103, it names who sent the REFER';
  t.strictSame(drawn.rows.map(tell), ['1 INVITE 102', transfer, '2 INVITE 102', '3 INVITE 102']);
  t.end();
});

t.test('texts that are too long are cut, and whole in the title', (t) => {
  const text = `INVITE ${'1'.repeat(200)}`;
  const [row] = drawLadder(ladder([message(1, 0, 0, 1, { text })]), OPTIONS).rows;
  t.ok(row?.kind === 'arrow' && row.text.length < 45 && row.text.endsWith('…') && row.title.includes(text));
  t.end();
});

t.test('recorded calls: every message once, in order, nothing on top of anything', (t) => {
  for (const capture of [
    'k_blind_by_callee',
    'm_attended_by_callee',
    'o_ringgroup',
    't_pickup',
    'n_forward302__proxy',
  ]) {
    const recorded = readLadder(capture);
    const { rows, width } = drawLadder(recorded, { width: 700, showsRepeats: true });
    const arrows = rows.filter((row) => row.kind === 'arrow');
    t.strictSame(
      arrows.map(({ line }) => line),
      recorded.messages.map(({ line }) => line),
      capture,
    );
    t.equal(rows.filter(({ kind }) => kind === 'event').length, recorded.events.length, `${capture}: all events`);
    t.ok(
      rows.every((row, index) => index === 0 || row.y === rows[index - 1]!.y + rows[index - 1]!.height),
      `${capture}: one below the other`,
    );
    t.ok(
      arrows.every(({ from, to }) => Math.max(from, to) < width),
      `${capture}: within its width`,
    );
  }
  t.ok(
    drawLadder(readLadder('k_blind_by_callee'), OPTIONS).rows.some(({ kind }) => kind === 'transfer'),
    'a transfer is seen',
  );
  t.end();
});
