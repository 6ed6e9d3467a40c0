import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import root, { type Test } from 'tap';
import type { Browser, Page } from 'playwright-core';
import { hashPassword } from '../../src/api/access/password.ts';
import { Ringside } from '../commands/process.ts';
import { hasSipp, runSipp, startSipp, type Sipp, type SippResult } from '../proxy/support/sipp.ts';
import { noBrowser, openBrowser, openPage } from './browser.ts';
import { watch } from './inspection.ts';

/** Why tests of the running product are passed over; false if they are not. */
export const noSite = noBrowser || (!hasSipp && 'sipp is not installed: THE PAGE IS NOT TESTED');

export const OPERATOR = { user: 'olga', password: 'correct horse' };
/** Extension 0003*102's own user. */
export const OWNER = { user: 'fred', password: 'battery staple', extension: '0003*102' };

interface User {
  readonly user: string;
  readonly password: string;
  readonly extension?: string;
}

const USERS: readonly User[] = [OPERATOR, OWNER];

async function formatUser({ user, password, extension }: User): Promise<string> {
  const role = extension === undefined ? '' : `, role: extension, extension: "${extension}"`;
  return `{ name: ${user}, password: "${await hashPassword(password)}"${role} }`;
}

/** Ringside as its users run it, in front of a PBX, with a script and somebody who looks at the page. */
export interface Site {
  readonly origin: string;
  /** Where phones send their calls, for SIPp. */
  readonly sip: string;
  readonly script: Script;
  readonly process: Ringside;
  /** A window that is not signed in. */
  readonly open: () => Promise<Page>;
  /** Errors in the windows, and requests to other hosts. */
  readonly complaints: readonly string[];
}

/** Takes what Ringside sends. */
export interface Script {
  readonly url: string;
  /** Status of the next answers. */
  status: number;
  readonly bodies: string[];
}

let browser: Promise<Browser> | undefined;
root.teardown(async () => (await browser)?.close());

/** Starts all of it; it ends with the test. */
export async function startSite(t: Test, users = USERS): Promise<Site> {
  const script = await startScript(t);
  const called = await startSipp(['-sf', 'uas-answer']);
  t.teardown(() => called.stop());
  const folder = t.testdir();
  const file = join(folder, 'ringside.yaml');
  writeFileSync(file, await makeConfig(called, script, users));
  const process = new Ringside(t, ['run', '--config', file]);
  const [, sip] = await process.waitFor(/ on udp:([\d.:]+)\./);
  const [, origin] = await process.waitFor(/page on (http:\S+\d)\.[^]*Ctrl-C/);
  const complaints: string[] = [];
  const open = async (): Promise<Page> => {
    const page = await openPage(await (browser ??= openBrowser()));
    watch(page, origin!, complaints);
    return page;
  };
  return { origin: origin!, sip: sip!, script, process, open, complaints };
}

async function startScript(t: Test): Promise<Script> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      bodies.push(body || request.url!);
      response.statusCode = script.status;
      response.end(script.status === 200 ? 'thank you' : 'the database is away');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.teardown(() => server.close());
  const script = { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/script`, status: 200, bodies };
  return script;
}

const makeConfig = async (pbx: Sipp, script: Script, users: readonly User[]): Promise<string> => `
tenants:
  - prefix: "0003"
    domains: [acme.example.com]
    extensions: ["101", { number: "102", name: Front desk }]
    sensor: trunk
callEvents:
  - { extension: "0003*101", event: [hangup], url: "${script.url}?from=file", note: of the file }
sip: { listen: ["udp:127.0.0.1:0"], upstream: "sip:${pbx.ip}:${pbx.port}", rateLimit: 0 }
http:
  listen: "127.0.0.1:0"
  users: [${(await Promise.all(users.map(formatUser))).join(', ')}]
delivery: { allowedNetworks: [127.0.0.0/8], schedule: [100ms] }
log: { level: warn }
`;

export async function signIn(page: Page, { origin }: Site, { user, password } = OPERATOR): Promise<void> {
  await page.goto(origin);
  await page.getByLabel('User').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Goes to a page by its link. */
export const goTo = (page: Page, name: string): Promise<void> =>
  page
    .getByRole('navigation')
    .getByRole('link', { name: new RegExp(`^${name}`) })
    .click();

/** One call by SIPp; resolves when it is over. */
export function call({ sip }: Site, { from = '101', to = '102', name = '', talkMs = 100 } = {}): Promise<SippResult> {
  const keys = ['-key', 'user', from, '-key', 'name', name, '-key', 'domain', 'acme.example.com'];
  return runSipp(['-sf', 'uac-call', '-s', to, '-d', `${talkMs}`, ...keys, sip]);
}

/** Adds a rule on the page, of an extension's own user without saying whose. */
export async function addRule(page: Page, { extension, url }: { extension?: string; url: string }): Promise<void> {
  await goTo(page, 'Call events');
  await page.getByRole('button', { name: 'Add a rule' }).click();
  const dialog = page.getByRole('dialog');
  if (extension !== undefined) await dialog.getByLabel('Extensions').fill(extension);
  await dialog.getByLabel('URL of the script').fill(url);
  await dialog.getByLabel('Note').fill('screen pop');
  await dialog.getByRole('button', { name: 'Add the rule' }).click();
}
