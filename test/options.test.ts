import { readFileSync } from 'node:fs';
import t from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import { TRACKER_DEFAULTS } from '../src/calls/tracker-options.ts';
import { EXTENSION_KINDS } from '../src/calls/tenant.ts';
import { LOG_LEVELS } from '../src/log.ts';
import { parseDuration } from '../src/option-types.ts';
import { makeJsonSchema, optionsSchema } from '../src/options.ts';
import { parseConfiguration } from '../src/rules/config-file.ts';

const root = new URL('../', import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, root), 'utf8');
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface Schema {
  readonly description?: string;
  readonly type?: string;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly additionalProperties?: boolean | Schema;
}

const schema = makeJsonSchema() as Schema;

/** A schema and all that are in it, with their paths. */
function* walk(here: Schema, path = ''): Generator<[path: string, schema: Schema]> {
  yield [path, here];
  for (const [name, inner] of Object.entries(here.properties ?? {})) yield* walk(inner, `${path}.${name}`);
  if (here.items) yield* walk(here.items, `${path}[]`);
  for (const inner of here.anyOf ?? []) yield* walk(inner, path);
  if (typeof here.additionalProperties === 'object') yield* walk(here.additionalProperties, `${path}.*`);
}

const find = (path: string): Schema[] => [...walk(schema)].filter(([at]) => at === path).map(([, found]) => found);

t.test('an empty file is complete', (t) => {
  const options = optionsSchema.parse({});
  t.match(options, {
    tenants: [],
    callEvents: [],
    sip: {
      engine: 'embedded',
      listen: ['udp:127.0.0.1:5060', 'tcp:127.0.0.1:5060'],
      path: 'auto',
      marker: 'X-CallAPIID',
    },
    defaults: { callFlow: 'upper', callId: 'sip', answeredHangup: 'ANSWER', omitEmpty: false },
    callStatus: { responses: {}, q850: {} },
    log: { level: 'info' },
    store: './ringside.db',
  });
  t.strictSame(
    options.delivery.schedule,
    [1, 2, 5, 10, 30]
      .flatMap((n) => n * SECOND)
      .concat(
        [1, 2, 5, 10, 30].map((n) => n * MINUTE),
        [1, 2, 5, 10].map((n) => n * HOUR),
      ),
    'the waits between attempts',
  );
  t.match(options.delivery, { staleAfter: MINUTE, concurrency: 8, retention: 7 * 24 * HOUR });
  t.end();
});

t.test('times and limits of calls are those that the tracker has by itself', (t) => {
  const { calls, limits, sip } = optionsSchema.parse({});
  t.strictSame(
    {
      dialHoldMs: calls.dialHold,
      challengeMs: calls.challengeWait,
      redirectMs: calls.redirectWait,
      ringLimitMs: calls.ringLimit,
      callLimitMs: calls.longestCall,
      sessionSlackMs: calls.sessionSlack,
      lingerMs: calls.linger,
      maxLegs: limits.legs,
      maxForks: limits.forks,
      maxContacts: limits.contacts,
      markerHeader: sip.marker,
      correlationHeaders: calls.correlationHeaders,
    },
    TRACKER_DEFAULTS,
  );
  t.end();
});

t.test('names that other parts know', (t) => {
  t.strictSame(find('.log.level')[0]?.enum, LOG_LEVELS);
  t.strictSame(find('.tenants[].extensions[].kind')[0]?.enum, EXTENSION_KINDS);
  t.end();
});

t.test('durations', (t) => {
  const cases: readonly [text: string, ms: number | undefined][] = [
    ['0s', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['365d', 31_536_000_000],
    ['366d', undefined],
    ['10', undefined],
    ['10 s', undefined],
    ['1.5s', undefined],
    ['-1s', undefined],
    ['s', undefined],
    ['', undefined],
    ['10S', undefined],
    ['9999999999s', undefined],
  ];
  for (const [text, ms] of cases) t.equal(parseDuration(text), ms, JSON.stringify(text));
  t.end();
});

t.test('the schema for editors', (t) => {
  t.equal(
    read('ringside.schema.json'),
    `${JSON.stringify(schema, null, 2)}\n`,
    'the file is as `ringside schema` prints it',
  );
  t.match(schema, { $schema: 'http://json-schema.org/draft-07/schema#', title: 'ringside.yaml' });
  for (const [path, { type, properties, additionalProperties, pattern }] of walk(schema)) {
    if (/\.\w+$/.test(path))
      t.ok(
        find(path).some(({ description }) => description),
        `${path} is described`,
      );
    if (type === 'object' && properties) t.equal(additionalProperties, false, `${path}: unknown options are errors`);
    if (pattern === undefined) continue;
    t.doesNotThrow(() => new RegExp(pattern, 'u'), `${path}: an editor can read the pattern`);
    t.match('a${NAME}b', new RegExp(pattern, 'u'), `${path}: a variable may stand there`);
  }
  t.end();
});

t.test('the example', (t) => {
  const text = read('ringside.example.yaml');
  t.match(text, /^# yaml-language-server: \$schema=ringside\.schema\.json\n/, 'editors find its schema');
  t.ok(
    z.fromJSONSchema(JSON.parse(read('ringside.schema.json')) as z.core.JSONSchema.JSONSchema).safeParse(parse(text))
      .success,
    'fits the schema',
  );
  const { tenants, rules, warnings } = parseConfiguration('ringside.example.yaml', text, {});
  t.strictSame(warnings, []);
  t.match(tenants, [{ prefix: '0003' }]);
  t.equal(rules.length, 2);
  t.end();
});
