// The whole loop as a partner walks it: a mail, a code, and a page on a phone without JavaScript, in both languages. What came of each click is
// read from the Task at its home and from the changes offered to the source.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { css } from '../../src/page/style.ts';
import { aReferral } from '../builders.ts';
import { barriers, hasBrowser, openBrowser, overflows, pageForAxe, phone } from '../support/browser.ts';
import { type PageSite, startPageSite } from '../support/page-site.ts';
import { permittedCaseload } from '../support/partners.ts';
import { idle } from '../support/rig.ts';
import { pageStates } from './states.ts';

const isDemanded = process.env.CASEBRIDGE_TEST_REQUIRE_SERVERS === '1';
const withBrowser = hasBrowser || isDemanded ? describe : describe.skip;

withBrowser('in Chromium (skipped where there is none)', () => {
  let browser: Browser;
  let site: PageSite;
  let examined: Page;

  beforeAll(async () => {
    const second = aReferral({ id: 'referral-second' });
    [browser, site] = await Promise.all([
      openBrowser(),
      startPageSite({ records: [...permittedCaseload(), ['referral', second]] }),
    ]);
    examined = await pageForAxe(browser);
  }, 90_000);

  afterAll(async () => {
    await browser?.close();
    await site?.stop();
  });

  /** The state is fit for everybody. */
  const fits = async (page: Page, language: string): Promise<void> => {
    const html = await page.content();
    expect(await page.locator('html').getAttribute('lang')).toBe(language);
    expect(await barriers(examined, html, css)).toEqual([]);
    expect(await overflows(page)).toBe(false);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('style=');
  };

  const signIn = async (context: BrowserContext, link: string, words: Words): Promise<Page> => {
    const page = await context.newPage();
    await page.goto(link);
    await fits(page, words.language);
    const before = site.codes().length;
    await page.getByRole('button', { name: words.send }).click();
    const code = await site.code(before + 1);
    await fits(page, words.language);
    await page.getByLabel(words.name).fill('Ana Ruiz');
    await page.getByLabel(words.code, { exact: true }).fill(code);
    await page.getByRole('button', { name: words.open }).click();
    return page;
  };

  const task = async (link: string) => {
    const id = await taskOf(site, link);
    const referral = await site.gateway.api.home.referral('pantry', id);
    return referral?.task;
  };

  test('a referral is opened, accepted, worked on and completed in English', async () => {
    const link = await site.link(2);
    const context = await phone(browser, 'en-US');
    const page = await signIn(context, link, english);
    await fits(page, 'en');
    const [, other = ''] = /(http\S+\/p\/\S+)/.exec(site.links()[0]?.text ?? '') ?? [];
    const cookies = [await context.cookies(`${link}/accept`), await context.cookies(other)];
    expect(cookies.map((sent) => sent.length)).toEqual([1, 0]);
    const body = page.locator('body');
    expect(await body.textContent()).toContain('Rosa Maria Delgado');
    expect(await body.textContent()).toContain('Weekly groceries for a household of three');
    expect(await body.textContent()).toContain('(518) 555-0177');

    await page.getByRole('button', { name: 'Accept this referral' }).click();
    expect(await page.getByRole('status').textContent()).toContain('You have accepted this referral.');
    await fits(page, 'en');
    expect((await task(link))?.status).toBe('accepted');

    await page.getByText('Log a contact with the client').click();
    await page.getByLabel('What came of it').last().selectOption('reached');
    await page.locator('#contact-mode').selectOption('phone');
    await page.getByRole('button', { name: 'Log this contact' }).click();
    expect(await page.getByRole('status').textContent()).toContain('The contact is logged.');

    await page.getByText('Propose or book an appointment').click();
    await page.locator('#propose-at').fill('2031-03-04T09:30');
    await page.locator('#propose-place').fill('Pantry, room 2');
    await page.locator('#propose-agreement').selectOption('booked');
    await page.getByRole('button', { name: 'Send this appointment' }).click();
    expect(await body.textContent()).toContain('Appointment, booked: Mar 4, 2031');
    await fits(page, 'en');

    await page.getByText('Write to the agency').click();
    await page.locator('#comment-text').fill('We can come on <b>Friday</b> <script>alert(1)</script>');
    await page.getByRole('button', { name: 'Send this comment' }).click();
    expect(await body.textContent()).toContain('We can come on <b>Friday</b> <script>alert(1)</script>');
    await fits(page, 'en');

    await page.getByText('Finish: say how it ended').click();
    await page.getByRole('button', { name: 'Finish this referral' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('Choose how it ended.');
    await fits(page, 'en');
    await page.locator('#finish-outcome').selectOption('service-received');
    await page.getByRole('button', { name: 'Finish this referral' }).click();
    expect(await page.getByRole('status').textContent()).toContain('The referral is finished.');
    await fits(page, 'en');
    expect(await task(link)).toMatchObject({ status: 'completed', output: [{}] });

    await page.getByRole('button', { name: 'Sign out' }).click();
    expect(await body.textContent()).toContain('You are signed out');
    await fits(page, 'en');
    await page.goto(link);
    expect(await body.textContent()).not.toContain('Rosa');
    await context.close();

    await idle(site.gateway);
    const changes = await site.store.db.selectFrom('change').selectAll().orderBy('cursor').execute();
    expect(changes.map(({ op, type }) => `${op} ${type}`)).toContain('patch referral');
    expect(JSON.stringify(changes.map(({ body: offered }) => offered))).toContain('"status":"completed"');
  }, 120_000);

  test('a referral is declined in Spanish, with a reason', async () => {
    await site.link(2);
    const [first] = site.links();
    const link = /http\S+\/p\/\S+/.exec(first?.text ?? '')?.[0] ?? '';
    const context = await phone(browser, 'es-MX');
    const page = await signIn(context, link, spanish);
    await fits(page, 'es');
    await page.getByText('Rechazar', { exact: true }).click();
    await page.getByRole('button', { name: 'Rechazar esta remisión' }).click();
    expect(await page.getByRole('alert').textContent()).toContain('Elija un motivo.');
    await fits(page, 'es');
    expect((await task(link))?.status).toBe('requested');
    await page.locator('#decline-reason').selectOption('no-capacity');
    await page.getByRole('button', { name: 'Rechazar esta remisión' }).click();
    expect(await page.getByRole('status').textContent()).toContain('Ha rechazado esta remisión.');
    await fits(page, 'es');
    expect(await task(link)).toMatchObject({ status: 'rejected', statusReason: { coding: [{ code: 'no-capacity' }] } });
    await page.getByRole('link', { name: 'English' }).click();
    await fits(page, 'en');
    await context.close();
  }, 120_000);

  test('what axe looks for is found where it is', async () => {
    const html =
      '<!doctype html><html lang="en"><title>x</title><main><h1>x</h1><input><p style="color:#bbb">grey</p></main>';
    expect((await barriers(examined, html, css)).map(({ id }) => id)).toEqual(['color-contrast', 'label']);
  });

  test('no page has a barrier, whatever its state, in either language and as narrow as a phone', async () => {
    const found: object[] = [];
    for (const { name, html } of pageStates()) {
      const problems = await barriers(examined, html, css);
      const isTooWide = await overflows(examined);
      if (problems.length > 0 || isTooWide) found.push({ name, problems, isTooWide });
    }
    expect(found).toEqual([]);
  }, 240_000);
});

interface Words {
  readonly language: string;
  readonly send: string;
  readonly name: string;
  readonly code: string;
  readonly open: string;
}

const english: Words = {
  language: 'en',
  send: 'Send me a code',
  name: 'Your name',
  code: 'Code',
  open: 'Open the referral',
};

const spanish: Words = {
  language: 'es',
  send: 'Enviarme un código',
  name: 'Su nombre',
  code: 'Código',
  open: 'Abrir la remisión',
};

async function taskOf({ store }: PageSite, link: string): Promise<string> {
  const id = /\/p\/(.{12})/.exec(link)?.[1] ?? '';
  const row = await store.db
    .selectFrom('partner_link')
    .select('task_id')
    .where('id', '=', id)
    .executeTakeFirstOrThrow();
  return row.task_id;
}
