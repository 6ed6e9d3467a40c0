import t from 'tap';
import { addRule, call, goTo, noSite, signIn, startSite } from './site.ts';

// The page as its users have it: Ringside runs, SIPp calls, a browser looks.

t.test('a rule, a call, its deliveries, its ladder', { skip: noSite }, async (t) => {
  const site = await startSite(t);
  const page = await site.open();
  await signIn(page, site);
  await addRule(page, { extension: '0003*102', url: 'nowhere' });
  await page.getByText('an http or https URL is expected').waitFor();
  await page.getByRole('dialog').getByLabel('URL of the script').fill(`${site.script.url}?src=page`);
  await page.getByRole('button', { name: 'Add the rule' }).click();
  const row = page.getByRole('row').filter({ hasText: 'src=page' });
  await row.waitFor();
  t.match(await page.getByRole('row').filter({ hasText: 'from=file' }).innerText(), /of the file\s+ringside\.yaml:8/);

  await goTo(page, 'Calls');
  await page.getByText('No call is up').waitFor();
  const called = call(site, { talkMs: 8000 });
  const live = page.getByRole('listitem').filter({ hasText: '101 → 102' }).first();
  await live.getByText('Talking').nth(1).waitFor();
  t.match(await live.innerText(), /0003\*101[^]*0003\*102 Front desk/, 'both parties');
  await live.getByRole('link').click();
  await page.getByRole('heading', { name: /^0003\*101 → 102$/ }).waitFor();
  await page.getByRole('listbox').getByText('200 OK', { exact: true }).first().waitFor();
  t.equal((await called).code, 0);
  await page.getByText('ANSWER because: answered by a 2xx; the calling side ended it').first().waitFor();
  const texts = await page.locator('.ladder text').allTextContents();
  t.ok(texts.includes('Dial-In 0003*102') && texts.includes('Hangup 0003*102: ANSWER'), 'events in the drawing');

  await page.getByRole('link', { name: 'Its deliveries' }).click();
  const delivered = page.getByRole('row').filter({ hasText: 'src=page' });
  await delivered.filter({ hasText: 'Hangup' }).getByText('Delivered').waitFor();
  t.match(page.url(), /\/deliveries\?call=\w{20}$/, 'the filter is in the address');
  await delivered.filter({ hasText: 'Dial-In' }).getByRole('button').click();
  await page
    .getByRole('dialog')
    .getByText('Front desk')
    .or(page.getByRole('dialog').getByText('CALLING'))
    .first()
    .waitFor();
  t.match(await page.getByRole('dialog').innerText(), /CalledExtension\s+0003\*102[^]*CallStatus\s+CALLING/);
  t.strictSame(
    site.script.bodies.map((body) => new URLSearchParams(body.split('?').at(-1)).get('CallStatus')).sort(),
    ['ANSWER', 'ANSWER', 'CALLING'],
    'what the script got: Dial-In and Hangup of 102, Hangup of 101',
  );
  await page.keyboard.press('Escape');
  await goTo(page, 'Call events');
  await row.getByText('Delivered').waitFor();
  t.pass('the last result of the rule');
  t.strictSame(site.complaints, []);
});

t.test('a script that fails, and a retry', { skip: noSite }, async (t) => {
  const site = await startSite(t);
  const page = await site.open();
  await signIn(page, site);
  await addRule(page, { extension: '0003*102', url: site.script.url });
  const row = page.getByRole('row').filter({ hasText: 'screen pop' });
  await row.waitFor();

  site.script.status = 500;
  await row.getByRole('button', { name: /^Send a test event/ }).click();
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('The script did not take it').waitFor();
  t.match(await page.getByRole('dialog').innerText(), /500[^]*CalledExtension\s+0003\*102/);
  await page.getByText('the database is away').waitFor();
  site.script.status = 200;
  await page.getByRole('button', { name: 'Send', exact: true }).click();
  await page.getByText('The script took it').waitFor();
  await page.keyboard.press('Escape');

  site.script.status = 500;
  await call(site, { from: '7001' });
  await goTo(page, 'Deliveries');
  await page.getByRole('radio', { name: 'Failed' }).check();
  await page.waitForURL(/state=dead/);
  const failed = page.getByRole('row').filter({ hasText: /Hangup.*Failed/s });
  await failed.getByRole('button').click();
  await page.getByRole('dialog').getByText('the database is away').nth(1).waitFor();
  t.pass('both attempts with what the script answered');
  site.script.status = 200;
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page.getByRole('dialog').getByText('Delivered').waitFor();
  await page.keyboard.press('Escape');
  t.match(new URLSearchParams(site.script.bodies.at(-1)).get('CallStatus'), 'ANSWER');

  await page.getByRole('button', { name: 'Send all failed again' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Send again' }).click();
  await page
    .getByText(/sent again\.|nothing to send again/)
    .first()
    .waitFor();
  await page.getByText('No delivery fits').waitFor();
  t.pass('none is left that failed');
  t.strictSame(site.complaints, []);
});

t.test('a rule is changed, switched off and deleted', { skip: noSite }, async (t) => {
  const site = await startSite(t);
  const page = await site.open();
  await signIn(page, site);
  await addRule(page, { extension: '0003*102', url: site.script.url });
  const row = page.getByRole('row').filter({ hasText: 'screen pop' });
  await row.getByRole('button', { name: /^Edit/ }).click();
  await page.getByRole('dialog').getByLabel('Note').fill('other note');
  await page.getByRole('dialog').getByLabel('Answer (in)').check();
  await page.getByRole('button', { name: 'Save' }).click();
  const changed = page.getByRole('row').filter({ hasText: 'other note' });
  await changed.getByText('Answer (in)').waitFor();
  await changed.getByRole('switch').click();
  await changed.locator('[aria-checked=false]').waitFor();
  await call(site, { from: '7001' });
  t.strictSame(site.script.bodies, [], 'nothing is sent');
  await changed.getByRole('button', { name: /^Delete/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await changed.waitFor({ state: 'detached' });
  t.pass('gone');
  t.strictSame(site.complaints, []);
});

const HOSTILE = '"><script>window.harmed=1</script><img src=x onerror=window.harmed=1>';

t.test('a display name that would be a script stays text on every page', { skip: noSite }, async (t) => {
  const site = await startSite(t);
  const page = await site.open();
  await signIn(page, site);
  await addRule(page, { extension: '0003*102', url: site.script.url });
  await page.getByRole('row').filter({ hasText: 'screen pop' }).waitFor();
  await goTo(page, 'Calls');
  const called = call(site, { from: '7001', name: `"${HOSTILE.replaceAll('"', '\\"')}" `, talkMs: 6000 });
  await page.getByText(HOSTILE).waitFor();
  await page.getByRole('listitem').getByRole('link').first().click();
  await page.getByRole('heading', { name: HOSTILE }).waitFor();
  t.equal((await called).code, 0);
  await goTo(page, 'Calls');
  await page.getByRole('radio', { name: 'Recent' }).check();
  await page.getByText(HOSTILE).waitFor();
  await goTo(page, 'Deliveries');
  await page.getByRole('row').filter({ hasText: 'Dial-In' }).getByRole('button').click();
  await page.getByRole('dialog').getByText(HOSTILE).waitFor();
  await page.keyboard.press('Escape');
  for (const name of ['Call events', 'Overview']) {
    await goTo(page, name);
    await page.getByRole('heading', { name, level: 1 }).waitFor();
  }
  t.equal(await page.evaluate('window.harmed'), undefined);
  t.equal(await page.locator('img[src=x]').count(), 0);
  t.strictSame(site.complaints, []);
});
