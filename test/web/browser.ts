import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from 'playwright-core';
import { findProgram } from '../proxy/support/ports.ts';

const path = findProgram('chromium') ?? findProgram('google-chrome') ?? findProgram('chrome');

/** Why tests that need a browser are passed over; false if they are not. */
export const noBrowser = path === undefined && 'Chromium is not installed: the page is NOT tested';

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
export async function openBrowser(size = DESK, colorScheme: 'light' | 'dark' = 'light'): Promise<BrowserContext> {
  const profile = mkdtempSync(join(tmpdir(), 'ringside-browser-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: path!,
    headless: true,
    args: FLAGS,
    viewport: size,
    colorScheme,
    deviceScaleFactor: 1,
  });
  context.on('close', () => rmSync(profile, { recursive: true, force: true }));
  return context;
}
