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
  const news = page.getByRole('button', { name: /new deliver/ });
  await failed.or(news).first().waitFor();
  if (await news.isVisible()) await news.click(); // it failed after the others were listed
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
