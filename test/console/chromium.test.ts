// The console in a real browser, without JavaScript, as an operator reads it at night on a phone and by day on a desk.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { style } from '../../src/console/console.ts';
import { type Harness, startHarness, tokens } from '../http/harness.ts';
import { barriers, hasBrowser, openBrowser, overflows, pageForAxe, phone } from '../support/browser.ts';
import { wholeLoop } from '../support/loop.ts';
import { useWorld } from '../support/world.ts';
import { words } from './browser.ts';

const world = useWorld();
let harness: Harness;
let browser: Browser;
let examined: Page;

const isDemanded = process.env.CASEBRIDGE_TEST_REQUIRE_SERVERS === '1';
const inBrowser = hasBrowser || isDemanded ? test : test.skip;

beforeAll(async () => {
  if (!hasBrowser && !isDemanded) return;
  harness = await startHarness({}, {}, world.store, { reader: ['read', 'decide'] });
  browser = await openBrowser();
  examined = await pageForAxe(browser);
}, 60_000);
afterAll(async () => {
  await browser?.close();
  await harness?.stop();
});

inBrowser(
  'an operator signs in, finds the case, reads what happened, decides and signs out (skipped without Chromium)',
  async () => {
    await wholeLoop(world, { leavesQuestion: true });
    const context = await phone(browser, 'en-US');
    const page = await context.newPage();
    const shows = async (...texts: (string | RegExp)[]) => {
      const text = words(await page.content());
      for (const one of texts) expect(text).toEqual(expect.stringMatching(one));
    };
    const isGood = async () => {
      expect([page.url(), await overflows(page)]).toEqual([page.url(), false]);
      expect(await barriers(examined, await page.content(), style)).toEqual([]);
    };

    await page.goto(`${harness.url}/console/cases`);
    await isGood();
    await page.getByLabel('Token of an operator').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shows('The token is not one of this gateway');
    await page.getByLabel('Token of an operator').fill(tokens.reader);
    await page.getByRole('button', { name: 'Sign in' }).click();

    expect(new URL(page.url()).pathname).toBe('/console/cases');
    await isGood();
    await page.getByRole('link', { name: 'case-rosa' }).click();
    await shows(/Decision 1: refused change/, /first-contact-72h breached/, /Hospital general Changed goal goal-meals/);
    await isGood();
    await page.getByRole('link', { name: 'referral moves' }).click();
    await shows(/Hospital general Changed referral referral-pantry: status to in-progress \(accepted implied\)/);

    await page.getByLabel('keep').check();
    await page.getByLabel('Note for colleagues').fill('Called the partner.');
    await page.getByRole('button', { name: 'Decide' }).click();
    await shows(/Open decisions None\./, /Decision 1 was answered by reader: keep\..*Called the partner\./);

    for (const name of ['Connections', 'Decisions', 'Lanes', 'Alerts']) {
      await page.getByRole('navigation', { name: 'Console' }).getByRole('link', { name }).click();
      await isGood();
    }
    await page.getByRole('button', { name: 'Sign out' }).click();
    await shows('Token of an operator');
    await context.close();
  },
  120_000,
);
