import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Server, startRingside } from './servers.ts';
import type { Ports } from './sipp.ts';

// Ringside with a script for every event of every call, and that script.

export interface Watched {
  readonly server: Server;
  readonly folder: string;
  /** Takes the script and the folder away; the server is to be stopped before. */
  readonly close: () => void;
}

const configOf = ({ called }: Ports, listen: readonly string[], script: number, folder: string): string => `
tenants: [{ extensions: ["*"], sensor: trunk }]
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    method: POST
    body: json
    extras: [EventType]
    url: "http://127.0.0.1:${script}/x"
sip: { listen: ${JSON.stringify(listen)}, upstream: "sip:127.0.0.1:${called}", rateLimit: 0 }
delivery: { retention: 10m, staleAfter: 1h }
log: { level: warn }
store: ${JSON.stringify(join(folder, 'ringside.db'))}
`;

/** Starts both; `onEvent` gets the body of every request to the script. */
export async function startWatched(
  ports: Ports,
  onEvent: (body: string) => void,
  listen: readonly string[] = [`udp:127.0.0.1:${ports.proxy}`],
): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-watched-'));
  const script = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => response.end(() => onEvent(body)));
  }).listen(0, '127.0.0.1');
  await once(script, 'listening');
  const file = join(folder, 'ringside.yaml');
  writeFileSync(file, configOf(ports, listen, (script.address() as AddressInfo).port, folder));
  const server = await startRingside(file, ports, folder);
  if (!server) throw new Error('Ringside does not start');
  const close = (): void => {
    script.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return { server, folder, close };
}
