import t from 'tap';
import type { EventName } from '../../src/calls/event.ts';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import { RuleBook } from '../../src/rules/rule-book.ts';

const RULES = `
callEvents:
  - { note: one, extension: "0003*101", event: dial-in, url: "http://x/1" }
  - { note: range, extension: "0003*110-119", event: [dial-in, hangup], url: "http://x/2" }
  - { note: pattern, extension: "0003*1??", event: hangup, url: "http://x/3" }
  - { note: off, extension: "*", event: [dial-in, dial-out, hangup], url: "http://x/4", enabled: false }
  - { note: all, extension: "*", event: answer-in, url: "http://x/5" }
  - { note: list, extension: ["0003*101", "201"], event: [dial-in, dial-out], url: "http://x/6" }
`;

const MATCHES: readonly [extension: string, event: EventName, ...notes: string[]][] = [
  ['0003*101', 'dial-in', 'one', 'list'],
  ['0003*101', 'dial-out', 'list'],
  ['0003*101', 'hangup', 'pattern'],
  ['0003*101', 'answer-in', 'all'],
  ['0003*101', 'answer-out'],
  ['0003*110', 'hangup', 'range', 'pattern'],
  ['0003*119', 'dial-in', 'range'],
  ['0003*120', 'dial-in'],
  ['0004*110', 'dial-in'],
  ['110', 'dial-in'],
  ['201', 'dial-in', 'list'],
  ['0003*1000', 'hangup'],
  ['0003*10', 'hangup'],
  ['', 'answer-in', 'all'],
];

t.test('which rules an event is for, in the order of the file', (t) => {
  const book = new RuleBook(parseConfiguration('f.yaml', RULES, {}).rules);
  for (const round of ['first', 'again']) {
    for (const [extension, event, ...notes] of MATCHES) {
      const found = book.match({ extension, event }).map(({ note }) => note);
      t.strictSame(found, notes, `${extension} ${event}, ${round}`);
    }
  }
  t.end();
});

t.test('extensions without end cost no memory without end', (t) => {
  const book = new RuleBook(parseConfiguration('f.yaml', RULES, {}).rules);
  const first = book.match({ extension: '0', event: 'answer-in' });
  t.equal(book.match({ extension: '0', event: 'answer-in' }), first, 'what was found is kept');
  for (let i = 1; i <= 50_000; i++) book.match({ extension: String(i), event: 'answer-in' });
  const later = book.match({ extension: '0', event: 'answer-in' });
  t.not(later, first, 'but not for ever');
  t.strictSame(later, first, 'and comes out the same');
  t.end();
});
