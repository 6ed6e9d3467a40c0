import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import type { DeliveryState } from '../deliveries/delivery.ts';
import { parseDuration } from '../option-types.ts';
import type { Choice } from './deliveries.ts';
import type { TextOutput } from './output.ts';

const STATES: readonly DeliveryState[] = ['pending', 'delivered', 'stale', 'dead'];

/** Adds `ringside deliveries list|show|retry|purge`. */
export function addDeliveries(program: Command, config: string, out: TextOutput, finish: (code: number) => void): void {
  const deliveries = program.command('deliveries').description('what was sent to which script, and what came of it');
  const load = () => import('./deliveries.ts'); // what only it needs is loaded only for it
  const withConfig = (command: Command) => command.option('-c, --config <file>', 'configuration', config);
  addFilter(withConfig(deliveries.command('list').description('list deliveries, the newest last')))
    .option('-n, --limit <number>', 'how many', readNumber, 50)
    .option('-j, --json', 'one line of JSON a delivery', false)
    .action(async (choice: Choice & { limit: number; json: boolean }) =>
      finish((await load()).listDeliveries(choice, out)),
    );
  withConfig(deliveries.command('show').description('show a delivery with all its attempts'))
    .argument('<id>', 'its number in the list', readNumber)
    .option('-j, --json', 'one object of JSON', false)
    .action(async (id: number, options: { config: string; json: boolean }) =>
      finish((await load()).showDelivery(id, options, out)),
    );
  addFilter(withConfig(deliveries.command('retry').description('send again: those named, or all dead ones that fit')))
    .addArgument(new Argument('[id...]', 'their numbers in the list').argParser(readNumbers))
    .action(async (ids: number[] | undefined, choice: Choice) =>
      finish((await load()).retryDeliveries(ids ?? [], choice, out)),
    );
  addFilter(
    withConfig(deliveries.command('purge').description('delete finished deliveries: those named, or all that fit')),
  )
    .addArgument(new Argument('[id...]', 'their numbers in the list').argParser(readNumbers))
    .option('--all', 'all that are finished', false)
    .action(async (ids: number[] | undefined, choice: Choice & { all: boolean }, command: Command) => {
      const isChosen = (ids ?? []).length > 0 || Object.keys(choice).some((name) => !['config', 'all'].includes(name));
      if (!isChosen && !choice.all) command.error("error: name deliveries, choose some, or say '--all'");
      finish((await load()).purgeDeliveries(ids ?? [], choice, out));
    });
}

const addFilter = (command: Command): Command =>
  command
    .addOption(new Option('--state <states>', `of these states: ${STATES.join(', ')}`).argParser(readStates))
    .option('--rule <id>', 'of that rule')
    .option('--extension <number>', 'of events of that extension, such as 0003*101')
    .option('--call <id>', 'of the call with that CallAPIID')
    .option('--since <time>', 'published since then: a date, or a duration such as 2h', readTime)
    .option('--until <time>', 'published before then', readTime)
    .option('--status <code>', 'whose last answer had that HTTP status; 0: no answer', readStatus);

function readNumber(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw new InvalidArgumentError('A number from 1 up is expected.');
  return Number(text);
}

const readNumbers = (text: string, before: number[] = []): number[] => [...before, readNumber(text)];

function readStates(text: string): DeliveryState[] {
  const states = text.split(',') as DeliveryState[];
  if (states.every((state) => STATES.includes(state))) return states;
  throw new InvalidArgumentError(`One or several of ${STATES.join(', ')} are expected.`);
}

function readTime(text: string): number {
  const ago = parseDuration(text);
  const at = ago === undefined ? (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : NaN) : Date.now() - ago;
  if (Number.isNaN(at))
    throw new InvalidArgumentError('A date such as 2026-01-31T09:00 or a duration such as 2h is expected.');
  return at;
}

function readStatus(text: string): number {
  if (!/^(0|[1-5]\d\d)$/.test(text)) throw new InvalidArgumentError('An HTTP status or 0 is expected.');
  return Number(text);
}
