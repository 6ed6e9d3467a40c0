import type { ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isBound, isRunning, start, stop, waitUntil } from './processes.ts';
import type { Ports } from './sipp.ts';

// The proxies that are measured.

export interface Server {
  readonly name: string;
  readonly process: ChildProcess;
}

type Start = (ports: Ports, folder: string) => Promise<Server | undefined>;

const START_MILLISECONDS = 10_000;
const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/** Every proxy by name; undefined and a message if one does not start. */
export const servers: Readonly<Record<string, Start>> = {
  Kamailio: (ports, folder) => startServer('Kamailio', kamailio(ports), ports, folder),
  Ringside: (ports, folder) => startServer('Ringside', ringside(ports, folder), ports, folder, 'Ctrl-C stops it.'),
};

function kamailio({ proxy, called }: Ports): string[] {
  const config = ['-f', path('kamailio.cfg'), '-l', `udp:127.0.0.1:${proxy}`, `--subst=/UASPORT/${called}/g`];
  return ['/usr/sbin/kamailio', ...config, '-m', '1024', '-M', '64', '-x', 'fm', '-X', 'fm', '-DD', '-E'];
}

function ringside(ports: Ports, folder: string): string[] {
  const config = join(folder, 'ringside.yaml');
  writeFileSync(config, ringsideConfig(ports, folder));
  return runRingside(config);
}

/** Ringside alone, with a configuration of one's own; what its heaps hold goes to `heap.log`. */
export function startRingside(config: string, ports: Ports, folder: string): ReturnType<Start> {
  const command = [
    'env',
    `HEAP_LOG=${join(folder, 'heap.log')}`,
    ...runRingside(config, ['--import', path('heap-log.ts')]),
  ];
  return startServer('Ringside', command, ports, folder, 'Ctrl-C stops it.');
}

function runRingside(config: string, more: readonly string[] = []): string[] {
  const node = [path('../../../node_modules/.bin/node'), '--max-semi-space-size=24', '--heap-growing-percent=150'];
  return [...node, ...more, path('../../../src/main.ts'), 'run', '--config', config];
}

const ringsideConfig = ({ proxy, called }: Ports, folder: string): string => `
tenants: [{ extensions: ["*"], sensor: trunk }]
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    method: POST
    url: "http://127.0.0.1:9/x"
    enabled: false
sip:
  engine: embedded
  listen: ["udp:127.0.0.1:${proxy}"]
  upstream: "sip:127.0.0.1:${called}"
  rateLimit: 0
log: { level: warn }
store: ${JSON.stringify(join(folder, 'ringside.db'))}
`;

async function startServer(name: string, command: readonly string[], ports: Ports, folder: string, says = '') {
  if (isBound(ports.proxy)) throw new Error(`port ${ports.proxy} is in use`);
  const log = join(folder, `${name}.log`);
  const process = start(command, log);
  const isReady = (): boolean => isBound(ports.proxy) && readFileSync(log, 'utf8').includes(says);
  await waitUntil(() => !isRunning(process) || isReady(), START_MILLISECONDS);
  if (isRunning(process) && isReady()) return { name, process };
  await stop(process);
  console.log(`${name} is skipped: it does not listen on port ${ports.proxy}\n${readFileSync(log, 'utf8').trim()}`);
  return undefined;
}
