import t from 'tap';
import { addRule, call, goTo, noSite, OPERATOR, OWNER, signIn, startSite } from './site.ts';

// Who comes in, and what they see.

t.test('signing in and out', { skip: noSite }, async (t) => {
  const site = await startSite(t);
  const page = await site.open();
  await signIn(page, site, { ...OPERATOR, password: 'wrong' });
  await page.getByText('User or password is wrong.').waitFor();
  t.equal(await page.getByLabel('Password').inputValue(), '', 'the password is to be typed again');
  await page.getByLabel('Password').fill(OPERATOR.password);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.reload();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  const [cookie] = await page.context().cookies();
  t.match(cookie, { httpOnly: true, sameSite: 'Strict' });
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('heading', { name: 'Sign in to Ringside' }).waitFor();
  await page.goto(`${site.origin}/deliveries`);
  await page.getByRole('heading', { name: 'Sign in to Ringside' }).waitFor();
  t.pass('without a session there is nothing to see');
  t.strictSame(site.complaints, []);
});

t.test('the link that is printed at the start', { skip: noSite }, async (t) => {
  const site = await startSite(t, []);
  const [link] = await site.process.waitFor(/http:\S+\/sign-in#token=\S+/);
  const page = await site.open();
  await page.goto(site.origin);
  await page.getByText('No user is configured yet.').waitFor();
  await page.goto(link);
  await page.reload(); // the address before differed in its fragment only
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  t.equal(page.url(), `${site.origin}/`, 'the token is out of the address');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.goto(link);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('This link was used already').waitFor();
  t.strictSame(site.complaints, []);
});

t.test("an extension's own user", { skip: noSite }, async (t) => {
  const site = await startSite(t);
  const page = await site.open();
  await signIn(page, site, OWNER);
  await page.getByRole('heading', { name: 'Calls' }).waitFor();
  t.strictSame(await page.getByRole('navigation').getByRole('link').allInnerTexts(), [
    'Calls',
    'Call events',
    'Deliveries',
  ]);
  await addRule(page, { url: site.script.url });
  await page.getByRole('row').filter({ hasText: 'screen pop' }).waitFor();
  t.equal(await page.getByText('of the file').count(), 0, 'rules of others are not there');
  const refused = await page.evaluate(async () => {
    const { csrfToken } = (await (await fetch('/api/v1/session')).json()) as { csrfToken: string };
    const rule = { extensions: ['0003*101'], events: ['hangup'], url: 'http://127.0.0.1:1/' };
    const headers = { 'content-type': 'application/json', 'x-csrf-token': csrfToken };
    const init = { method: 'POST', headers, body: JSON.stringify(rule) };
    const forged = { ...init, headers: { 'content-type': 'application/json' } };
    const made = [
      await fetch('/api/v1/rules', init),
      await fetch('/api/v1/rules', forged),
      await fetch('/api/v1/overview'),
    ];
    return made.map(({ status }) => status);
  });
  t.strictSame(refused, [403, 403, 403], "another's extension, a forged request, the overview");
  await call(site);
  await goTo(page, 'Deliveries');
  await page.getByRole('row').filter({ hasText: 'Hangup' }).getByText('Delivered').waitFor();
  t.equal(await page.getByText('0003*101').count(), 0, 'nothing of 101');
  t.strictSame(site.complaints, []);
});
