import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { formatProblem, OptionError } from '../../src/options.ts';
import { type Configuration, loadConfiguration, parseConfiguration } from '../../src/rules/config-file.ts';

const ENVIRONMENT = { SECRET: 'hunter2', HOST: 'crm.example.com', EMPTY: '' };

const parse = (text: string): Configuration => parseConfiguration('f.yaml', text, ENVIRONMENT);

/** The lines of the error that a text brings about. */
function problemsOf(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (error instanceof OptionError) return error.message.split('\n');
    throw error;
  }
}

const rule = (options: string): string => `callEvents:\n  - { extension: "*", event: hangup, ${options} }\n`;
const tenant = (options: string): string => `tenants:\n  - { ${options} }\n`;
const extension = (options: string): string => tenant(`extensions: [{ number: "101", ${options} }]`);

/** `whsec_` and 24 bytes. */
const WHSEC = `whsec_${Buffer.alloc(24, 'x').toString('base64')}`;
const SECRET = 'a secret of whsec_ and 24 to 64 bytes in base64';
const NUMBER = 'a number (102), a range (110-119), a pattern (1??) or "*"';
const EVENTS = 'dial-in, dial-out, hangup, answer-in, answer-out';
const DURATION = 'a duration such as 500ms, 10s, 5m, 2h or 1d is expected';
const UDP_OR_TCP = 'an address such as udp:127.0.0.1:9060 or udp:[::1]:9060 is expected';
const HEADER_VALUE = 'a header value of one line, in Latin letters, is expected';
const ANCHOR = 'a name that an anchor (&name) gave before is expected; text that begins with * has to be quoted';
const REFERENCE = '${NAME} or ${NAME:-default} is expected; $${ stands for ${ itself';

const MISTAKES: readonly [name: string, text: string, ...problems: string[]][] = [
  ['tab', 'tenants:\n\t- prefix: x\n', '2:1: Tabs are not allowed as indentation'],
  ['open quote', 'store: "x\n', '2:1: Missing closing "quote'],
  [
    'open list',
    'tenants: [1\n',
    '2:1: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  ['duplicate key', 'store: a\nstore: b\n', '2:1: store: given twice'],
  ['duplicate key within', 'tenants:\n  - prefix: "1"\n    prefix: "2"\n', '3:5: tenants[0].prefix: given twice'],
  ['two documents', 'store: a\n---\nstore: b\n', '2:1: a second document begins here, one is expected'],
  ['key that is no name', '? [a]\n: b\n', '1:3: the name of an option is expected'],
  ['unknown anchor', 'store: *x\n', `1:8: store: ${ANCHOR}`],
  ['unknown tag', 'store: !x y\n', '1:8: text that begins with ! has to be quoted'],
  ['list at the top', '- a\n', '1:1: a mapping is expected, found a list'],
  ['text at the top', 'hello\n', '1:1: a mapping is expected, found "hello"'],

  ['unknown key', 'callEvent: []\n', '1:1: callEvent: no such option; did you mean callEvents?'],
  ['unknown key within', tenant('prefx: "1"'), '2:7: tenants[0].prefx: no such option; did you mean prefix?'],
  ['unknown key like none', 'log: { colour: red }\n', '1:8: log.colour: no such option; there are level'],
  [
    'unknown key of an extension',
    extension('nmae: x'),
    '2:37: tenants[0].extensions[0].nmae: no such option; did you mean name?',
  ],
  ['merge key', '<<: { log: { level: info } }\n', /^f.yaml:1:1: <<: no such option/.source],
  ['dangerous key', '__proto__: { log: 1 }\n', /^f.yaml:1:1: __proto__: no such option/.source],

  ['wrong type', 'tenants: 5\n', '1:10: tenants: a list is expected, found 5'],
  [
    'text for a list',
    'hep: { listen: "udp:127.0.0.1:9060" }\n',
    '1:16: hep.listen: a list is expected, found "udp:127.0.0.1:9060"',
  ],
  ['yes', rule('url: "http://x", enabled: yes'), '2:64: callEvents[0].enabled: true or false is expected, found "yes"'],
  ['too small', 'delivery: { concurrency: 0 }\n', '1:26: delivery.concurrency: at least 1 is expected, found 0'],
  ['too large', 'limits: { forks: 1001 }\n', '1:18: limits.forks: at most 1000 is expected, found 1001'],
  ['fraction', 'limits: { forks: 1.5 }\n', '1:18: limits.forks: a whole number is expected, found 1.5'],
  [
    'unknown level',
    'log: { level: loud }\n',
    '1:15: log.level: one of trace, debug, info, warn, error, silent is expected, found "loud"',
  ],

  ['duration without unit', 'delivery: { timeout: 10 }\n', `1:22: delivery.timeout: ${DURATION}, found 10`],
  ['duration with a space', 'delivery: { timeout: 10 s }\n', `1:22: delivery.timeout: ${DURATION}, found "10 s"`],
  ['no time at all', 'delivery: { timeout: 0s }\n', `1:22: delivery.timeout: ${DURATION}, from 1ms to 1h, found "0s"`],
  ['too long', 'calls: { longestCall: 366d }\n', `1:23: calls.longestCall: ${DURATION}, from 0s to 365d, found "366d"`],
  ['duration in a list', 'delivery: { schedule: [1s, x] }\n', `1:28: delivery.schedule[1]: ${DURATION}, found "x"`],
  [
    'empty list',
    'delivery: { schedule: [] }\n',
    '1:23: delivery.schedule: a list with at least one entry is expected, found an empty list',
  ],

  [
    'port',
    'hep: { listen: ["udp:127.0.0.1:65536"] }\n',
    `1:17: hep.listen[0]: ${UDP_OR_TCP}, found "udp:127.0.0.1:65536"`,
  ],
  [
    'IPv4',
    'hep: { listen: ["udp:256.0.0.1:9060"] }\n',
    `1:17: hep.listen[0]: ${UDP_OR_TCP}, found "udp:256.0.0.1:9060"`,
  ],
  ['IPv6', 'hep: { listen: ["tcp:[::g]:9060"] }\n', `1:17: hep.listen[0]: ${UDP_OR_TCP}, found "tcp:[::g]:9060"`],
  ['no port', 'hep: { listen: ["udp:127.0.0.1"] }\n', `1:17: hep.listen[0]: ${UDP_OR_TCP}, found "udp:127.0.0.1"`],
  [
    'transport',
    'hep: { listen: ["sctp:127.0.0.1:1"] }\n',
    `1:17: hep.listen[0]: ${UDP_OR_TCP}, found "sctp:127.0.0.1:1"`,
  ],
  [
    'HTTP port',
    'http: { listen: "[::1]:99999" }\n',
    '1:17: http.listen: an address such as 127.0.0.1:8080 or [::1]:8080 is expected, found "[::1]:99999"',
  ],
  [
    'PBX with a port that is none',
    tenant('pbx: ["192.0.2.1:99999"]'),
    '2:13: tenants[0].pbx[0]: an IP address, or one with a port such as 127.0.0.1:5070, is expected, found "192.0.2.1:99999"',
  ],
  [
    'PBX by name',
    tenant('pbx: [pbx.example.com]'),
    '2:13: tenants[0].pbx[0]: an IP address, or one with a port such as 127.0.0.1:5070, is expected, found "pbx.example.com"',
  ],
  [
    'TLS without a certificate',
    'sip: { listen: ["udp:127.0.0.1:5060", "tls:127.0.0.1:5061"] }\n',
    '1:39: sip.listen[1]: sip.tls.cert and sip.tls.key are expected for tls:127.0.0.1:5061',
  ],
  [
    'a PBX with a user',
    'sip: { upstream: "sip:me@192.0.2.10" }\n',
    '1:18: sip.upstream: a SIP URI without user is expected, such as sip:192.0.2.10',
  ],
  [
    'a name server by name',
    'sip: { nameServers: [dns.example.com] }\n',
    '1:22: sip.nameServers[0]: an address such as 192.0.2.53 or 192.0.2.53:53 is expected, found "dns.example.com"',
  ],
  [
    'network',
    'delivery: { allowedNetworks: [10.0.0.0/33] }\n',
    '1:31: delivery.allowedNetworks[0]: a network such as 10.0.0.0/8 or fd00::/8 is expected, found "10.0.0.0/33"',
  ],
  [
    'response code',
    'callStatus: { responses: { 200: BUSY } }\n',
    '1:28: callStatus.responses.200: a final response code is expected',
  ],
  ['cause', 'callStatus: { q850: { 128: BUSY } }\n', '1:23: callStatus.q850.128: a Q.850 cause is expected'],
  [
    'status',
    'callStatus: { q850: { 21: busy } }\n',
    '1:27: callStatus.q850.21: one of ANSWER, BUSY, NOANSWER, CANCEL, CONGESTION, CHANUNAVAIL is expected, found "busy"',
  ],

  ['no URL', rule('method: GET'), '2:5: callEvents[0].url: an http or https URL is expected, found nothing'],
  ['URL left empty', rule('url: '), '2:44: callEvents[0].url: an http or https URL is expected, found nothing'],
  ['scheme', rule('url: "ftp://x"'), '2:43: callEvents[0].url: an http or https URL is expected'],
  ['one slash', rule('url: "http:/x"'), '2:43: callEvents[0].url: an http or https URL is expected'],
  ['space', rule('url: "http://x/a b"'), '2:43: callEvents[0].url: an http or https URL is expected'],
  ['line break', rule('url: "http://x/a\\nb"'), '2:43: callEvents[0].url: an http or https URL is expected'],
  ['port of a URL', rule('url: "http://x:99999/"'), '2:43: callEvents[0].url: an http or https URL is expected'],
  [
    'user in the URL',
    rule('url: "http://me:hunter2@x/"'),
    '2:43: callEvents[0].url: a URL without user and password is expected; give them as auth.basic',
  ],
  [
    'unknown event',
    'callEvents: [{ extension: "*", event: dialin, url: "http://x" }]\n',
    `1:39: callEvents[0].event: one of ${EVENTS} is expected, found "dialin"`,
  ],
  [
    'unknown event in a list',
    'callEvents: [{ extension: "*", event: [hangup, 5], url: "http://x" }]\n',
    `1:48: callEvents[0].event[1]: one of ${EVENTS} is expected, found 5`,
  ],
  [
    'no event',
    'callEvents: [{ extension: "*", event: [], url: "http://x" }]\n',
    '1:39: callEvents[0].event: a list with at least one entry is expected, found an empty list',
  ],
  [
    'method',
    rule('url: "http://x", method: post'),
    '2:63: callEvents[0].method: one of GET, POST is expected, found "post"',
  ],
  [
    'GET with a body',
    rule('url: "http://x", body: json'),
    '2:55: callEvents[0].body: a GET has no body; use method: POST',
  ],
  [
    'header name',
    rule('url: "http://x", headers: { "a b": x }'),
    '2:66: callEvents[0].headers.a b: a header name is expected',
  ],
  [
    'header of HTTP itself',
    rule('url: "http://x", headers: { Content-Length: "0" }'),
    '2:66: callEvents[0].headers.Content-Length: a header that neither HTTP nor a signature sets is expected',
  ],
  [
    'header value',
    rule('url: "http://x", headers: { a: "hunter2\\r\\nb: c" }'),
    `2:69: callEvents[0].headers.a: ${HEADER_VALUE}`,
  ],
  [
    'header of the signature',
    rule('url: "http://x", headers: { Webhook-Id: "0" }'),
    '2:66: callEvents[0].headers.Webhook-Id: a header that neither HTTP nor a signature sets is expected',
  ],
  [
    'short secret',
    rule('url: "http://x", secret: whsec_aHVudGVyMg=='),
    `2:63: callEvents[0].secret: ${SECRET} or a list is expected`,
  ],
  [
    'three secrets',
    rule(`url: "http://x", secret: [${WHSEC}, ${WHSEC}, ${WHSEC}]`),
    '2:63: callEvents[0].secret: at most 2 is expected',
  ],
  [
    'authentication of no kind',
    rule('url: "http://x", auth: {}'),
    '2:61: callEvents[0].auth: either basic or bearer is expected',
  ],
  [
    'authentication of two kinds',
    rule('url: "http://x", auth: { bearer: x, basic: { user: x, password: y } }'),
    '2:61: callEvents[0].auth: either basic or bearer is expected',
  ],
  [
    'authentication by a header, too',
    rule('url: "http://x", auth: { bearer: x }, headers: { Authorization: x }'),
    '2:87: callEvents[0].headers.Authorization: either this header or auth is expected, found both',
  ],
  [
    'user of two parts',
    rule('url: "http://x", auth: { basic: { user: "a:b", password: x } }'),
    '2:78: callEvents[0].auth.basic.user: a user without ":" is expected',
  ],
  [
    'no password',
    rule('url: "http://x", auth: { basic: { user: a } }'),
    '2:70: callEvents[0].auth.basic.password: a password of one line is expected, found nothing',
  ],
  [
    'rule for a bad range',
    'callEvents: [{ extension: ["*", 101-9], event: hangup, url: "http://x" }]\n',
    '1:33: callEvents[0].extension[1]: both ends of the range 101-9 need the same number of digits',
  ],

  [
    'range',
    tenant('extensions: ["119-110"]'),
    '2:20: tenants[0].extensions[0]: the range 119-110 ends before it begins',
  ],
  [
    'extension of no kind',
    tenant('extensions: [true]'),
    `2:20: tenants[0].extensions[0]: ${NUMBER} or a mapping is expected, found true`,
  ],
  [
    'empty extension',
    tenant('extensions: [""]'),
    `2:20: tenants[0].extensions[0]: ${NUMBER} or a mapping is expected, found ""`,
  ],
  [
    'extension with a space',
    tenant('extensions: ["1 2"]'),
    `2:20: tenants[0].extensions[0]: ${NUMBER} or a mapping is expected, found "1 2"`,
  ],
  [
    'extension without number',
    tenant('extensions: [{ name: x }]'),
    `2:20: tenants[0].extensions[0].number: ${NUMBER} is expected, found nothing`,
  ],
  [
    'prefix twice',
    tenant('prefix: "0003", extensions: ["0003*101"]'),
    "2:36: tenants[0].extensions[0]: the number without the tenant's prefix is expected: 101",
  ],
  [
    'kind',
    extension('kind: fax'),
    '2:43: tenants[0].extensions[0].kind: one of phone, queue, ivr, conference is expected, found "fax"',
  ],
  [
    'DID',
    extension('dids: [main]'),
    '2:44: tenants[0].extensions[0].dids[0]: a public number of 2 to 20 digits is expected, found "main"',
  ],
  [
    'DID of a range',
    tenant('extensions: [{ number: 1-9, dids: ["15551230001"] }]'),
    '2:35: tenants[0].extensions[0].dids: a single number is expected, 1-9 has several',
  ],
  [
    'DID twice',
    tenant('extensions: [{ number: 1, dids: ["15551"] }, { number: 2, dids: ["+15551"] }]'),
    '2:72: tenants[0].extensions[1].dids[0]: 15551 is given twice',
  ],
  ['extension twice', tenant('extensions: [101, "101"]'), '2:25: tenants[0].extensions[1]: 101 is given twice'],
  ['prefix of two', `${tenant('prefix: "1"')}  - { prefix: "1" }\n`, '3:15: tenants[1].prefix: 1 is given twice'],
  [
    'two without prefix',
    `${tenant('domains: [a.example]')}  - { domains: [b.example] }\n`,
    '3:5: tenants[1].prefix: another tenant has no prefix either',
  ],
  [
    'domain of two',
    `${tenant('domains: [a.example]')}  - { prefix: "1", domains: [A.Example] }\n`,
    '3:30: tenants[1].domains[0]: a.example is given twice',
  ],

  ['variable that is not set', 'store: ${NOPE}\n', '1:8: store: the environment variable NOPE is not set'],
  [
    'variable in a list',
    tenant('domains: [a.example, "${NOPE}"]'),
    '2:28: tenants[0].domains[1]: the environment variable NOPE is not set',
  ],
  ['reference without end', 'store: "${NOPE"\n', `1:8: store: ${REFERENCE}`],
  ['reference to no name', 'store: "${NO PE}"\n', `1:8: store: ${REFERENCE}`],
  [
    'all at once, in order',
    'sip: { engine: x }\nhepp: 1\nlog: { level: x }\n',
    '1:16: sip.engine: one of embedded, drachtio, none is expected, found "x"',
    '2:1: hepp: no such option; did you mean hep?',
    '3:15: log.level: one of trace, debug, info, warn, error, silent is expected, found "x"',
  ],
];

t.test('every mistake is told on a line of its own, with its place', (t) => {
  for (const [name, text, ...expected] of MISTAKES) {
    const found = problemsOf(text);
    if (expected[0]?.startsWith('^')) t.match(found, [new RegExp(expected[0])], name);
    else
      t.strictSame(
        found,
        expected.map((line) => `f.yaml:${line}`),
        name,
      );
  }
  t.end();
});

t.test('no secret shows up in an error', (t) => {
  const texts = [
    extension('password: *hunter2'),
    extension('password: !hunter2 x'),
    extension('password: "x" hunter2'),
    'tenants:\n  - extensions:\n    - password: >hunter2\n',
    extension('password: [hunter2]'),
    extension('ha1: hunter2'),
    extension('kind: "${SECRET}"'),
    rule('url: "ftp://x/?token=hunter2"'),
    rule('url: "http://me:hunter2@x/"'),
    rule('url: "http://x/", headers: hunter2'),
    rule('url: "http://x/", secret: hunter2'),
    rule('url: "http://x/", auth: hunter2'),
    rule('url: "http://x/", auth: { bearer: "hunter2 x" }'),
    rule('url: "http://x/", auth: { bearer: [hunter2] }'),
    rule('url: "http://x/", auth: { basic: hunter2 }'),
    rule('url: "http://x/", auth: { basic: { user: "hunter2:x", password: "hunter2\\n" } }'),
    rule('url: "http://x/", auth: { bearer: hunter2 }, headers: { authorization: hunter2 }'),
    rule('url: "http://x/", secret: [whsec_hunter2]'),
    rule('url: "http://x/", secret: { hunter2: }'),
    rule('url: "http://x/", headers: { a: [hunter2] }'),
    'log: { level: "${SECRET}" }\n',
    'log: { level: "${NOPE:-hunter2}" }\n',
  ];
  for (const text of texts) {
    const problems = problemsOf(text);
    t.ok(problems.length > 0, `there is an error: ${text}`);
    t.notMatch(problems.join('\n'), /hunter2/, text);
  }
  t.end();
});

t.test('a file that runs wild is refused in a few lines', (t) => {
  const bomb = ['a', 'b', 'c', 'd', 'e'].map((name, i, names) => {
    const item = i === 0 ? 'x' : `*${names[i - 1]}`;
    return `${name}: &${name} [${Array(9).fill(item).join(', ')}]\n`;
  });
  t.match(problemsOf(bomb.join('')), [/^f.yaml:1:1: Excessive alias count/], 'aliases of aliases');
  const nested = problemsOf('['.repeat(5000));
  t.equal(nested.length, 1, 'one line');
  t.match(nested, [/nested too deeply$/], 'a mountain of brackets');
  t.end();
});

t.test('files that are none', (t) => {
  const folder = t.testdir();
  const problemOf = (path: string): string => {
    try {
      loadConfiguration(path, ENVIRONMENT);
      return 'none';
    } catch (error) {
      return error instanceof OptionError ? error.message : `not an OptionError: ${String(error)}`;
    }
  };
  const missing = join(folder, 'missing.yaml');
  t.equal(problemOf(missing), `${missing}: no such file`);
  const directory = join(folder, 'directory.yaml');
  mkdirSync(directory);
  t.equal(problemOf(directory), `${directory}: a directory, not a configuration file`);
  const latin = join(folder, 'latin.yaml');
  writeFileSync(latin, Buffer.from('log: { level: info }\nstore: caf\xe9\n', 'latin1'));
  t.equal(problemOf(latin), `${latin}:2:1: UTF-8 text is expected, found other bytes`);
  const marked = join(folder, 'marked.yaml');
  writeFileSync(marked, '\ufeffhepp: 1\n');
  t.equal(problemOf(marked), `${marked}:1:1: hepp: no such option; did you mean hep?`, 'a byte order mark');
  const large = join(folder, 'large.yaml');
  writeFileSync(large, '#'.repeat(16 * 1024 * 1024 + 1));
  t.equal(problemOf(large), `${large}: larger than 16 MB`);
  t.end();
});

const isRoot = process.getuid?.() === 0;
t.test('a file without permission', { skip: isRoot && 'SKIPPED: root may read every file' }, (t) => {
  const path = join(t.testdir({ 'f.yaml': 'log:\n' }), 'f.yaml');
  chmodSync(path, 0);
  t.throws(() => loadConfiguration(path), { message: `${path}: not readable: permission denied` });
  t.end();
});

t.test('numbers keep what YAML would change', (t) => {
  const { tenants } = parse(
    tenant(
      'prefix: 0003, extensions: [101, 0101, { number: 0102, dids: [+15551230001] }], pickupCodes: [**]'.replace(
        '**',
        '"**"',
      ),
    ),
  );
  t.match(tenants, [{ prefix: '0003', pickupCodes: ['**'] }]);
  t.strictSame(
    tenants[0]?.extensions.map(({ number }) => number),
    ['101', '0101', '0102'],
  );
  t.strictSame(tenants[0]?.extensions[2]?.dids, ['+15551230001']);
  t.end();
});

t.test('what is left empty is left out', (t) => {
  const defaults = parse('').options;
  for (const text of ['\n', '# nothing\n', 'tenants:\ncallEvents:\nsip:\ndelivery:\nstore:\n', '--- {}\n']) {
    t.strictSame(parse(text).options, defaults, JSON.stringify(text));
  }
  t.end();
});

t.test('addresses and domains are brought into the form in which they are seen', (t) => {
  const [found] = parse(
    tenant('domains: [ACME.Example], pbx: ["2001:DB8:0:0::1", "::ffff:192.0.2.1", 192.0.2.2]'),
  ).tenants;
  t.strictSame(found?.domains, ['acme.example']);
  t.strictSame(found?.pbx, ['2001:db8::1', '192.0.2.1', '192.0.2.2']);
  t.end();
});

t.test('of entries that overlap the narrowest comes first', (t) => {
  const [found] = parse(tenant('extensions: ["*", "1??", 110-119, { number: 115, kind: queue }, 7]')).tenants;
  t.strictSame(
    found?.extensions.map(({ number }) => number),
    ['115', '7', '110-119', '1??', '*'],
  );
  t.end();
});

t.test('the environment', (t) => {
  const cases: readonly [text: string, store: string][] = [
    ['${HOST}', 'crm.example.com'],
    ['https://${HOST}/${HOST}', 'https://crm.example.com/crm.example.com'],
    ['${NOPE:-x y}', 'x y'],
    ['${HOST:-x}', 'crm.example.com'],
    ['a${NOPE:-}b', 'ab'],
    ['a${EMPTY}b', 'ab'],
    ['$${HOST}', '${HOST}'],
    ['$HOST', '$HOST'],
    ['$$', '$$'],
  ];
  for (const [text, store] of cases) t.equal(parse(`store: "${text}"\n`).options.store, store, text);
  t.end();
});

t.test('rules', (t) => {
  const text = [
    'defaults: { callFlow: lower }',
    'callEvents:',
    '  - { extension: 101, event: dial-in, url: "http://x/?a=1", note: one }',
    '  - { extension: ["101", 110-119], event: [dial-in, hangup], method: POST, url: "http://x/", body: json,',
    '      extras: [EventID], headers: { X-Token: "${SECRET}" }, enabled: false, callFlow: upper, omitEmpty: true,',
    '      schedule: [1s, 1m], staleAfter: 5m }',
    'delivery: { schedule: [3s], staleAfter: 30s }',
  ].join('\n');
  const style = { callFlow: 'lower', callId: 'sip', answeredHangup: 'ANSWER', omitEmpty: false };
  const first = {
    source: 'file',
    extensions: ['101'],
    events: ['dial-in'],
    method: 'GET',
    url: 'http://x/?a=1',
    note: 'one',
    enabled: true,
  };
  const second = {
    source: 'file',
    extensions: ['101', '110-119'],
    events: ['dial-in', 'hangup'],
    method: 'POST',
    url: 'http://x/',
    note: '',
    enabled: false,
  };
  const rules = parse(text).rules.map(({ id, ...rest }) => (t.match(id, /^[0-9a-f]{20}$/), rest));
  t.strictSame(rules, [
    {
      ...first,
      extras: [],
      body: 'form',
      headers: {},
      secrets: [],
      tls: undefined,
      style,
      scheduleMs: [3000],
      staleAfterMs: 30_000,
    },
    {
      ...second,
      extras: ['EventID'],
      body: 'json',
      headers: { 'X-Token': 'hunter2' },
      secrets: [],
      tls: undefined,
      style: { ...style, callFlow: 'upper', omitEmpty: true },
      scheduleMs: [1000, 60_000],
      staleAfterMs: 300_000,
    },
  ]);
  t.end();
});

t.test('authentication of rules becomes a header', (t) => {
  const table: [auth: string, authorization: string][] = [
    ['{ bearer: "${SECRET}" }', 'Bearer hunter2'],
    ['{ bearer: a-Z_0.~+/== }', 'Bearer a-Z_0.~+/=='],
    ['{ basic: { user: Aladdin, password: open sesame } }', 'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='],
    ['{ basic: { user: test, password: 123£ } }', 'Basic dGVzdDoxMjPCow=='],
    ['{ basic: { user: a, password: "b:c" } }', `Basic ${btoa('a:b:c')}`],
    ['{ basic: { user: a, password: "" } }', `Basic ${btoa('a:')}`],
  ];
  for (const [auth, authorization] of table) {
    const { headers } = parse(rule(`url: "http://x/", headers: { X-A: b }, auth: ${auth}`)).rules[0]!;
    t.strictSame(headers, { 'X-A': 'b', authorization }, auth);
  }
  t.end();
});

t.test('secrets of rules', (t) => {
  const secretsOf = (secret: string) =>
    parse(rule(`url: "http://x/", secret: ${secret}`)).rules[0]!.secrets.map((key) => key.export().toString());
  t.strictSame(secretsOf(WHSEC), ['x'.repeat(24)]);
  t.strictSame(secretsOf(`[${WHSEC}, ${WHSEC}]`), ['x'.repeat(24), 'x'.repeat(24)]);
  for (let size = 20; size < 70; size++) {
    const text = `whsec_${Buffer.alloc(size, 'x').toString('base64')}`;
    if (size < 24 || size > 64) t.throws(() => secretsOf(text), OptionError, `${size} bytes`);
    else t.strictSame(secretsOf(text), ['x'.repeat(size)], `${size} bytes`);
  }
  t.end();
});

t.test('ids of rules', (t) => {
  const entry = (options = '') => `  - { extension: "101", event: hangup, url: "http://x/"${options} }\n`;
  const ids = (...entries: string[]) => parse(`callEvents:\n${entries.join('')}`).rules.map(({ id }) => id);
  const [id] = ids(entry());
  t.equal(new Set(ids(entry(), entry(), entry(', method: POST'))).size, 3, 'no two are the same');
  t.strictSame(ids(entry(', note: x, enabled: false, headers: { a: b }')), [id], 'stays when the rest changes');
  t.equal(ids(entry(', method: POST'), entry())[1], id, 'stays when it moves');
  t.end();
});

t.test('warnings', (t) => {
  const numbers: readonly [extension: string, isKnown: boolean][] = [
    ['0003*101', true],
    ['0003*115', true],
    ['0003*1??', true],
    ['*', true],
    ['0003*999', false],
    ['101', false],
  ];
  for (const [number, isKnown] of numbers) {
    const text = `${tenant('prefix: "0003", extensions: [101, 110-119]')}callEvents:\n  - { extension: "${number}", event: hangup, url: "http://x/" }\n`;
    const warnings = parse(text).warnings.map((warning) => formatProblem('f.yaml', warning));
    t.strictSame(
      warnings,
      isKnown ? [] : [`f.yaml:4:18: callEvents[0].extension: no tenant has the extension ${number}`],
      number,
    );
  }
  t.end();
});

t.test('who may come in for what nobody has is warned of', (t) => {
  const hash = `$scrypt$ln=15,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
  const { warnings } = parseConfiguration(
    'f.yaml',
    `tenants: [{ prefix: "0003", extensions: ["101", "110-119"] }]
http:
  users:
    - { name: a, password: "${hash}", role: extension, extension: "0003*115" }
    - { name: b, password: "${hash}", role: extension, extension: "0003*120" }
    - { name: c, password: "${hash}", tenant: "0004" }
  tokens:
    - { name: d, token: "${'x'.repeat(20)}", tenant: 3 }
    - { name: e, token: "${'y'.repeat(20)}", tenant: "0003" }`,
    {},
  );
  t.strictSame(
    warnings.map(({ line, path, text }) => [line, path, text]),
    [
      [5, 'http.users[1].extension', 'no tenant has the extension 0003*120'],
      [6, 'http.users[2].tenant', 'no tenant has the prefix 0004'],
      [8, 'http.tokens[0].tenant', 'no tenant has the prefix 3'],
    ],
  );
  t.end();
});
