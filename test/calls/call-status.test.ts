import t from 'tap';
import {
  type Evidence,
  judge,
  NO_EVIDENCE,
  overrideStatusTable,
  STATUS_TABLE,
  summarise,
} from '../../src/calls/call-status.ts';

const ROWS: [evidence: Partial<Evidence>, verdict: string][] = [
  [{ answered: true, code: 200, callerLeft: true }, 'ANSWER answered'],
  [{ callerLeft: true, code: 486 }, 'CANCEL caller_left'],
  [{ callerLeft: true, cancelled: true, siblingAnswered: true }, 'CANCEL caller_left'],
  [{ cancelled: true, code: 487, siblingAnswered: true }, 'NOANSWER answered_elsewhere'],
  [{ cancelled: true, code: 487 }, 'NOANSWER ring_timeout'],
  [{ cancelled: true, callerUnknown: true, q850: 19 }, 'NOANSWER ring_timeout'],
  [{ cancelled: true, callerUnknown: true, sipCause: 480 }, 'NOANSWER ring_timeout'],
  [{ cancelled: true, callerUnknown: true, q850: 26, sipCause: 200 }, 'CANCEL cancelled'],
  [
    { cancelled: true, callerUnknown: true, q850: 26, sipCause: 200, siblingAnswered: true },
    'NOANSWER answered_elsewhere',
  ],
  [{ neverOffered: true, toExtension: true, code: 404 }, 'CHANUNAVAIL not_registered'],
  [{ neverOffered: true, toExtension: true, code: 503, q850: 20 }, 'CHANUNAVAIL not_registered'],
  [{ neverOffered: true, toExtension: false, code: 404 }, 'CONGESTION response_404'],
  ...([17, 'BUSY', 19, 'NOANSWER', 20, 'CHANUNAVAIL', 27, 'CHANUNAVAIL'] as const).reduce<
    [Partial<Evidence>, string][]
  >(
    (rows, value, i, all) =>
      i % 2 ? [...rows, [{ code: 503, q850: Number(all[i - 1]) }, `${value} q850_${all[i - 1]}`]] : rows,
    [],
  ),
  [{ code: 480, q850: 18, rang: true }, 'NOANSWER q850_18'],
  [{ code: 480, q850: 18 }, 'CHANUNAVAIL q850_18'],
  [{ code: 403, q850: 21 }, 'CONGESTION q850_21'],
  [{ code: 403, q850: 21, rang: true }, 'BUSY q850_21'],
  [{ code: 603, q850: 21 }, 'BUSY q850_21'],
  [{ code: 480, q850: 21, rang: true, q850Location: 'LN' }, 'CONGESTION q850_21'],
  [{ code: 480, q850: 21, q850Location: 'U' }, 'BUSY q850_21'],
  ...[1, 2, 3, 5, 22, 28, 29, 34, 38, 41, 42, 43, 44, 47].map((q850): [Partial<Evidence>, string] => [
    { code: 500, q850 },
    `CONGESTION q850_${q850}`,
  ]),
  ...[58, 65, 79, 88].map((q850): [Partial<Evidence>, string] => [{ code: 500, q850 }, `CHANUNAVAIL q850_${q850}`]),
  [{ code: 487, q850: 26, siblingAnswered: true }, 'NOANSWER q850_26'],
  ...[16, 31, 111, 127].map((q850): [Partial<Evidence>, string] => [
    { code: 480, q850, rang: true },
    'NOANSWER response_480',
  ]),
  [{ code: 486, q850: 16 }, 'BUSY response_486'],
  [{ code: 488, q850: 17 }, 'CHANUNAVAIL response_488'],
  ...[486, 600, 603, 607].map((code): [Partial<Evidence>, string] => [{ code }, `BUSY response_${code}`]),
  [{ code: 408 }, 'NOANSWER response_408'],
  [{ code: 480, rang: true }, 'NOANSWER response_480'],
  [{ code: 480 }, 'CHANUNAVAIL response_480'],
  [{ code: 480, phrase: 'Do Not Disturb' }, 'BUSY response_480'],
  [{ code: 480, phrase: 'Line busy', rang: true }, 'BUSY response_480'],
  [{ code: 404 }, 'CONGESTION response_404'],
  [{ code: 404, toExtension: true }, 'CHANUNAVAIL response_404'],
  ...[410, 484, 485, 604].map((code): [Partial<Evidence>, string] => [{ code }, `CONGESTION response_${code}`]),
  ...[430, 415, 488, 606].map((code): [Partial<Evidence>, string] => [{ code }, `CHANUNAVAIL response_${code}`]),
  ...[300, 302, 380].map((code): [Partial<Evidence>, string] => [{ code }, 'NOANSWER redirected']),
  [{ code: 487, rang: true }, 'NOANSWER response_487'],
  [{ code: 487 }, 'CANCEL response_487'],
  ...[
    400, 402, 403, 405, 406, 413, 414, 416, 420, 421, 481, 482, 483, 491, 493, 500, 502, 503, 504, 513, 599, 608, 699,
  ].map((code): [Partial<Evidence>, string] => [{ code }, `CONGESTION response_${code}`]),
  [{}, 'NOANSWER no_final_response'],
];

t.test('the CallStatus table', (t) => {
  for (const [evidence, expected] of ROWS) {
    const { status, detail } = judge({ ...NO_EVIDENCE, ...evidence }, STATUS_TABLE);
    t.equal(`${status} ${detail}`, expected, JSON.stringify(evidence));
  }
  t.end();
});

t.test('changed by the configuration', (t) => {
  const table = overrideStatusTable(STATUS_TABLE, { responses: { 603: 'CONGESTION' }, q850: { 17: 'NOANSWER' } });
  t.equal(judge({ ...NO_EVIDENCE, code: 603 }, table).status, 'CONGESTION');
  t.equal(judge({ ...NO_EVIDENCE, code: 480, q850: 17 }, table).status, 'NOANSWER');
  t.equal(judge({ ...NO_EVIDENCE, code: 486 }, table).status, 'BUSY');
  t.end();
});

t.test('several attempts summed up for who waited for any of them', (t) => {
  const verdict = (...statuses: Parameters<typeof summarise>[0][number]['status'][]) =>
    summarise(statuses.map((status) => ({ status, detail: 'answered' })))?.status;
  t.equal(verdict('CHANUNAVAIL', 'NOANSWER', 'BUSY'), 'NOANSWER');
  t.equal(verdict('CHANUNAVAIL', 'CONGESTION', 'BUSY'), 'BUSY');
  t.equal(verdict('CHANUNAVAIL', 'CONGESTION'), 'CONGESTION');
  t.equal(verdict(), undefined);
  t.end();
});
