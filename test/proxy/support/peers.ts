import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findProgram, freePort, until } from './ports.ts';
import { Program } from './program.ts';
import { makeRequest } from './wire-builders.ts';
import { openWirePhone } from './wire-phone.ts';

export * from './baresip.ts';

export const hasKamailio = findProgram('kamailio') !== undefined;

const READY_MS = 10_000;
const ASK_MS = 250;

export interface KamailioOptions {
  readonly ip?: string;
  readonly port?: number;
  /** Path of a configuration; the registrar of this folder without it. */
  readonly config?: string;
  /** Names to define in it. */
  readonly define?: Readonly<Record<string, string | number>>;
}

/** A Kamailio that listens over UDP and TCP. */
export class Kamailio {
  readonly ip: string;
  readonly port: number;
  readonly #program = new Program('kamailio', 'SIGTERM');

  constructor(ip: string, port: number) {
    this.ip = ip;
    this.port = port;
  }

  /** What it logged. */
  get output(): string {
    return this.#program.output;
  }

  async open({ config, define }: KamailioOptions): Promise<this> {
    const place = `${this.ip}:${this.port}`;
    const path = config ?? fileURLToPath(new URL('kamailio-registrar.cfg', import.meta.url));
    const names = { PATH_MODE: 1, PATH_USE_RECEIVED: 0, ...define };
    const defines = Object.entries(names).flatMap(([name, value]) => ['-A', `${name}=${value}`]);
    const { folder } = this.#program;
    const files = ['-f', path, '-w', folder, '-Y', folder, '-P', join(folder, 'pid')];
    const memory = ['-m', '32', '-M', '4'];
    this.#program.start([...files, ...memory, '-DD', '-E', ...defines, '-l', `udp:${place}`, '-l', `tcp:${place}`]);
    await this.#untilReady();
    return this;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }

  /** Until its workers answer. */
  async #untilReady(): Promise<void> {
    const phone = await openWirePhone({ ip: this.ip, target: this });
    const isReady = async (): Promise<boolean> => {
      if (this.#program.hasEnded) throw new Error(`kamailio gave up: ${this.output}`);
      await phone.send(makeRequest(phone, { method: 'OPTIONS', to: `sip:${this.ip}:${this.port}` }));
      return phone.next(200, ASK_MS).then(
        () => true,
        () => false,
      );
    };
    try {
      await until(isReady, `kamailio answers at ${this.ip}:${this.port}`, READY_MS);
    } finally {
      await phone.close();
    }
  }
}

export async function startKamailio(options: KamailioOptions = {}): Promise<Kamailio> {
  const ip = options.ip ?? '127.0.0.1';
  const kamailio = new Kamailio(ip, options.port ?? (await freePort(ip)));
  return kamailio.open(options).catch(async (error: Error) => {
    await kamailio.stop();
    throw error;
  });
}
