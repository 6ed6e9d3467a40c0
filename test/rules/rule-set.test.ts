import t from 'tap';
import { parseConfiguration } from '../../src/rules/config-file.ts';
import type { Rule } from '../../src/rules/rule.ts';
import { RuleSet } from '../../src/rules/rule-set.ts';

const rulesOf = (...notes: string[]): readonly Rule[] =>
  parseConfiguration('f.yaml', `callEvents: [${notes.map(writeRule).join(', ')}]`, {}).rules;

const writeRule = (note: string): string =>
  `{ note: ${note}, extension: "*", event: hangup, url: "http://x/${note}", enabled: ${!note.startsWith('off')} }`;

const HANGUP = { extension: '101', event: 'hangup' } as const;

t.test('rules of the file and of the API are one set; a change of either is in force at once', (t) => {
  const rules = new RuleSet(rulesOf('one', 'off'));
  const matching = (): string[] => rules.match(HANGUP).map(({ note }) => note);
  t.strictSame(matching(), ['one']);
  const [two, three] = rulesOf('two', 'three');
  rules.useApi([two!, three!]);
  t.strictSame(matching(), ['one', 'two', 'three'], 'those of the API come after those of the file');
  t.equal(rules.find(two!.id), two);
  rules.useApi([three!]);
  t.strictSame(matching(), ['one', 'three']);
  t.equal(rules.find(two!.id), undefined, 'one that is gone is not found');
  rules.useFile(rulesOf('four'));
  t.strictSame(matching(), ['four', 'three']);
  t.strictSame(
    rules.all.map(({ note }) => note),
    ['four', 'three'],
  );
  t.end();
});

t.test('a disabled rule is listed, but neither matched nor found', (t) => {
  const [off] = rulesOf('off');
  const rules = new RuleSet([off!]);
  t.strictSame(rules.all, [off]);
  t.strictSame(rules.match(HANGUP), []);
  t.equal(rules.find(off!.id), undefined);
  t.end();
});

t.test('where rules stand in the file, and whether their URL may be secret', (t) => {
  const text =
    'callEvents:\n  - { extension: "*", event: hangup, url: "http://x/1" }\n\n  - extension: "*"\n    event: hangup\n    url: "${HOOK}"\n';
  const { rules, places } = parseConfiguration('/etc/ringside/f.yaml', text, { HOOK: 'http://x/2?key=1' });
  t.strictSame(
    rules.map(({ id }) => places.get(id)),
    [
      { file: 'f.yaml', line: 2, isUrlHidden: false },
      { file: 'f.yaml', line: 4, isUrlHidden: true },
    ],
  );
  t.end();
});
