import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort, until } from './ports.ts';
import type { Endpoint } from './relay.ts';
import { Program } from './program.ts';

const START_MS = 20_000;

/** The suite runs with drachtio in the path. */
export const isDrachtio = process.env['SIP_ENGINE'] === 'drachtio';

export const SECRET = 'a secret of the tests';

export interface DrachtioOptions {
  /** Where it mirrors to; 0: nowhere. */
  readonly mirrorPort?: number;
  /** An address of its own; one that nobody has if there is none. */
  readonly ip?: string;
  /** Where it listens, such as `sip:IP:5060;transport=udp,tcp`. */
  readonly contacts?: readonly string[];
  /** Domains that mean the server itself. */
  readonly domains?: string;
  /** More elements of the configuration. */
  readonly more?: string;
}

const CONTACTS = ['sip:IP:5060;transport=udp,tcp', 'sip:IP:5080;transport=ws'];

/** Its port must be 5060: only then does a domain without port mean it. */
const makeIp = (): string => `127.${[64, 0, 1].map((least) => least + Math.floor(Math.random() * 190)).join('.')}`;

/** A real drachtio server: the program `drachtio`, from the PATH or by DRACHTIO_BIN. */
export class DrachtioServer {
  readonly adminPort: number;
  readonly mirrorPort: number;
  /** Where it takes SIP over UDP. */
  readonly udp: Endpoint;
  readonly #config: string;
  #program: Program | undefined;

  constructor(adminPort: number, mirrorPort: number, ip: string, config: string) {
    this.udp = { ip, port: 5060 };
    this.adminPort = adminPort;
    this.mirrorPort = mirrorPort;
    this.#config = config;
  }

  static async make(options: DrachtioOptions = {}): Promise<DrachtioServer> {
    const { mirrorPort = await freePort(), more = '', domains = 'acme.example.com' } = options;
    const { ip = makeIp() } = options;
    const contacts = (options.contacts ?? CONTACTS).map((uri) => uri.replace('IP', ip));
    const adminPort = await freePort();
    const mirror =
      mirrorPort > 0 ? `<capture-server port="${mirrorPort}" hep-version="3" id="101">127.0.0.1</capture-server>` : '';
    const list = contacts.map((uri) => `<contact dns-names="${domains}">${uri}</contact>`).join('');
    const config =
      `<drachtio><admin port="${adminPort}" secret="${SECRET}">127.0.0.1</admin>` +
      `<sip><contacts>${list}</contacts>${mirror}<udp-mtu>65535</udp-mtu></sip>${more}` +
      `<logging><console/><loglevel>notice</loglevel><sofia-loglevel>1</sofia-loglevel></logging></drachtio>`;
    return new DrachtioServer(adminPort, mirrorPort, ip, config);
  }

  /** Runs it; what ran before is gone. */
  async start(): Promise<this> {
    const program = new Program('drachtio');
    this.#program = program;
    const file = join(program.folder, 'drachtio.conf.xml');
    writeFileSync(file, this.#config);
    program.start(['-f', file]);
    const isUp = async (): Promise<boolean> => program.hasEnded || (await accepts(this.adminPort));
    await until(isUp, 'the drachtio server', START_MS);
    if (program.hasEnded) throw new Error(`drachtio ended at once: ${program.output}`);
    return this;
  }

  get output(): string {
    return this.#program?.output ?? '';
  }

  signal(name: NodeJS.Signals): void {
    this.#program?.signal(name);
  }

  async stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    await this.#program?.stop(signal);
  }
}

/** A server that runs until the test ends. */
export async function startDrachtio(t: Test, options: DrachtioOptions = {}): Promise<DrachtioServer> {
  const server = await DrachtioServer.make(options);
  t.teardown(() => server.stop());
  return server.start();
}

function accepts(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1', () => done(true));
    socket.on('connect', () => socket.destroy());
    socket.on('error', () => done(false));
  });
}
