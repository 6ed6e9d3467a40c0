import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { Ringside } from '../commands/process.ts';
import { type DrachtioServer, isDrachtio, SECRET, startDrachtio } from './support/drachtio.ts';
import { ownFolder } from './support/own-folder.ts';
import { until } from './support/ports.ts';
import type { Endpoint } from './support/relay.ts';

/** Ringside as its users run it, with a script that takes every event. */
export interface Product {
  readonly process: Ringside;
  /** Where it takes SIP, by transport. */
  readonly places: { readonly [transport: string]: Endpoint };
  readonly udp: Endpoint;
  /** The server in the path, if there is one. */
  readonly drachtio: DrachtioServer | undefined;
  /** What the script got, in order. */
  readonly told: readonly Record<string, string>[];
  /** `extension event status`, in order, once there are that many; fails if they do not come, or more do. */
  readonly events: (count: number) => Promise<string[]>;
}

export interface ProductOptions {
  /** Lines of the section `calls`. */
  readonly calls?: string;
  /** Lines of the section `sip`, and of the first tenant. */
  readonly sip?: string;
  readonly tenant?: string;
  /** Those of the first tenant, as in YAML. */
  readonly extensions?: string;
  /** Folder to run in: that of a run before keeps its store. */
  readonly folder?: string;
  /** `sip` says where to listen. */
  readonly isListenGiven?: boolean;
}

/** Starts Ringside and its script; both end with the test. */
export async function startProduct(t: Test, options: ProductOptions = {}): Promise<Product> {
  const told: Record<string, string>[] = [];
  const script = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      told.push(JSON.parse(body) as Record<string, string>);
      response.end();
    });
  });
  await new Promise<void>((done) => script.listen(0, '127.0.0.1', done));
  t.teardown(() => script.close());
  const folder = options.folder ?? ownFolder(t);
  const file = join(folder, 'ringside.yaml');
  const domains = (options.sip ?? '').includes('upstream') ? '' : 'acme.example.com'; // else those of the PBX
  const run = isDrachtio ? await findServer(t, folder, domains) : undefined;
  const engine = run ? drachtioLines(run.server) : '';
  writeFileSync(file, makeConfig((script.address() as AddressInfo).port, options, engine));
  const product = new Ringside(t, ['run', '--config', file]);
  if (run) run.product = product;
  const [, list = ''] = await product.waitFor(/^SIP .* on (.*)\.\n[^]*Ctrl-C/m);
  const places = Object.fromEntries([...list.matchAll(/(\w+):([\d.]+):(\d+)/g)].map(readPlace));
  const events = (count: number): Promise<string[]> => waitForEvents(told, count);
  return { process: product, places, udp: places['udp']!, drachtio: run?.server, told, events };
}

interface Run {
  readonly server: DrachtioServer;
  product?: Ringside;
}

const runs = new Map<string, Run>();

/** The server of a folder, which stays when Ringside starts again there. */
async function findServer(t: Test, folder: string, domains: string): Promise<Run> {
  const known = runs.get(folder);
  if (known?.product && known.product.child.exitCode === null && known.product.child.signalCode === null)
    runs.delete(folder);
  const run = runs.get(folder) ?? { server: await startDrachtio(t, { domains }) };
  runs.set(folder, run);
  return run;
}

const drachtioLines = ({ adminPort, mirrorPort }: DrachtioServer): string => `engine: drachtio
  drachtio: { servers: [{ address: "tcp:127.0.0.1:${adminPort}", secret: ${SECRET} }] }
hep: { listen: ["udp:127.0.0.1:${mirrorPort}"] }`;

const readPlace = ([, transport, ip, port]: RegExpMatchArray): [string, Endpoint] => [
  transport!,
  { ip: ip!, port: Number(port) },
];

const LISTEN = 'listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0", "ws:127.0.0.1:0"]';

const EXTENSIONS = '{ number: "101", password: secret101 }, { number: "102", password: secret102 }, "1000-9999"';
const EXTRAS =
  'EventType, EventID, Detail, SubCallID, Correlation, TransferredBy, AnsweredBy, PreviousCallAPIID, Synthesised';

const makeConfig = (
  port: number,
  { sip = '', tenant = '', extensions = EXTENSIONS, ...rest }: ProductOptions,
  engine: string,
) => `
tenants:
  - prefix: "0003"
    domains: [acme.example.com]
    extensions: [${extensions}]
    ${tenant}
callEvents:
  - extension: "*"
    event: [dial-in, dial-out, answer-in, answer-out, hangup]
    method: POST
    body: json
    extras: [${EXTRAS}]
    url: "http://127.0.0.1:${port}/script"
sip:
  ${rest.isListenGiven === true ? '' : LISTEN}
  rateLimit: 0
  ${sip}
  ${engine}
calls: { ${rest.calls ?? ''} }
log: { level: warn }
`;

async function waitForEvents(told: readonly Record<string, string>[], count: number): Promise<string[]> {
  await until(() => told.length >= count, `${count} events`, 15_000).catch((error: Error) => {
    const there = Object.entries(Object.groupBy(told.map(describe), (event) => event));
    throw new Error(
      `${error.message}; there were ${there.map(([event, all]) => `${all!.length} ${event}`).join(', ')}`,
    );
  });
  return told.map(describe);
}

function describe(event: Record<string, string>): string {
  const whose = event['CallFlow'] === 'OUT' ? event['CallerExtension'] : event['CalledExtension'];
  return `${whose} ${event['EventType']} ${event['CallStatus']}`;
}
