import t from 'tap';
import { isDrachtio } from './support/drachtio.ts';
import { findProgram } from './support/ports.ts';

// The tests of calls from end to end once more, with a drachtio server in the path: the same calls tell the same.

const FILES = [
  'pbx-calls',
  'pbx-groups',
  'pbx-transfers',
  'phone-transfers',
  'call-status',
  'run',
  'drachtio-restart',
  'browser',
  'peers',
];

const isThere = findProgram('drachtio') !== undefined;
if (!isThere) console.error('NOT TESTED with a drachtio server: there is no drachtio in the PATH, nor DRACHTIO_BIN');

const TIMEOUT_S = 600;

t.setTimeout(TIMEOUT_S * 1000);
t.test('with drachtio', { skip: !isThere || isDrachtio, jobs: 2, timeout: TIMEOUT_S * 1000 }, async (t) => {
  const spawned = FILES.map((file) =>
    t.spawn(process.execPath, [new URL(`./${file}.test.ts`, import.meta.url).pathname], {
      env: { ...process.env, SIP_ENGINE: 'drachtio', TAP_TIMEOUT: `${TIMEOUT_S}` },
      name: file,
    }),
  );
  await Promise.all(spawned);
});
