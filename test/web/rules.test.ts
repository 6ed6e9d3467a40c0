import t from 'tap';
import { addRule, call, noSite, signIn, startSite } from './site.ts';

// Rules that are changed on the page of the running product.

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
