// How often a link and an address may ask, and what the page is where it is reached by https and below a path.

import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openPartnerPage, type PageRequest, type PartnerPage } from '../../src/page/page.ts';
import { type PageSite, startPageSite } from '../support/page-site.ts';
import { testLogger } from '../support/rig.ts';

let site: PageSite;
let token: string;
const opened: PartnerPage[] = [];

beforeAll(async () => {
  site = await startPageSite();
  [, token = ''] = (await site.linkTo('referral-pantry')).split('/p/');
}, 60_000);
afterAll(async () => {
  for (const page of opened) page.close();
  await site?.stop();
});

/** The page of another process, which counts requests for itself. */
async function another(publicUrl: string): Promise<PartnerPage> {
  const { config, home } = site.gateway.api;
  const page = await openPartnerPage({
    store: site.store,
    home,
    config: { ...config, server: { ...config.server, publicUrl } },
    log: testLogger,
  });
  if (page === undefined) throw new Error('there is no page');
  opened.push(page);
  return page;
}

function request(change: Partial<PageRequest> = {}): PageRequest {
  return {
    method: 'GET',
    path: [token],
    query: new URLSearchParams(),
    form: new URLSearchParams(),
    cookies: new Map(),
    languages: 'en',
    address: '192.0.2.1',
    requestId: 'r1',
    ...change,
  };
}

test('over https the cookie is for https only, and addresses begin where the page is reached', async () => {
  const page = await another('https://casebridge.example.org/agency');
  const { cookies, body } = await page.answer(request());
  expect(cookies[0]).toMatch(
    /^casebridge-.{12}=.{32}; Path=\/agency\/p\/.{66}; HttpOnly; SameSite=Lax; Secure; Max-Age=28800$/,
  );
  expect(body).toContain(`action="/agency/p/${token}/code"`);
  expect(body).toContain('href="/agency/p/style-');
});

test('the style sheet may be kept for ever, for its name changes with it', async () => {
  const page = await another('https://casebridge.example.org');
  const { body } = await page.answer(request());
  const [, name = ''] = /href="\/p\/(style-[0-9a-f]{12}\.css)"/.exec(body) ?? [];
  const { status, headers } = await page.answer(request({ path: [name] }));
  expect([status, headers['content-type'], headers['cache-control']]).toEqual([
    200,
    'text/css; charset=utf-8',
    'public, max-age=31536000, immutable',
  ]);
});

async function statuses(page: PartnerPage, count: number, ask: (n: number) => PageRequest): Promise<number[]> {
  const all: number[] = [];
  for (let n = 0; n < count; n += 1) all.push((await page.answer(ask(n))).status);
  return all;
}

test('a link answers 120 times a minute, whoever asks', async () => {
  const page = await another('https://casebridge.example.org');
  const answered = await statuses(page, 140, (n) => request({ address: `192.0.2.${n}` }));
  expect(answered.slice(0, 120).every((status) => status === 200)).toBe(true);
  expect(answered.at(-1)).toBe(429);
});

test('whoever writes too often gets back what was written', async () => {
  const page = await another('https://casebridge.example.org');
  await statuses(page, 120, () => request());
  const form = new URLSearchParams({ text: 'The family moved on Friday' });
  const { status, body } = await page.answer(request({ method: 'POST', path: [token, 'comment'], form }));
  expect(status).toBe(429);
  expect(body).toMatch(/What you wrote, not sent.*The family moved on Friday/s);
  expect(body).toContain(`<a href="/p/${token}">Go to the referral</a>`);
});

test('an address is answered 240 times a minute, whatever it tries', async () => {
  const page = await another('https://casebridge.example.org');
  const answered = await statuses(page, 270, (n) => request({ path: [`guess-${n}`] }));
  expect(answered.slice(0, 240).every((status) => status === 404)).toBe(true);
  expect((await page.answer(request({ path: ['guess'] }))).body).not.toContain('<a href="/p/guess');
  expect(answered.at(-1)).toBe(429);
});

test('an address gives 30 codes a minute, whichever process it asks', async () => {
  const page = await another('https://casebridge.example.org');
  const next = await another('https://casebridge.example.org');
  const { cookies, body } = await page.answer(request());
  const [, name = '', value = ''] = /^([^=]+)=([^;]+)/.exec(cookies[0] ?? '') ?? [];
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(body) ?? [];
  const form = new URLSearchParams({ csrf, name: 'Ana', code: '123456' });
  const give = () => request({ method: 'POST', path: [token, 'enter'], cookies: new Map([[name, value]]), form });
  const first = await statuses(page, 20, give);
  const second = await statuses(next, 15, give);
  expect([...first, ...second.slice(0, 10)].every((status) => status === 422)).toBe(true);
  expect(second.at(-1)).toBe(429);
  expect((await next.answer({ ...give(), address: '192.0.2.2' })).status).toBe(422);
});

test('a store that is away is a page too, and says that nothing was changed', async () => {
  const store = { ...site.store };
  const { home, config } = site.gateway.api;
  const page = await openPartnerPage({ store, home, config, log: testLogger });
  store.db = site.store.db.withSchema('nowhere');
  const form = new URLSearchParams({ text: 'The family moved on Friday' });
  const answer = await page?.answer(request({ method: 'POST', path: [token, 'comment'], form }));
  expect(answer?.status).toBe(500);
  expect(answer?.body).toMatch(
    /Something went wrong on our side.*What you wrote, not sent.*The family moved on Friday/s,
  );
  page?.close();
});
