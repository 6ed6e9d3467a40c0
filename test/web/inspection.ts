import { readFileSync } from 'node:fs';
import type axe from 'axe-core';
import type { Page } from 'playwright-core';

const source = readFileSync(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8');

/** What axe-core finds that is serious or worse, by all its rules or some, in words. */
export async function findBarriers(page: Page, rules?: readonly string[]): Promise<string[]> {
  // The page's policy forbids scripts that are added to it, but not what is evaluated from outside.
  await page.evaluate(source);
  const found = await page.evaluate<axe.AxeResults>(`axe.run(${JSON.stringify(rules ? { runOnly: rules } : {})})`);
  return found.violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) =>
      nodes.map(({ html, any }) => `${id}: ${html} ${any.map(({ message }) => message).join()}`),
    );
}

/** By how many pixels a page is wider than the window. */
export const findOverflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** Collects what a page complains of, and requests to other hosts. */
export function watch(page: Page, origin: string, complaints: string[] = []): string[] {
  page.on('pageerror', (error) => complaints.push(`${error}`));
  page.on('console', (message) => {
    const isRefusal = /status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(origin)) complaints.push(`a request to ${request.url()}`);
  });
  return complaints;
}
