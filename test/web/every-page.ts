import type { Test } from 'tap';
import type { Page } from 'playwright-core';
import { type DESK, openBrowser, openPage } from './browser.ts';
import { FakeServer } from './fake/fake-server.ts';
import { makeFullData } from './fake/full-data.ts';
import { findBarriers, findOverflow, watch } from './inspection.ts';

// Every page with something of everything: usable by everyone, in both themes, on a desk and on a phone.

type Step = readonly [name: string, path: string, act?: (page: Page) => Promise<unknown>];

const steps = (call: string): Step[] => [
  ['Overview', '/'],
  ['Calls', '/calls'],
  ['Calls, recent', '/calls?show=recent'],
  ['a call', `/calls/${call}`, (page) => page.locator('.arrow').first().click()],
  ['a call as a table', `/calls/${call}`, (page) => page.getByRole('radio', { name: 'Table' }).check()],
  ['Call events', '/call-events'],
  ['a new rule', '/call-events', addRule],
  ['a rule that is refused', '/call-events', addWrongRule],
  ['a rule to be edited', '/call-events', editRule],
  ['a test event', '/call-events', (page) => press(page, /^Send a test event/)],
  ['what became of a test event', '/call-events', sendTestEvent],
  ['a rule to be deleted', '/call-events', (page) => press(page, /^Delete/)],
  ['no rule that fits', '/call-events?find=nothing'],
  ['events to be sent', `/calls/${call}`, (page) => press(page, /^Send its events/)],
  ['failed ones to be sent again', '/deliveries', (page) => press(page, 'Send all failed again')],
  [
    'Deliveries',
    '/deliveries',
    (page) => page.getByRole('checkbox', { name: 'Choose all' }).first().dispatchEvent('click'),
  ],
  ['a delivery', '/deliveries?id=1195', (page) => page.getByRole('heading', { name: 'Attempts' }).waitFor()],
  ['no page', '/nowhere'],
];

const press = (page: Page, name: string | RegExp): Promise<void> => page.getByRole('button', { name }).first().click();

async function openRule(page: Page, button: string | RegExp): Promise<void> {
  await press(page, button);
  for (const summary of await page.locator('summary').all()) await summary.click();
}

const addRule = (page: Page): Promise<void> => openRule(page, 'Add a rule');

const editRule = (page: Page): Promise<void> => openRule(page, /^Edit:/);

async function sendTestEvent(page: Page): Promise<void> {
  await press(page, /^Send a test event/);
  await press(page, /^Send$/);
  await page.getByText('The script did not take it').waitFor();
}

/** Requests that would change something are refused. */
const refuse = (page: Page, path: string, status: number, error: object): Promise<unknown> =>
  page.route(`**/api/v1${path}`, (route) =>
    route.request().method() === 'POST' ? route.fulfill({ status, json: { error } }) : route.continue(),
  );

const PROBLEMS = ['extensions[0]', 'events', 'url', 'secret'].map((path) => ({
  path,
  text: 'something else is expected',
}));

async function addWrongRule(page: Page): Promise<void> {
  await refuse(page, '/rules', 400, { code: 'bad_request', message: 'refused', problems: PROBLEMS });
  await addRule(page);
  await page.getByRole('button', { name: 'Add the rule' }).click();
  await page.getByText('Some fields need another look.').waitFor();
}

const EMPTY_PAGES = ['/', '/calls', '/calls?show=recent', '/calls/unknown', '/call-events', '/deliveries'];

/** What a theme or a small window can make worse. */
export const LOOKS = ['color-contrast', 'target-size', 'scrollable-region-focusable'];

/** Opens every page, looks for barriers, by all rules or some, and for what is wider than the window. */
export async function inspectPages(
  t: Test,
  size: typeof DESK,
  theme: 'light' | 'dark',
  rules?: readonly string[],
): Promise<void> {
  const server = new FakeServer(makeFullData(Date.now()));
  const empty = new FakeServer({ calls: [], recent: [], ladders: [], rules: [], deliveries: [] });
  const [origin, emptyOrigin] = [await server.start(), await empty.start()];
  const browser = await openBrowser();
  t.teardown(async () => {
    await browser.close();
    server.stop();
    empty.stop();
  });
  const page = await openPage(browser, size, theme);
  const complaints = watch(page, origin);
  const inspect = async (at: Page, name: string): Promise<void> => {
    t.strictSame(await findBarriers(at, rules), [], `${name}: no barriers`);
    t.ok((await findOverflow(at)) <= 0, `${name}: no wider than the window`);
  };
  for (const [name, path, act] of steps(server.data.ladders[0]!.call.id)) {
    await page.goto(`${origin}${path}`);
    await page.locator('[role=status]', { hasText: /^Live$/ }).waitFor({ state: 'attached' });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await act?.(page);
    await inspect(page, name);
  }
  const bare = await openPage(browser, size, theme);
  watch(bare, emptyOrigin, complaints);
  for (const path of EMPTY_PAGES) {
    await bare.goto(`${emptyOrigin}${path}`);
    await bare.getByRole('heading', { level: 1 }).waitFor();
    await inspect(bare, `${path} where there is nothing`);
  }
  await page.goto(`${origin}/deliveries`);
  await page.getByRole('button', { name: 'Sign out' }).filter({ visible: true }).click();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await inspect(page, 'sign in');
  await refuse(page, '/session', 401, { code: 'unauthorized', message: 'refused' });
  await page.getByLabel('User').fill('olga');
  await page.getByLabel('Password').fill('wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('User or password is wrong.').waitFor();
  await inspect(page, 'a wrong password');
  await page.goto(`${origin}/sign-in#token=abc`);
  await page.reload();
  await page.getByRole('button', { name: 'Sign in' }).waitFor();
  await inspect(page, 'sign in by a link');
  t.strictSame(complaints, [], 'no errors, no requests elsewhere');
}
