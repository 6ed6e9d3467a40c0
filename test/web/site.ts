import { createServer } from 'node:http';
import { writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { Browser, Page } from 'playwright-core';
import { hashPassword } from '../../src/api/access/password.ts';
import { Ringside } from '../commands/process.ts';
import { startSipp, type Sipp } from '../proxy/support/sipp.ts';
import { openBrowser, openPage } from './browser.ts';
import { watch } from './inspection.ts';

export const OPERATOR = { user: 'olga', password: 'correct horse' };
/** Extension 0003*102's own user. */
export const OWNER = { user: 'fred', password: 'battery staple' };

/** Ringside as its users run it, in front of a PBX, with a script and somebody who looks at the page. */
export interface Site {
  readonly origin: string;
  /** Where phones send their calls, for SIPp. */
  readonly sip: string;
  readonly pbx: Sipp;
  readonly script: Script;
  readonly browser: Browser;
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

/** Starts all of it; it ends with the test. `pbx`: what SIPp does as the PBX. */
export async function startSite(t: Test, pbx: readonly string[] = ['uas-answer']): Promise<Site> {
  const script = await startScript(t);
  const called = await startSipp(['-sf', ...pbx]);
  t.teardown(() => called.stop());
  const folder = t.testdir();
  const file = join(folder, 'ringside.yaml');
  writeFileSync(file, await makeConfig(called, script));
  const process = new Ringside(t, ['run', '--config', file]);
  const [, sip] = await process.waitFor(/ on udp:([\d.:]+)\./);
  const [, origin] = await process.waitFor(/page on (http:\S+\d)\.[^]*Ctrl-C/);
  const browser = await openBrowser();
  t.teardown(() => browser.close());
  const complaints: string[] = [];
  const open = async (): Promise<Page> => {
    const page = await openPage(browser);
    watch(page, origin!, complaints);
    return page;
  };
  return { origin: origin!, sip: sip!, pbx: called, script, browser, process, open, complaints };
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

const makeConfig = async (pbx: Sipp, script: Script): Promise<string> => `
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
  users:
    - { name: ${OPERATOR.user}, password: "${await hashPassword(OPERATOR.password)}" }
    - { name: ${OWNER.user}, password: "${await hashPassword(OWNER.password)}", role: extension, extension: "0003*102" }
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
