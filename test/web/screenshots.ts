import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { DESK, noBrowser, openBrowser, openPage, PHONE } from './browser.ts';
import { FakeServer } from './fake/fake-server.ts';
import { makeFullData } from './fake/full-data.ts';

// Pictures of every page, out of fixtures that show each of their states, into `screenshots/`.

const folder = new URL('../../screenshots', import.meta.url).pathname;

type Shot = readonly [name: string, path: string, prepare?: (page: Page) => Promise<unknown>];

const shots = (ladders: readonly string[]): Shot[] => [
  ['overview', '/'],
  ['calls-live', '/calls'],
  ['calls-recent', '/calls?show=recent'],
  ['call-transfer', `/calls/${ladders[0]}`, (page) => page.locator('.arrow').nth(3).click()],
  ['call-group', `/calls/${ladders[1]}`],
  ['call-table', `/calls/${ladders[0]}`, (page) => page.getByRole('radio', { name: 'Table' }).check()],
  ['call-events', '/call-events'],
  ['rule-new', '/call-events', (page) => page.getByRole('button', { name: 'Add a rule' }).click()],
  ['rule-test', '/call-events', sendTest],
  ['deliveries', '/deliveries', (page) => page.locator('tbody input').nth(1).check({ force: true })],
  ['delivery', '/deliveries?id=1195'],
];

async function sendTest(page: Page): Promise<void> {
  await page
    .getByRole('button', { name: /^Send a test event/ })
    .first()
    .click();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('did not take it').waitFor();
}

async function shoot(server: FakeServer, origin: string, theme: 'light' | 'dark', size: typeof DESK, place: string) {
  const page = await openPage(browser, size, theme);
  page.on('console', (message) => message.type() === 'error' && console.error(`${theme} ${place}: ${message.text()}`));
  page.on('pageerror', (error) => console.error(`${theme} ${place}: ${error.stack}`));
  const save = (name: string): Promise<unknown> =>
    page.screenshot({ path: join(folder, `${name}-${theme}-${place}.png`) });
  for (const [name, path, prepare] of shots(server.data.ladders.map(({ call }) => call.id))) {
    await page.goto(`${origin}${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForTimeout(400);
    await prepare?.(page);
    await page.waitForTimeout(150);
    await save(name);
  }
  await page.goto(`${origin}/deliveries`);
  await page.getByRole('button', { name: 'Sign out' }).filter({ visible: true }).click();
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  await save('sign-in');
  await fetch(`${origin}/api/v1/session`, { method: 'POST' });
  await page.context().close();
}

if (noBrowser) throw new Error(noBrowser);
mkdirSync(folder, { recursive: true });
const server = new FakeServer(makeFullData(Date.now()));
const origin = await server.start();
const browser = await openBrowser();
for (const theme of ['light', 'dark'] as const) {
  await shoot(server, origin, theme, DESK, 'desk');
  await shoot(server, origin, theme, PHONE, 'phone');
}
await browser.close();
server.stop();
