import t, { type Test } from 'tap';
import type { Browser, Page } from 'playwright-core';
import type { Call, Delivery } from '../../src/api/types.ts';
import { noBrowser, openBrowser, openPage } from './browser.ts';
import { FakeServer } from './fake/fake-server.ts';
import { makeCall, makeDelivery, makeRandom, makeRules, time } from './fake/fixtures.ts';

// A thousand live calls, a hundred of them changing every second: the page stays smooth.

const CALLS = 1000;
const CHANGES_A_SECOND = 100;
const BATCH_MS = 100;
const WATCHED_MS = 6000;
/** Of the browser's main thread: what takes longer is felt. */
const LONGEST_TASK_MS = 100;

const STATES = ['calling', 'ringing', 'answered', 'over'] as const;

/** Calls go on, end and begin, and deliveries are made, at a steady rate; returns what ends that. */
function keepChanging(server: FakeServer): () => void {
  const random = makeRandom(1);
  const live = new Map<number, number>(Array.from({ length: CALLS }, (_, index) => [index, index % 3]));
  let next = CALLS;
  let delivery = 1200;
  const rules = makeRules(Date.now());
  const change = (): Call => {
    const [index, stage] = [...live][Math.floor(random() * live.size)]!;
    const state = STATES[stage + 1]!;
    live.delete(index);
    if (state === 'over') live.set(next++, 0);
    else live.set(index, stage + 1);
    return makeCall({ index, now: Date.now(), state, ageMs: 30_000 });
  };
  const timer = setInterval(() => {
    const changed = Array.from({ length: (CHANGES_A_SECOND * BATCH_MS) / 1000 }, change);
    const begun = makeCall({ index: next - 1, now: Date.now(), state: 'calling', ageMs: 0 });
    server.push({ event: 'calls', data: { changed: [...changed, begun], gone: [] } });
    const made: Delivery = { ...makeDelivery(++delivery, Date.now(), rules), createdAt: time(Date.now()) };
    for (let i = 0; i < changed.length; i++) server.push({ event: 'delivery', data: { ...made, attempts: i } });
    server.push({ event: 'counts', data: { at: time(Date.now()), calls: live.size, parties: 2000, pending: 1 } });
  }, BATCH_MS);
  return () => clearInterval(timer);
}

interface TraceEvent {
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds by the clock, and of the processor. */
  readonly dur?: number;
  readonly tdur?: number;
  readonly args: { readonly name?: string };
}

/** The longest tasks of the page's main thread while something happens, in milliseconds of the processor. */
async function traceTasks(browser: Browser, page: Page, happen: () => Promise<unknown>): Promise<number[]> {
  await browser.startTracing(page, { categories: ['toplevel', '__metadata'] });
  await happen();
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  const mains = traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const tasks = traceEvents.filter(
    (event) => /RunTask/.test(event.name) && mains.some(({ pid, tid }) => pid === event.pid && tid === event.tid),
  );
  return tasks.map(({ tdur = 0 }) => tdur / 1000).sort((a, b) => b - a);
}

async function watchPage(t: Test, browser: Browser, url: string, act: (page: Page) => Promise<unknown>): Promise<void> {
  const page = await openPage(browser);
  await page.goto(url);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('link', { name: /^Calls\s*\d{3,}/ }).waitFor();
  const tasks = await traceTasks(browser, page, () => act(page));
  const total = tasks.reduce((sum, ms) => sum + ms, 0);
  t.comment(`longest tasks: ${tasks.slice(0, 3).map(Math.round).join(', ')} ms; ${Math.round(total)} ms in all`);
  t.ok(tasks.length > 50, 'the page was at work');
  t.ok(tasks[0]! < LONGEST_TASK_MS, `no task over ${LONGEST_TASK_MS} ms`);
  await page.context().close();
}

async function scroll(page: Page): Promise<void> {
  for (let waited = 0; waited < WATCHED_MS; waited += 500) {
    await page.mouse.wheel(0, 900);
    await page.waitForTimeout(500);
  }
}

t.test('a thousand live calls', { skip: noBrowser }, async (t) => {
  const now = Date.now();
  const rules = makeRules(now);
  const server = new FakeServer({
    calls: Array.from({ length: CALLS }, (_, index) =>
      makeCall({ index, now, state: STATES[index % 3]!, ageMs: 1000 * index }),
    ),
    recent: [],
    ladders: [],
    rules,
    deliveries: Array.from({ length: 100 }, (_, index) => makeDelivery(1200 - index, now, rules)),
  });
  const origin = await server.start();
  const browser = await openBrowser();
  const stop = keepChanging(server);
  t.teardown(async () => {
    stop();
    await browser.close();
    server.stop();
  });
  await t.test('live calls', (t) => watchPage(t, browser, `${origin}/calls`, scroll));
  await t.test('overview', (t) => watchPage(t, browser, `${origin}/`, (page) => page.waitForTimeout(WATCHED_MS)));
  await t.test('deliveries', (t) =>
    watchPage(t, browser, `${origin}/deliveries`, (page) => page.waitForTimeout(WATCHED_MS)),
  );
});
