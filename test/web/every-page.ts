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
  [
    'Deliveries',
    '/deliveries',
    (page) => page.getByRole('checkbox', { name: 'Choose all' }).first().dispatchEvent('click'),
  ],
  ['a delivery', '/deliveries?id=1195', (page) => page.getByRole('heading', { name: 'Attempts' }).waitFor()],
  ['no page', '/nowhere'],
];

async function addRule(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Add a rule' }).click();
  for (const summary of await page.locator('summary').all()) await summary.click();
}

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
  const origin = await server.start();
  const browser = await openBrowser();
  t.teardown(async () => {
    await browser.close();
    server.stop();
  });
  const page = await openPage(browser, size, theme);
  const complaints = watch(page, origin);
  for (const [name, path, act] of steps(server.data.ladders[0]!.call.id)) {
    await page.goto(`${origin}${path}`);
    await page.getByText('Live', { exact: true }).first().waitFor({ state: 'attached' });
    await page.getByRole('heading', { level: 1 }).waitFor();
    await act?.(page);
    t.strictSame(await findBarriers(page, rules), [], `${name}: no barriers`);
    t.ok((await findOverflow(page)) <= 0, `${name}: no wider than the window`);
  }
  t.strictSame(complaints, [], 'no errors, no requests elsewhere');
}
