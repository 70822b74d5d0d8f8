// Debian's Chromium, driven by playwright-core, as a phone without JavaScript; and axe-core, which looks for barriers on the page that it shows.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

export const hasBrowser = executablePath !== undefined;

export async function openBrowser(): Promise<Browser> {
  if (executablePath === undefined) throw new Error('There is no Chromium on this machine: apt-get install chromium.');
  return chromium.launch({
    executablePath,
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

/** A phone as narrow as WCAG 1.4.10 asks for, without JavaScript. */
export function phone(browser: Browser, locale: string): Promise<BrowserContext> {
  return browser.newContext({
    locale,
    javaScriptEnabled: false,
    viewport: { width: 320, height: 640 },
    isMobile: true,
    hasTouch: true,
  });
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export interface Barrier {
  readonly id: string;
  readonly nodes: readonly string[];
}

/** What axe finds against WCAG 2.2 A and AA, and its best practices, in this HTML as the browser shows it with this style. */
export async function barriers(page: Page, html: string, css: string): Promise<Barrier[]> {
  await page.setContent(html.replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${css}</style>`));
  await page.evaluate(axe);
  const found: unknown = await page.evaluate(`axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  }).then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => html) })))`);
  return isBarriers(found) ? found : [{ id: 'axe-gave-no-answer', nodes: [] }];
}

/** A page as narrow as a phone, with JavaScript: for axe; ours needs none. */
export async function pageForAxe(browser: Browser): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 320, height: 640 } });
  return context.newPage();
}

function isBarriers(value: unknown): value is Barrier[] {
  return Array.isArray(value) && value.every((one: unknown) => typeof one === 'object' && one !== null && 'id' in one);
}

/** Whether anything is wider than the screen. */
export async function overflows(page: Page): Promise<boolean> {
  const box = await page.locator('body').boundingBox();
  const widths = await page.locator('body *').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right));
  return (box?.width ?? 0) > 320 || widths.some((right) => right > 321);
}
