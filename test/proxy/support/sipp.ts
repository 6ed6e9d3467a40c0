import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, freePort, isBound, until } from './ports.ts';
import { Program } from './program.ts';

/** What SIPp counted by the end. */
export interface SippStats {
  readonly created: number;
  readonly successful: number;
  readonly failed: number;
  readonly retransmissions: number;
  readonly unexpected: number;
  readonly timeouts: number;
}

export interface SippResult {
  /** 0 if all calls went well; null if it had to be ended. */
  readonly code: number | null;
  readonly stdout: string;
  /** Messages that it did not expect, and other complaints. */
  readonly errors: string;
  readonly stats: SippStats;
}

export interface SippOptions {
  readonly timeoutMs?: number;
  /** The network loses, doubles and reorders: what comes out of turn is passed over. Of use over UDP only. */
  readonly lossy?: boolean;
}

const COLUMNS: Readonly<Record<keyof SippStats, string>> = {
  created: 'TotalCallCreated',
  successful: 'SuccessfulCall(C)',
  failed: 'FailedCall(C)',
  retransmissions: 'Retransmissions(C)',
  unexpected: 'FailedUnexpectedMessage(C)',
  timeouts: 'FailedTimeoutOnRecv(C)',
};

/** What scenarios say in brackets if `-key` does not say otherwise. */
const KEYS: Readonly<Record<string, string>> = {
  domain: '[remote_ip]:[remote_port]',
  user: 'sipp',
  name: '',
  expires: '300',
  lossy: 'false',
};
const CALM = ['-key', 'lossy', 'true', '-default_behaviors', 'all,-abortunexp'];

const DEFAULT_MS = 30_000;

export const hasSipp = findProgram('sipp') !== undefined;

const valueOf = (args: readonly string[], name: string): string | undefined => {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
};

function keysOf(args: readonly string[]): Record<string, string> {
  const keys: Record<string, string> = {};
  args.forEach((arg, at) => {
    if (arg === '-key') keys[args[at + 1]!] = args[at + 2]!;
  });
  return keys;
}

/** A scenario of the folder with its keys filled in: SIPp itself takes none in attributes. */
function fillScenario(name: string, args: readonly string[]): string {
  const keys: Record<string, string> = { ...KEYS, ...keysOf(args) };
  const text = readFileSync(new URL(`scenarios/${name}.xml`, import.meta.url), 'utf8');
  return text.replace(/\[(\w+)\]/g, (whole, key: string) => keys[key] ?? whole);
}

function readStats(path: string): SippStats {
  const rows = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
  const names = rows[0]?.split(';') ?? [];
  const values = rows.at(-1)?.split(';') ?? [];
  const read = (name: string): number => Number(rows.length > 1 ? values[names.indexOf(name)] : 0);
  return Object.fromEntries(Object.entries(COLUMNS).map(([key, name]) => [key, read(name)])) as Record<
    keyof SippStats,
    number
  >;
}

/** A SIPp at work. */
export class Sipp {
  readonly ip: string;
  readonly port: number;
  readonly #program = new Program('sipp');
  readonly #timeoutMs: number;
  readonly #args: readonly string[];

  constructor(args: readonly string[], port: number, { timeoutMs = DEFAULT_MS, lossy = false }: SippOptions) {
    this.ip = valueOf(args, '-i') ?? '127.0.0.1';
    this.port = port;
    this.#timeoutMs = timeoutMs;
    this.#args = lossy ? [...args, ...CALM] : args;
    this.#program.start(this.#withDefaults());
  }

  /** Until it is bound: from then on it takes calls. */
  async open(): Promise<this> {
    const transport = valueOf(this.#args, '-t')?.startsWith('t') ? 'tcp' : 'udp';
    const isReady = (): boolean => this.#program.hasEnded || isBound(transport, this.ip, this.port);
    await until(isReady, `sipp binds ${transport}:${this.ip}:${this.port}`);
    if (this.#program.hasEnded) throw new Error(`sipp gave up: ${this.#program.output}`);
    return this;
  }

  /** What came of it, once it has ended: by its number of calls (`-m`), or by force when its time is over. */
  async result(): Promise<SippResult> {
    const code = await this.#program.wait(this.#timeoutMs);
    const { folder } = this.#program;
    const errors = existsSync(join(folder, 'errors')) ? readFileSync(join(folder, 'errors'), 'utf8') : '';
    const result = { code, stdout: this.#program.output, errors, stats: readStats(join(folder, 'stats')) };
    this.#program.discard();
    return result;
  }

  /** Ends it once the calls under way are over. */
  stop(): Promise<SippResult> {
    this.#program.signal('SIGUSR1');
    return this.result();
  }

  #withDefaults(): string[] {
    const { folder } = this.#program;
    const args = [...this.#args];
    const scenario = args.indexOf('-sf') + 1;
    if (scenario > 0 && !args[scenario]!.includes('/')) {
      writeFileSync(join(folder, 'scenario.xml'), fillScenario(args[scenario]!, args));
      args[scenario] = 'scenario.xml';
    }
    const { domain } = keysOf(args);
    const place = [
      ['-i', this.ip],
      ['-p', `${this.port}`],
      ['-bind_local'],
      ['-ci', '127.0.0.1'],
      ['-mi', this.ip],
      ...(domain === undefined ? [] : [['-auth_uri', domain]]),
    ];
    const added = place.filter(([name]) => !args.includes(name!)).flat();
    // calls of a connection that the other side closes when it is done are not failed for that
    const closing = args.includes('-reconnect_close') ? [] : ['-reconnect_close', 'false'];
    const traces = ['-trace_stat', '-stf', 'stats', '-fd', '1', '-trace_err', '-error_file', 'errors'];
    return [...args, ...added, '-nostdin', ...closing, ...traces];
  }
}

/**
 * Starts SIPp; `-sf uas-answer` is the scenario of that name. It gets a free port at 127.0.0.1 unless `-i` and `-p` say
 * otherwise.
 */
export async function startSipp(args: readonly string[], options: SippOptions = {}): Promise<Sipp> {
  const port = valueOf(args, '-p') ?? (await freePort(valueOf(args, '-i')));
  return new Sipp(args, Number(port), options).open();
}

/** Runs SIPp to its end, by default for one call. */
export async function runSipp(args: readonly string[], options: SippOptions = {}): Promise<SippResult> {
  const all = args.includes('-m') ? args : ['-m', '1', ...args];
  const port = valueOf(args, '-p') ?? (await freePort(valueOf(args, '-i')));
  return new Sipp(all, Number(port), options).result();
}
