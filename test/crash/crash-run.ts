import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CallFeeder } from './call-feeder.ts';
import { FailingScript } from './failing-script.ts';
import { SocketWatch } from './socket-watch.ts';
import { type Findings, type UpTime, verify } from './verify.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const LONGEST_CALL_MS = 8000;
/** Calls go on for so long when it was killed for the last time: on a slow machine, too, some are seen whole. */
const LAST_MS = 4000;

export interface CrashOptions {
  /** A folder for the configuration and the store. */
  readonly folder: string;
  readonly hepPort: number;
  readonly rounds: number;
  readonly callsPerSecond: number;
  readonly onRound?: (round: number, taken: number) => void;
}

const configure = (hepPort: number, url: string): string => `
tenants: [{ extensions: ["*"] }]
sip: { engine: none }
hep: { listen: ["udp:127.0.0.1:${hepPort}"] }
calls: { longestCall: ${LONGEST_CALL_MS}ms, ringLimit: 4s, linger: 1s, dialHold: 50ms }
delivery:
  schedule: [20ms, 50ms, 100ms, 200ms, 500ms, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s, 1s]
  staleAfter: 1d
  breaker: { minWait: 50ms, maxWait: 500ms }
log: { level: silent }
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    method: POST
    url: ${url}
    extras: [EventType, EventID, Sequence, Synthesised]
`;

/** Plays calls to a Ringside that is killed again and again; tells what the script got in the end. */
export async function crash({ folder, hepPort, rounds, callsPerSecond, onRound }: CrashOptions): Promise<Findings> {
  const script = new FailingScript();
  const config = join(folder, 'ringside.yaml');
  writeFileSync(config, configure(hepPort, await script.listen()));
  const feeder = new CallFeeder(hepPort, callsPerSecond);
  const upTimes: UpTime[] = [];
  feeder.start();
  for (let round = 0; round < rounds; round++) {
    const server = await start(config);
    const watch = new SocketWatch(hepPort);
    await wait(200 + Math.random() * 1800);
    const upTime = watch.stop();
    await kill(server);
    upTimes.push(upTime);
    onRound?.(round, script.taken.length);
  }
  const last = await start(config);
  const watch = new SocketWatch(hepPort);
  await wait(LAST_MS);
  await feeder.stop();
  await wait(LONGEST_CALL_MS); // by then what has lost its end is told to be over
  await settle(script);
  upTimes.push(watch.stop());
  last.kill('SIGTERM');
  await once(last, 'exit');
  script.close();
  return verify(feeder.calls, script.taken, upTimes, script.refused);
}

async function start(config: string) {
  const server = spawn(process.execPath, [main, 'run', '-c', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  while (!out.includes('Ctrl-C')) {
    const [text] = (await Promise.race([once(server.stdout, 'data'), once(server, 'exit')])) as [
      Buffer | number | null,
    ];
    if (!(text instanceof Buffer)) throw new Error(`Ringside ended: ${out}`);
    out += text.toString();
  }
  server.stdout.resume();
  return server;
}

async function kill(server: Awaited<ReturnType<typeof start>>): Promise<void> {
  const exited = once(server, 'exit');
  server.kill('SIGKILL');
  await exited;
}

/** Until nothing came for a while. */
async function settle({ taken }: FailingScript): Promise<void> {
  let count = -1;
  while (count !== taken.length) {
    count = taken.length;
    await wait(3000);
  }
}
