import t, { type Test } from 'tap';
import type { Browser, Page } from 'playwright-core';
import { DESK, noBrowser, openBrowser, openPage } from './browser.ts';
import { FakeServer } from './fake/fake-server.ts';
import { makeCall } from './fake/fixtures.ts';
import { makeFullData } from './fake/full-data.ts';

// How the page behaves under the hands of its users.

interface Opened {
  readonly page: Page;
  readonly server: FakeServer;
  readonly origin: string;
}

let browser: Promise<Browser> | undefined;
t.teardown(async () => (await browser)?.close());

async function open(t: Test, path: string): Promise<Opened> {
  const server = new FakeServer(makeFullData(Date.now()));
  const origin = await server.start();
  t.teardown(() => server.stop());
  const page = await openPage(await (browser ??= openBrowser()), DESK);
  await page.goto(`${origin}${path === '/calls/0' ? `/calls/${server.data.ladders[0]!.call.id}` : path}`);
  await connected(page);
  return { page, server, origin };
}

/** The page has its stream: what the server tells from now on reaches it. */
const connected = (page: Page): Promise<void> =>
  page
    .getByRole('status')
    .filter({ hasText: /^Live$/ })
    .waitFor();

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '');

t.test('the keyboard alone', { skip: noBrowser }, async (t) => {
  const { page } = await open(t, '/calls/0');
  t.match(await focused(page), /^101 → 102/, 'the heading of the page has the focus');
  await page.keyboard.press('Shift+Tab');
  while ((await focused(page)) !== 'Skip to the page') await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Enter');
  while ((await focused(page)) !== 'Messages of the call') await page.keyboard.press('Tab');
  const selected = page.getByRole('option', { selected: true });
  for (const [key, name] of [
    ['ArrowDown', /^1: INVITE 102, from 101 to PBX/],
    ['ArrowDown', /^2: 401/],
    ['End', /^47: /],
    ['ArrowUp', /^46: /],
    ['Home', /^1: /],
  ] as const) {
    await page.keyboard.press(key);
    await page.getByRole('option', { name, selected: true }).waitFor();
    t.equal(await selected.count(), 1, `${key} goes to ${name}`);
  }
});

t.test('a dialog gives the focus back', { skip: noBrowser }, async (t) => {
  const { page } = await open(t, '/call-events');
  const add = page.getByRole('button', { name: 'Add a rule' });
  await add.press('Enter');
  await page.getByRole('dialog').waitFor();
  t.equal(await page.getByLabel('Extensions').evaluate((field) => field === document.activeElement), true);
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'detached' });
  t.equal(await add.evaluate((button) => button === document.activeElement), true);
});

t.test('the connection breaks, and comes back', { skip: noBrowser }, async (t) => {
  const { page, server } = await open(t, '/calls');
  await page.getByRole('listitem').nth(7).waitFor();
  server.data.calls = [makeCall({ index: 33, now: Date.now(), state: 'answered', ageMs: 5000 })];
  server.dropStreams();
  await page.getByRole('listitem').filter({ hasText: '→ 134' }).waitFor();
  await connected(page);
  t.equal(await page.getByRole('listitem').filter({ hasText: '→' }).count(), 1, 'what was missed is made up for');
});

t.test('calls begin, change and end while one looks', { skip: noBrowser }, async (t) => {
  const { page, server } = await open(t, '/calls');
  const change = (state: 'ringing' | 'answered' | 'over'): void => {
    const changed = [makeCall({ index: 50, now: Date.now(), state, ageMs: 4000, status: 'BUSY' })];
    server.push({ event: 'calls', data: { changed, gone: [] } });
  };
  const row = page.getByRole('listitem').filter({ hasText: '→ 151' }).first();
  change('ringing');
  await row.getByText('Ringing').first().waitFor();
  change('answered');
  await row.getByText('Talking').first().waitFor();
  change('over');
  await row.getByText('Busy').first().waitFor();
  await row.waitFor({ state: 'detached', timeout: 20_000 });
  t.pass('some seconds later it is gone');
});

t.test('under the mouse everything keeps its place', { skip: noBrowser }, async (t) => {
  const { page, server } = await open(t, '/calls');
  const second = page.getByRole('listitem').filter({ hasText: '→' }).nth(2);
  await second.hover();
  const before = await page.locator('.call-link').allInnerTexts();
  const changed = [makeCall({ index: 50, now: Date.now(), state: 'ringing', ageMs: 10 })];
  server.push({ event: 'calls', data: { changed, gone: [] } });
  await page.getByText('1 new call').waitFor();
  t.strictSame(await page.locator('.call-link').allInnerTexts(), before);
  await page.getByRole('heading', { level: 1 }).hover();
  await page.getByRole('listitem').filter({ hasText: '→ 151' }).first().waitFor();
});

t.test('addresses can be kept and sent to others', { skip: noBrowser }, async (t) => {
  const { page, origin } = await open(t, '/deliveries?state=dead');
  t.equal(await page.getByRole('radio', { name: 'Failed' }).isChecked(), true);
  await page.getByLabel('Extension', { exact: true }).fill('0003*107');
  await page.waitForURL(`${origin}/deliveries?state=dead&extension=0003*107`);
  await page.getByRole('link', { name: 'Call events' }).click();
  await page.goBack();
  await page.waitForURL(`${origin}/deliveries?state=dead&extension=0003*107`);
  t.equal(await page.getByLabel('Extension', { exact: true }).inputValue(), '0003*107');
});

t.test('the theme that was chosen stays', { skip: noBrowser }, async (t) => {
  const { page } = await open(t, '/call-events');
  const background = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  const light = await background();
  await page.getByRole('radio', { name: 'Dark' }).check();
  const dark = await background();
  t.not(dark, light);
  await page.reload();
  await page.getByRole('heading', { name: 'Call events' }).waitFor();
  t.equal(await background(), dark);
});
