import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { findProgram, freePort, isBound, until } from './ports.ts';
import { Program } from './program.ts';
import type { Endpoint } from './relay.ts';

export const hasBaresip = findProgram('baresip') !== undefined;

const READY_MS = 10_000;
const RESPONSE_MS = 3000;
const TOLD = 2000; // characters of its output in an error

export interface BaresipOptions {
  readonly user: string;
  /** Of the address of record; the host of the outbound proxy without it. */
  readonly domain?: string;
  readonly password?: string;
  readonly authUser?: string;
  /** Where everything is sent to. */
  readonly outbound: Endpoint;
  readonly transport?: 'udp' | 'tcp';
  readonly ip?: string;
  /** Answers calls by itself. */
  readonly answers?: boolean;
  /** Seconds it registers for; 0 for not at all. */
  readonly expires?: number;
  /** More parameters of the account: `;sipnat=outbound`. */
  readonly parameters?: string;
}

/** Something that happened in a baresip: `type` is `CALL_ESTABLISHED` and the like. */
export interface BaresipEvent {
  readonly type: string;
  readonly param?: string;
  readonly peeruri?: string;
  readonly direction?: string;
  readonly id?: string;
}

interface BaresipResponse {
  readonly ok: boolean;
  readonly data?: string;
  readonly token: string;
}

/** Where Debian keeps the modules. */
const MODULES = '/usr/lib/baresip/modules';

const configOf = (ip: string, sipPort: number, controlPort: number): string => `
sip_listen ${ip}:${sipPort}
rtp_ports 20000-39998
audio_player aubridge,none
audio_source aubridge,none
net_interface ${ip}
audio_alert aubridge,none
module_path ${MODULES}
module g711.so
module aubridge.so
module_tmp uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${controlPort}
ringback_disabled yes
`;

/** Takes netstrings from a stream: length, colon, content, comma. */
function cutNetstrings(take: (text: string) => void): (data: Buffer) => void {
  let held = Buffer.alloc(0);
  return (data) => {
    held = Buffer.concat([held, data]);
    for (;;) {
      const colon = held.indexOf(':');
      const end = colon + 1 + Number(held.toString('latin1', 0, Math.max(0, colon)));
      if (colon < 0 || held.length <= end) return;
      take(held.toString('utf8', colon + 1, end));
      held = held.subarray(end + 1);
    }
  };
}

/** A baresip with one account, without sound: it sends back what it hears. */
export class Baresip {
  readonly options: BaresipOptions;
  readonly ip: string;
  readonly aor: string;
  /** Everything that happened, in order. */
  readonly events: BaresipEvent[] = [];
  readonly #program = new Program('baresip');
  readonly #taken = new Set<BaresipEvent>();
  readonly #answers = new Map<string, (response: BaresipResponse) => void>();
  #commands = 0;
  #control: Socket | undefined;

  constructor(options: BaresipOptions) {
    this.options = options;
    this.ip = options.ip ?? '127.0.0.1';
    this.aor = `sip:${options.user}@${options.domain ?? `${options.outbound.ip}:${options.outbound.port}`}`;
  }

  get output(): string {
    return this.#program.output;
  }

  /** Starts it, until it is registered or, without registration, until it takes orders. */
  async open(): Promise<this> {
    const control = await freePort();
    this.#configure(await freePort(this.ip), control);
    this.#program.start(['-s', '-f', this.#program.folder]);
    await until(() => this.#program.hasEnded || isBound('tcp', '127.0.0.1', control), 'baresip takes orders', READY_MS);
    if (this.#program.hasEnded) throw new Error(`baresip gave up: ${this.output}`);
    this.#control = this.#connect(control);
    if (this.options.expires !== 0) await until(() => this.isRegistered(), `${this.aor} is registered`, READY_MS);
    return this;
  }

  async isRegistered(): Promise<boolean> {
    return /\[32mOK/.test((await this.command('reginfo')).data ?? '');
  }

  /** Gives an order as one would type it: `dial sip:bob@example.test`, with what it says to it. */
  command(name: string, params = ''): Promise<BaresipResponse> {
    const token = `c${++this.#commands}`;
    const text = JSON.stringify({ command: name, params, token });
    this.#control?.write(`${Buffer.byteLength(text)}:${text},`);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`baresip did not answer ${name}`)), RESPONSE_MS);
      this.#answers.set(token, (response) => {
        clearTimeout(timer);
        resolve(response);
      });
    });
  }

  async dial(uri: string): Promise<void> {
    await this.command('dial', uri);
  }

  async accept(): Promise<void> {
    await this.command('accept');
  }

  async hangUp(): Promise<void> {
    await this.command('hangup');
  }

  /** The first event of that type which was given to nobody yet. */
  async next(type: string, timeoutMs = READY_MS): Promise<BaresipEvent> {
    const find = (): BaresipEvent | undefined =>
      this.events.find((event) => event.type === type && !this.#taken.has(event));
    const came = (): string => this.events.map((event) => `${event.type} ${event.param ?? ''}`).join(', ');
    await until(() => find() !== undefined, `${type} at ${this.aor}`, timeoutMs).catch((error: Error) => {
      throw new Error(`${error.message}; there were ${came() || 'no events'}`);
    });
    const event = find()!;
    this.#taken.add(event);
    return event;
  }

  async stop(): Promise<void> {
    this.#control?.destroy();
    await this.#program.stop();
  }

  #configure(sipPort: number, controlPort: number): void {
    const { outbound, transport = 'udp', authUser, password = 'none', answers = false, expires = 60 } = this.options;
    const { folder } = this.#program;
    const account = [
      `<${this.aor};transport=${transport}>`,
      `outbound="sip:${outbound.ip}:${outbound.port};transport=${transport}"`,
      `auth_user=${authUser ?? this.options.user}`,
      `auth_pass=${password}`,
      `answermode=${answers ? 'auto' : 'manual'}`,
      `regint=${expires}`,
    ].join(';');
    writeFileSync(join(folder, 'config'), configOf(this.ip, sipPort, controlPort));
    writeFileSync(join(folder, 'accounts'), `${account}${this.options.parameters ?? ''}\n`);
    writeFileSync(join(folder, 'contacts'), '');
  }

  #connect(port: number): Socket {
    const take = cutNetstrings((text) => this.#take(text));
    const control = connect(port, '127.0.0.1').on('data', take);
    return control.on('error', () => undefined); // of its end one hears by what is missing
  }

  #take(text: string): void {
    const told = JSON.parse(text) as BaresipEvent & BaresipResponse & { event?: boolean };
    if (told.event === true) return void this.events.push(told);
    this.#answers.get(told.token)?.(told);
    this.#answers.delete(told.token);
  }
}

export async function startBaresip(options: BaresipOptions): Promise<Baresip> {
  const baresip = new Baresip(options);
  return baresip.open().catch(async (error: Error) => {
    await baresip.stop();
    throw new Error(`${error.message}\n${baresip.output.slice(-TOLD)}`);
  });
}
