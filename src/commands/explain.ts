import { type Configuration, loadConfiguration } from '../rules/config-file.ts';
import { readCapture } from '../sources/capture-file.ts';
import { SourceCounts } from '../sources/source-counts.ts';
import { printable } from './event-lines.ts';
import { COLLECT_LIMITS, Collector } from '../explain/collector.ts';
import { formatList, formatStory, listJson, type ReportContext, storyJson } from './explain-report.ts';
import { type CallStory, findStories } from '../explain/story.ts';
import { LineWriter } from './output.ts';
import { ProgressBar } from './progress-bar.ts';
import type { Surroundings } from './replay.ts';
import { EventCounts, formatSummary } from './replay-summary.ts';
import { makeDirectory, makeTracker, OPEN_CONFIGURATION } from './setup.ts';

export interface ExplainOptions {
  readonly config?: string | undefined;
  /** Number of the call in the list. */
  readonly call?: number | undefined;
  /** A Call-ID of the call, or its CallAPIID. */
  readonly callId?: string | undefined;
  readonly json: boolean;
}

/** Says why Ringside tells what it tells of a call in captures. Returns the exit code: 0, or 2 without such a call. @throws CaptureError, OptionError */
export async function explain(
  files: readonly string[],
  options: ExplainOptions,
  surroundings: Surroundings,
): Promise<number> {
  const configuration = options.config === undefined ? OPEN_CONFIGURATION : loadConfiguration(options.config);
  if (options.config === undefined) {
    surroundings.err.write('No configuration: every SIP user counts as an extension.\n');
  }
  const stories = await readStories(files, configuration, surroundings);
  const chosen = chooseStory(stories, options);
  if (!chosen && (options.call !== undefined || options.callId !== undefined)) {
    surroundings.err.write(`ringside: ${printable(describeMiss(stories.length, options))}\n`);
    return 2;
  }
  const context = { directory: makeDirectory(configuration), calls: configuration.options.calls };
  const lines = new LineWriter(surroundings.out);
  for (const line of options.json ? [writeJson(stories, chosen, context)] : write(stories, chosen, context)) {
    lines.line(line);
  }
  lines.flush();
  return 0;
}

async function readStories(
  files: readonly string[],
  configuration: Configuration,
  { err, signal }: Surroundings,
): Promise<CallStory[]> {
  const tracker = makeTracker(configuration);
  const events = new EventCounts();
  const collector = new Collector(tracker, COLLECT_LIMITS, (event) => events.add(event));
  const counts = new SourceCounts();
  const began = performance.now();
  for (const file of files) {
    const bar = new ProgressBar(err, file);
    const onBytes = (read: number, total: number | undefined): void => bar.show(read, total);
    await readCapture(file, (observation) => collector.observe(observation), { counts, signal, onBytes });
    bar.clear();
  }
  collector.finish();
  for (const line of formatSummary(counts, tracker, events, performance.now() - began)) err.write(`${line}\n`);
  if (collector.dropped > 0) {
    const { legs, messages } = COLLECT_LIMITS;
    err.write(`${collector.dropped} messages beyond ${legs} legs or ${messages} messages are not shown\n`);
  }
  return findStories(collector);
}

/** The call that was asked for, or the only one there is. */
function chooseStory(stories: readonly CallStory[], { call, callId }: ExplainOptions): CallStory | undefined {
  if (call !== undefined) return stories[call - 1];
  if (callId === undefined) return stories.length === 1 ? stories[0] : undefined;
  return stories.find(
    ({ id, otherIds, legs }) =>
      id === callId || otherIds.includes(callId) || legs.some(({ leg }) => leg.callId === callId),
  );
}

function describeMiss(calls: number, { call, callId }: ExplainOptions): string {
  const found = calls === 1 ? 'there is one call' : `there are ${calls} calls`;
  return call === undefined ? `no call has the Call-ID ${callId}: ${found}` : `no call ${call}: ${found}`;
}

function write(stories: readonly CallStory[], chosen: CallStory | undefined, context: ReportContext): string[] {
  if (chosen) return formatStory(chosen, context).map(printable);
  if (stories.length === 0) return ['No calls.'];
  return [...formatList(stories).map(printable), '', 'Choose one with --call NUMBER or --call-id ID.'];
}

/** As JSON on one line, what could steer a terminal escaped. */
function writeJson(stories: readonly CallStory[], chosen: CallStory | undefined, context: ReportContext): string {
  const json = JSON.stringify(chosen ? storyJson(chosen, context) : listJson(stories));
  return json.replace(/[\p{Cc}\p{Cf}]/gu, escapeJson);
}

const escapeJson = (character: string): string =>
  character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
