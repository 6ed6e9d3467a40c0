import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../option-types.ts';
import { OptionError } from '../options.ts';
import { CaptureError } from '../sources/capture-error.ts';
import { EVENT_NAMES, type EventName } from '../calls/event.ts';
import { check, printSchema } from './check.ts';
import { addDeliveries } from './deliveries-arguments.ts';
import type { ExplainOptions } from './explain.ts';
import { replay, type ReplayOptions, type Surroundings } from './replay.ts';
import { VERSION } from './version.ts';

const DEFAULT_CONFIG = 'ringside.yaml';

/** Runs the command line; returns the exit code: 0 done, 1 not all delivered, 2 wrong use or input, 70 a fault of Ringside's own. */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  let exitCode = 0;
  const finish = (code: number): void => {
    exitCode = code;
  };
  const stop = new AbortController();
  const surroundings: Surroundings = { out: process.stdout, err: process.stderr, signal: stop.signal };
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());
  // Whoever reads our output may leave early (`| head`): that ends the work, and is no fault.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit(0);
  });
  try {
    await makeProgram(surroundings, finish).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportError(error);
  }
}

function makeProgram(surroundings: Surroundings, finish: (code: number) => void): Command {
  const program = new Command('ringside')
    .description('Watches SIP and calls your scripts.')
    .version(VERSION)
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'ringside: ')) });
  program
    .command('run')
    .description('watch calls and call scripts until stopped')
    .option('-c, --config <file>', 'configuration', DEFAULT_CONFIG)
    .action(async ({ config }: { config: string }) => {
      const { run } = await import('./run.ts'); // what only it needs is loaded only for it
      finish(await run(config, surroundings, (reload) => process.on('SIGHUP', reload)));
    });
  addReplay(program, surroundings, finish);
  addExplain(program, surroundings, finish);
  addDeliveries(program, DEFAULT_CONFIG, surroundings.out, finish);
  addRules(program, surroundings, finish);
  program
    .command('check')
    .description('check a configuration')
    .argument('[file]', 'configuration', DEFAULT_CONFIG)
    .action((file: string) => finish(check(file, surroundings.out)));
  program
    .command('password')
    .description('read a password and print its hash, for http.users')
    .action(async () => {
      const { printPasswordHash } = await import('./password.ts'); // what only it needs is loaded only for it
      finish(await printPasswordHash(process.stdin, surroundings.out, surroundings.err));
    });
  program
    .command('schema')
    .description('print the JSON Schema of the configuration, for editors')
    .action(() => finish(printSchema(surroundings.out)));
  return program;
}

function addRules(program: Command, { out }: Surroundings, finish: (code: number) => void): void {
  const rules = program.command('rules').description('which events go to which scripts');
  const load = () => import('./rules.ts'); // what only it needs is loaded only for it
  rules
    .command('list')
    .description('list the rules with their ids')
    .option('-c, --config <file>', 'configuration', DEFAULT_CONFIG)
    .action(async (options: { config: string }) => finish((await load()).listRules(options, out)));
  rules
    .command('test')
    .description('send a sample event of a rule to its script and show the answer')
    .argument('<id>', 'its id')
    .option('-c, --config <file>', 'configuration', DEFAULT_CONFIG)
    .addOption(new Option('--event <event>', 'which, instead of the first that the rule is for').choices(EVENT_NAMES))
    .action(async (id: string, options: { config: string; event?: EventName }) =>
      finish(await (await load()).testRule(id, options, out)),
    );
}

interface ReplayArguments extends Omit<ReplayOptions, 'waitMs'> {
  readonly wait: number;
}

function addReplay(program: Command, surroundings: Surroundings, finish: (code: number) => void): void {
  program
    .command('replay')
    .description('replay captures (pcap, pcapng, gzip; "-" is standard input) through the same code')
    .argument('<file...>', 'captures')
    .option('-c, --config <file>', 'configuration; without one every SIP user is an extension and nothing is sent')
    .option('-n, --dry-run', 'send nothing, show which request would go where', false)
    .option('-j, --json', 'one line of JSON an event', false)
    .option('-q, --quiet', 'the summary only', false)
    .addOption(
      new Option('--pace <pace>', 'real: with the times between the messages; fast: without')
        .choices(['real', 'fast'])
        .default('fast'),
    )
    .option('--wait <duration>', 'how long to wait at the end for answers of scripts', readWait, 30_000)
    .action(async (files: string[], { wait, ...options }: ReplayArguments) => {
      finish(await replay(files, { ...options, waitMs: wait }, surroundings));
    });
}

function addExplain(program: Command, surroundings: Surroundings, finish: (code: number) => void): void {
  program
    .command('explain')
    .description('say why Ringside tells what it tells of a call in captures; without a choice, list the calls')
    .argument('<file...>', 'captures, as for replay')
    .option('-c, --config <file>', 'configuration; without one every SIP user is an extension')
    .option('--call <number>', 'the call with that number in the list', readCallNumber)
    .addOption(new Option('--call-id <id>', 'the call with that Call-ID or CallAPIID').conflicts('call'))
    .option('-j, --json', 'one object of JSON', false)
    .action(async (files: string[], options: ExplainOptions) => {
      const { explain } = await import('./explain.ts'); // what only it needs is loaded only for it
      finish(await explain(files, options, surroundings));
    });
}

function readCallNumber(text: string): number {
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new InvalidArgumentError('A number from 1 up is expected.');
  return Number(text);
}

function readWait(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError('A duration such as 500ms, 10s or 5m is expected.');
  return ms;
}

/** What the operator or the input did wrong is told in a line; anything else is a fault of ours, with all there is to find it. */
function reportError(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const isTheirs =
    error instanceof OptionError ||
    error instanceof CaptureError ||
    (error instanceof Error && ['StoreError', 'ListenError'].includes(error.name));
  process.stderr.write(
    `${isTheirs ? error.message : `ringside: internal error: ${(error as Error).stack ?? String(error)}`}\n`,
  );
  return isTheirs ? 2 : 70;
}
