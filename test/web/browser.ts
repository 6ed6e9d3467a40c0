import { type Browser, chromium, type Page } from 'playwright-core';
import { findProgram } from '../proxy/support/ports.ts';

const path = findProgram('chromium') ?? findProgram('google-chrome') ?? findProgram('chrome');

/** Why tests that need a browser are passed over; false if they are not. */
export const noBrowser = path === undefined && 'Chromium is not installed: THE PAGE IS NOT TESTED';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** A browser with a profile of its own, which goes with it. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: path!, headless: true, args: FLAGS });

/** A window of nobody who was here before. */
export async function openPage(browser: Browser, size = DESK, colorScheme: 'light' | 'dark' = 'light'): Promise<Page> {
  const context = await browser.newContext({ viewport: size, colorScheme });
  return context.newPage();
}
