import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';

const root = new URL('../../', import.meta.url).pathname;

function ringside(folder: string, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'src/main.ts'), ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], TOKEN: 'hunter2' },
    encoding: 'utf8',
    timeout: 30_000,
  });
  return { status, stdout: stdout.split('\n'), stderr: stderr.split('\n') };
}

t.test('a good file: what it makes Ringside do', (t) => {
  const folder = t.testdir({
    'ringside.yaml': `
tenants:
  - { prefix: "0003", extensions: ["101", 110-119] }
callEvents:
  - { extension: ["0003*101", "0003*110-119"], event: [dial-in, hangup], method: POST, url: "http://127.0.0.1:9/crm?token=\${TOKEN}", note: screen pop }
  - { extension: "0003*999", event: hangup, url: "http://127.0.0.1:9/late", headers: { Authorization: "Bearer \${TOKEN}" }, enabled: false }
hep: { listen: ["udp:127.0.0.1:9060"] }
`,
  });
  t.strictSame(ringside(folder, 'check'), {
    status: 0,
    stdout: [
      'ringside.yaml:6:18: callEvents[1].extension: no tenant has the extension 0003*999 (warning)',
      'SIP as registrar and proxy on udp:127.0.0.1:5060 and tcp:127.0.0.1:5060.',
      'Listening for HEP on udp:127.0.0.1:9060.',
      'Extensions of 0003.',
      'Calling one script:',
      '  0003*101, 0003*110-119: dial-in, hangup -> POST http://127.0.0.1:9/crm?… (screen pop)',
      '  0003*999: hangup -> GET http://127.0.0.1:9/late (disabled)',
      'ringside.yaml is fine.',
      '',
    ],
    stderr: [''],
  });
  t.end();
});

t.test('an empty file', (t) => {
  const { status, stdout } = ringside(t.testdir({ 'empty.yaml': '' }), 'check', 'empty.yaml');
  t.equal(status, 0);
  t.strictSame(stdout, [
    'SIP as registrar and proxy on udp:127.0.0.1:5060 and tcp:127.0.0.1:5060.',
    'No tenants: nobody is an extension, so nothing will be told.',
    'No rules: no script is called.',
    'empty.yaml is fine.',
    '',
  ]);
  t.end();
});

t.test('a bad file: every mistake on one line, exit code 2', (t) => {
  const folder = t.testdir({ 'bad.yaml': 'tenant: []\nstore: ""\nlog: { level: "${TOKEN}" }\n' });
  t.strictSame(ringside(folder, 'check', 'bad.yaml'), {
    status: 2,
    stdout: [''],
    stderr: [
      'bad.yaml:1:1: tenant: no such option; did you mean tenants?',
      'bad.yaml:2:8: store: the path of a file is expected, found ""',
      'bad.yaml:3:15: log.level: one of trace, debug, info, warn, error, silent is expected',
      '',
    ],
  });
  t.strictSame(ringside(folder, 'check', 'none.yaml'), {
    status: 2,
    stdout: [''],
    stderr: ['none.yaml: no such file', ''],
  });
  t.end();
});

t.test('certificates that are not there, and a file that is not there yet', (t) => {
  const folder = t.testdir({ 'tls.yaml': 'http: { listen: 127.0.0.1:0, tls: { cert: a.pem, key: b.pem } }\n' });
  t.match(ringside(folder, 'check', 'tls.yaml'), {
    status: 2,
    stderr: /http\.tls\.cert: a\.pem can't be read: ENOENT/,
  });
  t.match(ringside(folder, 'check'), {
    status: 2,
    stderr: /^ringside\.yaml: no such file; copy ringside\.example\.yaml/,
  });
  t.end();
});

t.test('the schema', (t) => {
  const { status, stdout } = ringside(root, 'schema');
  t.equal(status, 0);
  t.match(JSON.parse(stdout.join('\n')), { title: 'ringside.yaml', type: 'object' });
  t.end();
});
