import t from 'tap';
import { addRule, call, goTo, noSite, signIn, startSite } from './site.ts';

// What strangers can put on the page of the running product, by SIP.

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
