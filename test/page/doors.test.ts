// Who gets in: a link opens nothing by itself, and what is forged, cut, too old, withdrawn, used up or somebody else's opens nothing at all. Each
// gets a clear page, and nothing changes.

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { reason } from '../../src/errors.ts';
import { openAlert } from '../../src/lanes/lanes.ts';
import { sql } from '../../src/store/store.ts';
import { type PageSite, startPageSite } from '../support/page-site.ts';
import { permittedCaseload } from '../support/partners.ts';
import { linkId, Visitor } from '../support/visitor.ts';

const withConsent = permittedCaseload().map(([type, record]) =>
  type === 'referral' ? ([type, { ...record, consentId: 'consent-rosa' }] as const) : ([type, record] as const),
);
let site: PageSite;
let link: string;
beforeAll(async () => {
  site = await startPageSite({ records: withConsent });
  link = await site.link();
}, 60_000);
afterAll(() => site?.stop());

/** As if nobody had asked for a code, and nothing were locked. */
afterEach(async () => {
  await sql`update partner_link set code_hash = null, code_sent_at = null, code_until = null, codes_sent = 0, wrong_codes = 0, locks = 0,
    locked_until = null, revoked_at = null, expires_at = now() + interval '14 days'`.execute(site.store.db);
  await sql`delete from partner_session`.execute(site.store.db);
});

const isShown = (html: string) => html.includes('Rosa');

async function status(): Promise<unknown> {
  const [referral] = await site.gateway.api.home.referrals('pantry');
  return referral?.task.status;
}

describe('a link', () => {
  test('by itself opens nothing, forwarded or not', async () => {
    const { status: answered, html, headers } = await new Visitor().get(link);
    expect(answered).toBe(200);
    expect(html).toContain('this link alone opens nothing');
    expect(isShown(html)).toBe(false);
    expect(html).not.toContain('referrals@pantry.example.org');
    expect(html).toContain('r•••@p•••.org');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-robots-tag')).toContain('noindex');
    expect(headers.get('set-cookie')).toMatch(/HttpOnly; SameSite=Lax; Max-Age=28800$/);
  });

  const last = (url: string, change: (token: string) => string) => url.replace(/[^/]+$/, change);
  test.each([
    [
      'forged at its end',
      (url: string) => last(url, (token) => `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`),
    ],
    ['forged in its secret', (url: string) => last(url, (token) => `${token.slice(0, 20)}xxxx${token.slice(24)}`)],
    ['of another id', (url: string) => last(url, (token) => `AAAAAAAAAAAA${token.slice(12)}`)],
    ['cut', (url: string) => url.slice(0, -7)],
    ['too long', (url: string) => `${url}AAAA`],
    ['of nothing', (url: string) => last(url, () => '')],
    ['of markup', (url: string) => last(url, () => '%3Cscript%3E')],
    ['of broken escapes', (url: string) => last(url, () => '%E0%A4%A')],
  ])('%s is told from a good one, and opens nothing', async (_what, change) => {
    const seen = await new Visitor().get(change(link));
    expect(seen.status).toBe(404);
    expect(seen.html).toContain('This link does not work');
  });

  test('that is too old says so', async () => {
    await sql`update partner_link set expires_at = now()`.execute(site.store.db);
    const seen = await new Visitor().get(link);
    expect([seen.status, seen.html.includes('This link has expired')]).toEqual([410, true]);
  });

  test('that was withdrawn throws out whoever is in', async () => {
    const visitor = new Visitor();
    expect(isShown((await visitor.isIn(site, link)).html)).toBe(true);
    await site.gateway.api.page?.revoke(linkId(link), 'ops');
    const seen = await visitor.get(link);
    expect([seen.status, seen.html.includes('withdrawn'), isShown(seen.html)]).toEqual([410, true, false]);
  });

  test('to a referral that is another organization’s by now opens nothing', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    await sql`update record set content = jsonb_set(content, '{organizationId}', '"org-other"') where type = 'referral'`.execute(
      site.store.db,
    );
    const seen = await visitor.get(link);
    expect([seen.status, isShown(seen.html)]).toEqual([404, false]);
    const posted = await visitor.get(link);
    expect(posted.html).toContain('no longer open to you');
    await sql`update record set content = jsonb_set(content, '{organizationId}', '"org-pantry"') where type = 'referral'`.execute(
      site.store.db,
    );
    expect(isShown((await visitor.get(link)).html)).toBe(true);
  });

  test('to a referral whose consent is withdrawn opens nothing', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    await sql`update record set content = content || '{"status":"revoked"}' where type = 'consent'`.execute(
      site.store.db,
    );
    const seen = await visitor.get(link);
    await sql`update record set content = content || '{"status":"active"}' where type = 'consent'`.execute(
      site.store.db,
    );
    expect([seen.status, isShown(seen.html)]).toEqual([404, false]);
  });

  test('shows no telephone number where a consent to the partner does not permit', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    const isCalled = async () => (await visitor.get(link)).html.includes('555-0177');
    expect(await isCalled()).toBe(true);
    const change = (status: string) =>
      sql`update home_resource set body = body || jsonb_build_object('status', ${status}::text) where resource_type = 'Consent'`.execute(
        site.store.db,
      );
    await change('proposed');
    expect([await isCalled(), isShown((await visitor.get(link)).html)]).toEqual([false, true]);
    await change('active');
    expect(await isCalled()).toBe(true);
  });

  test('shows no telephone number of whom nobody may contact, and says so, before the lane has written anything', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    const shown = async () => {
      const { html } = await visitor.get(link);
      return [html.includes('555-0177'), html.includes('Do not contact this person')];
    };
    const change = (safeToContact: boolean) =>
      sql`update record set content = content || jsonb_build_object('preferredContact', jsonb_build_object('safeToContact', ${safeToContact}::boolean))
        where type = 'client'`.execute(site.store.db);
    expect(await shown()).toEqual([true, false]);
    await change(false);
    expect(await shown()).toEqual([false, true]);
    await change(true);
    expect(await shown()).toEqual([true, false]);
  });

  test('opens its own referral alone: a session of one opens no other', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    const [cookie = ['', '']] = [...visitor.cookies];
    const [task] = await site.store.db.selectFrom('partner_link').select('task_id').execute();
    await site.gateway.api.page?.sendLink('pantry', task?.task_id ?? '', { kind: 'operator', id: 'ops' });
    const other = await site.link(2);
    const stranger = new Visitor();
    stranger.cookies.set(`casebridge-${linkId(other)}`, cookie[1]);
    expect(isShown((await stranger.get(other)).html)).toBe(false);
    // One of an older release has a wider path: browsers send it last.
    const old = { cookie: `${cookie.join('=')}; ${cookie[0]}=of-an-older-release` };
    expect(isShown(await (await fetch(link, { headers: old })).text())).toBe(true);
  });
});

/** Of locked links: how often each was opened, and whether it is over. */
async function alerts(): Promise<[number, boolean][]> {
  const rows = await site.store.db
    .selectFrom('alert')
    .select(['count', 'resolved_at'])
    .where('topic', 'like', 'partner-link-locked:%')
    .orderBy('id')
    .execute();
  return rows.map(({ count, resolved_at: over }) => [count, over !== null]);
}

describe('a code', () => {
  test('works once', async () => {
    const visitor = new Visitor();
    await visitor.get(link);
    await visitor.send(link, 'code');
    const code = await site.code(site.codes().length);
    const again = new Visitor();
    await again.get(link);
    const fields = again.fields('enter');
    expect(isShown((await visitor.send(link, 'enter', { name: 'Ana', code })).html)).toBe(true);
    const seen = await again.send(link, 'enter', { name: 'Ana', code }, fields);
    expect([seen.status, isShown(seen.html)]).toEqual([422, false]);
    expect(seen.html).toContain('expired or was used');
  });

  test('that is too old opens nothing', async () => {
    const visitor = new Visitor();
    await visitor.get(link);
    const before = site.codes().length;
    await visitor.send(link, 'code');
    await sql`update partner_link set code_until = now()`.execute(site.store.db);
    const seen = await visitor.send(link, 'enter', { name: 'Ana', code: await site.code(before + 1) });
    expect([seen.status, isShown(seen.html)]).toEqual([422, false]);
  });

  test('is not sent again within a minute', async () => {
    const visitor = new Visitor();
    await visitor.get(link);
    await visitor.send(link, 'code');
    const count = site.codes().length;
    const seen = await visitor.send(link, 'code');
    expect([seen.status, site.codes().length]).toEqual([429, count]);
    expect(seen.html).toContain('sent a moment ago');
  });

  test('given wrong five times locks the link, with one alert, and even the right one opens nothing then', async () => {
    const visitor = new Visitor();
    await visitor.get(link);
    const before = site.codes().length;
    await visitor.send(link, 'code');
    const right = await site.code(before + 1);
    const wrong = right === '000000' ? '000001' : '000000';
    const answers: string[] = [];
    for (let n = 0; n < 5; n += 1) {
      const { html } = await visitor.send(link, 'enter', { name: 'Ana', code: wrong });
      answers.push(/One try is left|\d tries are left|locked for a while/.exec(html)?.[0] ?? 'nothing');
    }
    expect(answers).toEqual([
      '4 tries are left',
      '3 tries are left',
      '2 tries are left',
      'One try is left',
      'locked for a while',
    ]);
    const stubborn = new Visitor();
    await stubborn.get(link);
    const csrf = visitor.fields('enter');
    const seen = await visitor.send(link, 'enter', { name: 'Ana', code: right }, csrf);
    expect(isShown(seen.html)).toBe(false);
    expect(await alerts()).toEqual([[1, false]]);

    // The lock is over; the code that was sent before it stays void.
    await sql`update partner_link set locked_until = now()`.execute(site.store.db);
    await visitor.get(link);
    expect(
      isShown((await visitor.send(link, 'enter', { name: 'Ana', code: right }, stubborn.fields('code'))).html),
    ).toBe(false);

    // The alert is over with the next code that is right.
    await sql`update partner_link set code_sent_at = null`.execute(site.store.db);
    await visitor.get(link);
    await visitor.send(link, 'code');
    expect(await alerts()).toEqual([[1, false]]);
    const code = await site.code(before + 2);
    expect(isShown((await visitor.send(link, 'enter', { name: 'Ana', code })).html)).toBe(true);
    expect(await alerts()).toEqual([[1, true]]);
  });

  test.each([
    ['was withdrawn', () => site.gateway.api.page?.revoke(linkId(link), 'ops')],
    ['has expired', () => sql`update partner_link set expires_at = now()`.execute(site.store.db)],
    ['is good', () => undefined],
  ])('given wrong too often, and its alert where the link %s by now', async (what, end) => {
    await site.store.tx((trx) => {
      const why = reason('partner-link-locked', { partner: 'pantry', link: linkId(link) });
      return openAlert(trx, { topic: `partner-link-locked:${linkId(link)}`, reason: why });
    });
    await end();
    if (what === 'was withdrawn') expect((await alerts()).at(-1)).toEqual([1, true]);
    await site.gateway.api.page?.prune();
    expect((await alerts()).at(-1)).toEqual([1, what !== 'is good']);
  });

  test.each([
    ['without a name', { name: ' ', code: '123456' }, 'Give your name'],
    ['with letters', { name: 'Ana', code: '12345x' }, 'six digits'],
    ['with five digits', { name: 'Ana', code: '12345' }, 'six digits'],
  ])('%s is no try', async (_what, fields, told) => {
    const visitor = new Visitor();
    await visitor.get(link);
    const seen = await visitor.send(link, 'enter', fields, visitor.fields('code'));
    expect([seen.status, seen.html.includes(told)]).toEqual([422, true]);
    const row = await site.store.db
      .selectFrom('partner_link')
      .select('wrong_codes')
      .where('id', '=', linkId(link))
      .executeTakeFirst();
    expect(row?.wrong_codes).toBe(0);
  });

  test('that could not be sent is void at once', async () => {
    const visitor = new Visitor();
    await visitor.get(link);
    site.mail.refuseWith = '550 no such user';
    const seen = await visitor.send(link, 'code');
    site.mail.refuseWith = undefined;
    expect([seen.status, seen.html.includes('could not be sent')]).toEqual([503, true]);
    const row = await site.store.db
      .selectFrom('partner_link')
      .select('code_hash')
      .where('id', '=', linkId(link))
      .executeTakeFirst();
    expect(row?.code_hash).toBe(null);
  });
});

describe('a form', () => {
  test('without cookies, without its token, or with another one does nothing', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    const fields = visitor.fields('accept');
    const stranger = new Visitor();
    expect((await stranger.send(link, 'code', {}, fields)).status).toBe(400);
    stranger.cookies.clear();
    const away = await stranger.send(link, 'accept', {}, fields);
    expect([away.status, away.html.includes('Please sign in again')]).toEqual([403, true]);
    await stranger.get(link);
    expect((await stranger.send(link, 'accept', {}, fields)).status).toBe(403);
    const without = await visitor.send(link, 'accept', { csrf: '' }, fields);
    expect([without.status, without.html.includes('Nothing was sent')]).toEqual([403, true]);
    // So it is when somebody has signed in anew in another window.
    const written = await visitor.send(link, 'comment', { csrf: '', text: 'We open at nine' }, fields);
    expect([written.status, written.html.includes('We open at nine')]).toEqual([403, true]);
    expect(await status()).toBe('requested');
  });

  test('of a session that is over does nothing, and says so', async () => {
    const visitor = new Visitor();
    await visitor.isIn(site, link);
    await sql`update partner_session set seen_at = now() - interval '31 minutes'`.execute(site.store.db);
    const seen = await visitor.send(link, 'accept');
    expect([seen.status, seen.html.includes('Nothing was sent'), isShown(seen.html)]).toEqual([403, true, false]);
    expect(seen.html).not.toContain('What you wrote');
    expect(await status()).toBe('requested');
  });

  const over = (set: string) => () => sql`update ${sql.raw(set)}`.execute(site.store.db);
  test.each([
    ['session', 403, over(`partner_session set seen_at = now() - interval '31 minutes'`)],
    ['link', 410, over('partner_link set expires_at = now()')],
    ['consent', 404, over(`record set content = content || '{"status":"revoked"}' where type = 'consent'`)],
  ])(
    'shows what was written into it where the %s is over by now, to the same request alone',
    async (_what, code, end) => {
      const visitor = new Visitor();
      await visitor.isIn(site, link);
      const fields = visitor.fields('propose');
      await visitor.get(`${link}?lang=es`);
      await end();
      const visit = { at: '2031-03-04T09:30', minutes: '30', place: 'Room <2>', agreement: 'proposed' };
      const seen = await visitor.send(link, 'propose', visit, fields);
      const again = await visitor.get(link);
      await sql`update record set content = content || '{"status":"active"}' where type = 'consent'`.execute(
        site.store.db,
      );
      expect(seen.status).toBe(code);
      expect(seen.html).toMatch(/Lo que escribió, sin enviar.*2031-03-04 09:30.*Room &#60;2&#62;/s);
      expect(isShown(seen.html)).toBe(false);
      expect(again.html).not.toContain('Room');
    },
  );

  test('that is huge, or no form, gets an answer', async () => {
    const huge = await fetch(`${link}/accept`, {
      method: 'POST',
      body: new URLSearchParams({ text: 'x'.repeat(100_000) }),
    });
    expect([huge.status, huge.headers.get('content-type')]).toEqual([413, 'text/html; charset=utf-8']);
    const told = await huge.text();
    expect(told).toContain('shorten it to 4,000 characters');
    expect(told).toContain(`<a href="${new URL(link).pathname}">Go to the referral</a>`);
    const json = await fetch(`${link}/accept`, {
      method: 'POST',
      body: '{}',
      headers: { 'content-type': 'application/json' },
    });
    expect([json.status, (await json.text()).includes('Nothing was sent')]).toEqual([415, true]);
    expect((await fetch(link, { method: 'DELETE' })).status).toBe(405);
    expect(await status()).toBe('requested');
  });
});
