import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { OptionError } from '../../src/options.ts';
import { loadConfiguration } from '../../src/rules/config-file.ts';
import { makeCertificate } from '../proxy/support/certificate.ts';

const own = makeCertificate('client.example');
const other = makeCertificate('other.example');

/** A folder with certificates and a configuration of these rules. */
const prepare = (...rules: string[]) => ({
  'own.pem': own.cert,
  'own.key': own.key,
  'other.key': other.key,
  'both.pem': `${own.cert}\n${other.cert}`,
  'broken.pem': own.cert.replace(/\n.{20}/, '\nhunter2'),
  'secret.key': 'hunter2',
  'unreadable.key': own.key,
  'folder': {},
  'ringside.yaml': ['callEvents:', ...rules.map((rule) => `  - { extension: "*", event: hangup, ${rule} }`)].join('\n'),
});

t.test('files are found beside the configuration, and told apart by what is in them', (t) => {
  const rules = [
    'tls: { ca: own.pem }',
    'tls: { ca: ./folder/../own.pem }',
    'tls: { ca: both.pem, cert: own.pem, key: own.key }',
    'tls: { ca: own.pem, minVersion: TLSv1.3 }',
    'note: none',
  ];
  const folder = t.testdir(prepare(...rules.map((rule) => `url: "https://x/", ${rule}`)));
  const [first, second, ...rest] = loadConfiguration(join(folder, 'ringside.yaml')).rules.map(({ tls }) => tls);
  t.equal(first!.id, second!.id);
  t.equal(new Set([first, ...rest].map((tls) => tls?.id)).size, 4);
  t.equal(rest.at(-1), undefined);
  t.notMatch(JSON.stringify([first, rest]), /PRIVATE KEY/);
  t.end();
});

t.test('what is wrong with a file is told with its name and the option', (t) => {
  const table: [tls: string, problem: RegExp][] = [
    ['{ ca: none.pem }', /callEvents\[0\]\.tls\.ca: none\.pem can't be read: ENOENT$/],
    ['{ ca: folder }', /tls\.ca: folder can't be read: EISDIR$/],
    ['{ ca: secret.key }', /tls\.ca: secret\.key can't be used: certificates \(PEM\) are expected$/],
    ['{ ca: broken.pem }', /tls\.ca: broken\.pem can't be used: certificates/],
    ['{ cert: secret.key, key: own.key }', /tls\.cert: secret\.key can't be used: /],
    ['{ cert: own.pem, key: secret.key }', /tls\.key: secret\.key can't be used: /],
    ['{ cert: own.pem, key: other.key }', /tls\.key: other\.key can't be used: .*mismatch/],
    ['{ cert: own.pem, key: none.key }', /tls\.key: none\.key can't be read: ENOENT$/],
    ['{ cert: own.pem }', /tls\.key: the key of cert is expected, found nothing$/],
    ['{ key: own.key }', /tls\.cert: the certificate of key is expected, found nothing$/],
    ['{ ca: "" }', /tls\.ca: the path of a file is expected/],
    ['{ minVersion: TLSv1 }', /tls\.minVersion: one of TLSv1\.2, TLSv1\.3 is expected/],
    ['{ verify: false }', /tls\.verify: no such option/],
  ];
  if (process.getuid?.() !== 0)
    table.push(['{ cert: own.pem, key: unreadable.key }', /unreadable\.key can't be read: EACCES$/]);
  for (const [tls, problem] of table) {
    const folder = t.testdir(prepare(`url: "https://x/", tls: ${tls}`));
    chmodSync(join(folder, 'unreadable.key'), 0);
    try {
      loadConfiguration(join(folder, 'ringside.yaml'));
      t.fail(`${tls} was taken`);
    } catch (error) {
      t.ok(error instanceof OptionError, tls);
      t.match((error as Error).message, /ringside\.yaml:2:\d+: callEvents\[0\]/, 'with its place');
      t.match((error as Error).message, problem);
      t.notMatch((error as Error).message, /hunter2/);
    }
  }
  t.end();
});

t.test('TLS is for https', (t) => {
  const folder = t.testdir(prepare('url: "http://x/", tls: { ca: own.pem }'));
  t.throws(() => loadConfiguration(join(folder, 'ringside.yaml')), { message: /tls: an https URL is expected$/ });
  t.end();
});
