import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram } from '../../proxy/support/ports.ts';
import { cpuMicroseconds, isRunning, start, stop, waitUntil } from './processes.ts';
import { endOf, startTraffic, stopTraffic, type Outcome } from './sipp.ts';

// CPU time per call of a drachtio server and of the application on it: Ringside, which tells events, beside a bare script that
// proxies, in the same run. Needs Linux, Debian's sipp, and drachtio in the PATH or by DRACHTIO_BIN.
// usage: node test/bench/proxy/drachtio-bench.ts
// environment: RATE (calls per second), SECONDS, HOLD (ms a call is up), WARMUP (seconds that are not measured), PORT, ROUNDS

const number = (name: string, otherwise: number): number => Number(process.env[name] ?? otherwise);
const [RATE, SECONDS, HOLD, WARMUP] = [
  number('RATE', 200),
  number('SECONDS', 20),
  number('HOLD', 1000),
  number('WARMUP', 5),
];
const PORT = number('PORT', 17160);
const ROUNDS = number('ROUNDS', 2);
const ports = { proxy: PORT, called: PORT + 10, caller: PORT + 20 };
const [admin, mirror] = [PORT + 30, PORT + 40];
const READY_MS = 15_000;

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const serverConfig = (isMirrored: boolean): string => `<drachtio>
  <admin port="${admin}" secret="cymru">127.0.0.1</admin>
  <sip>
    <contacts><contact>sip:127.0.0.1:${ports.proxy};transport=udp</contact></contacts>
    ${isMirrored ? `<capture-server port="${mirror}" hep-version="3" id="101">127.0.0.1</capture-server>` : ''}
    <udp-mtu>65535</udp-mtu>
  </sip>
  <logging><console/><loglevel>notice</loglevel><sofia-loglevel>1</sofia-loglevel></logging>
</drachtio>`;

const ringsideConfig = (folder: string): string => `
tenants: [{ extensions: ["*"], sensor: trunk }]
callEvents:
  - { extension: "*", event: [dial-in, dial-out, answer-in, answer-out, hangup], url: "http://127.0.0.1:9/x", enabled: false }
hep: { listen: ["udp:127.0.0.1:${mirror}"] }
sip:
  engine: drachtio
  drachtio: { servers: [{ address: "tcp:127.0.0.1:${admin}" }] }
  upstream: "sip:127.0.0.1:${ports.called}"
  rateLimit: 0
log: { level: warn }
store: ${JSON.stringify(join(folder, 'ringside.db'))}
`;

/** An application on the server: its command, and what it says when it is ready. */
interface Application {
  readonly name: string;
  readonly isMirrored: boolean;
  readonly says: string;
  readonly command: (folder: string) => readonly string[];
}

const node = path('../../../node_modules/.bin/node');

const applications: readonly Application[] = [
  {
    name: 'bare script',
    isMirrored: false,
    says: 'ready',
    command: () => [node, path('drachtio-script.js'), `${admin}`, `sip:127.0.0.1:${ports.called}`],
  },
  {
    name: 'Ringside',
    isMirrored: true,
    says: 'Ctrl-C stops it.',
    command: (folder) => {
      const config = join(folder, 'ringside.yaml');
      writeFileSync(config, ringsideConfig(folder));
      return [
        node,
        '--max-semi-space-size=24',
        '--heap-growing-percent=150',
        path('../../../src/main.ts'),
        'run',
        '--config',
        config,
      ];
    },
  },
];

async function traffic(seconds: number, folder: string): Promise<Outcome> {
  const load = { callsPerSecond: RATE, calls: RATE * seconds, holdMilliseconds: HOLD };
  const running = await startTraffic(ports, load, folder);
  return endOf(running).finally(() => stopTraffic(running));
}

async function ready(process: ChildProcess, log: string, says: string): Promise<void> {
  await waitUntil(() => !isRunning(process) || readFileSync(log, 'utf8').includes(says), READY_MS);
  if (!readFileSync(log, 'utf8').includes(says)) throw new Error(`it does not start: ${readFileSync(log, 'utf8')}`);
}

/** Microseconds per call of the server and of the application. */
async function measure({ name, isMirrored, says, command }: Application): Promise<readonly [number, number]> {
  const folder = mkdtempSync(join(tmpdir(), 'drachtio-bench-'));
  const processes: ChildProcess[] = [];
  const run = async (words: readonly string[], log: string, text: string): Promise<ChildProcess> => {
    const process = start(words, join(folder, log));
    processes.push(process);
    await ready(process, join(folder, log), text);
    return process;
  };
  try {
    writeFileSync(join(folder, 'drachtio.conf.xml'), serverConfig(isMirrored));
    const server = await run(
      [findProgram('drachtio')!, '-f', join(folder, 'drachtio.conf.xml')],
      'server.log',
      'event loop',
    );
    const application = await run(command(folder), 'application.log', says);
    await traffic(WARMUP, folder);
    const both = [server, application] as const;
    const before = both.map(({ pid }) => cpuMicroseconds(pid!));
    const { made, failed, perSecond, ...again } = await traffic(SECONDS, folder);
    const [ofServer, ofApplication] = both.map(({ pid }, i) => (cpuMicroseconds(pid!) - before[i]!) / made);
    console.log(
      `${name}: ${made} calls at ${perSecond} per second, ${failed} failed, ${again.callerRetransmissions} sent again; ` +
        `µs per call: server ${ofServer!.toFixed(0)}, application ${ofApplication!.toFixed(0)}`,
    );
    return [ofServer!, ofApplication!];
  } finally {
    for (const process of processes) await stop(process);
    rmSync(folder, { recursive: true, force: true });
  }
}

for (let round = 0; round < ROUNDS; round++) {
  const [[, bare], [, ringside]] = [await measure(applications[0]!), await measure(applications[1]!)];
  console.log(`application, Ringside / bare script: ${(ringside / bare).toFixed(2)}`);
}
