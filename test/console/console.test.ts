// The console over real HTTP: who gets in, what a case shows, and that nothing of a person stands in an address.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { sweepClocks } from '../../src/clocks/clocks.ts';
import { json as jsonb, sql } from '../../src/store/store.ts';
import { aCase, aClient, anOrganization, aReferral } from '../builders.ts';
import { depsOn } from '../clocks/kept.ts';
import { asForm, asJson, type Harness, startHarness, tokens } from '../http/harness.ts';
import { hiddenFields, Visitor, words } from './browser.ts';

const script = '<script>alert("x")</script>';
const why = { code: 'internal' as const, text: 'why it is so' };
let harness: Harness;
let reader: Visitor;
/** The same store, where the operator may decide as well. */
let deciding: Harness;

beforeAll(async () => {
  harness = await startHarness({ signInsPerMinute: 1000 });
  const { db } = harness.store;
  const put = (source: 'county' | 'town', type: string, record: { id: string }) =>
    harness.send(source, 'PUT', `/api/records/${type}/${record.id}`, asJson(record));
  await put('county', 'organization', anOrganization({ id: 'org-riverside', timeZone: 'America/Chicago' }));
  await put('county', 'client', aClient());
  await put('county', 'case', aCase());
  await put('county', 'referral', aReferral());
  for (const source of ['county', 'town'] as const) await put(source, 'case', aCase({ id: 'twice' }));
  await put('county', 'case', aCase({ id: 'quiet', clientId: 'client-other' }));
  await sql`insert into change (source, cursor, connection, subject, op, type, id, body, at)
    values ('county', 1, 'general', 'county.case.case-rosa', 'patch', 'referral', 'referral-pantry',
      ${jsonb({ status: 'accepted', comments: [{ id: 'c', text: script }] })}, '2026-02-05T10:00:00Z')`.execute(db);
  await db
    .insertInto('decision')
    .values({
      connection: 'general',
      subject: 'county.client.client-rosa',
      source: 'county',
      kind: 'patient-match',
      type: 'client',
      record_id: 'client-rosa',
      topic: 'patient',
      reason: jsonb(why),
      detail: jsonb({ candidates: [{ name: `Rosa ${script}` }] }),
      choices: jsonb([
        { choose: 'link:1', effect: 'Link the client to Patient/1.' },
        { choose: 'create', effect: 'Create a patient.' },
      ]),
    })
    .execute();
  await sql`update lane set parked = ${jsonb(why)} where subject = 'county.client.client-rosa'`.execute(db);
  await db
    .insertInto('alert')
    .values({ topic: 'x', connection: 'general', reason: jsonb(why) })
    .execute();
  await sweepClocks(depsOn(harness.store), new Date('2026-02-07T20:00:00Z'));
  reader = new Visitor(harness);
  await reader.signIn(tokens.reader);
  deciding = await startHarness({}, {}, harness.store, { reader: ['read', 'decide'] });
});
afterAll(async () => {
  await deciding.stop();
  await harness.stop();
});

describe('signing in', () => {
  test('asks first, and leads to the page that was wanted', async () => {
    const visitor = new Visitor(harness);
    const asked = await visitor.get('/console/cases/case-rosa?source=county');
    expect([asked.status, words(asked.text)]).toEqual([401, expect.stringContaining('Token of an operator')]);
    expect(asked.text).not.toContain('referral-pantry');
    const done = await visitor.signIn(tokens.reader, '/console/cases/case-rosa?source=county');
    expect([done.status, done.location]).toEqual([303, '/console/cases/case-rosa?source=county']);
    expect((await visitor.get(done.location ?? '')).status).toBe(200);
  });

  test.each([
    ['an unknown token', 'nobody', 401, 'The token is not one of this gateway'],
    ['a token of a source', tokens.county, 403, 'Only an operator'],
    ['an operator who may not read', tokens.runner, 403, 'may not read'],
    ['no token', '', 401, 'token'],
  ])('%s is refused, and the store knows no session of it', async (_who, token, status, text) => {
    const before = await sessions();
    const visitor = new Visitor(harness);
    const refused = await visitor.signIn(token);
    expect([refused.status, words(refused.text)]).toEqual([status, expect.stringContaining(text)]);
    expect((await visitor.get('/console/cases')).status).toBe(401);
    expect(await sessions()).toBe(before);
  });

  test('the cookie is for the browser alone, and secure where the page is', async () => {
    const visitor = new Visitor(harness);
    const { text } = await visitor.get('/console');
    const form = { ...hiddenFields(text), token: tokens.reader };
    const secure = await visitor.post('/console', form, { 'x-forwarded-proto': 'https' });
    expect(secure.headers.getSetCookie()).toEqual([
      expect.stringMatching(
        /^casebridge-console=[\w-]{43}; Path=\/console; HttpOnly; SameSite=Strict; Max-Age=28800; Secure$/,
      ),
    ]);
    const secret = visitor.cookies.get('casebridge-console') ?? '';
    const { rows } = await sql<{ text: string }>`select operator_session::text as text from operator_session`.execute(
      harness.store.db,
    );
    expect(rows.map((row) => row.text).join()).not.toContain(secret);
    expect(rows.map((row) => row.text).join()).not.toContain(tokens.reader);
  });

  test('a form of another browser is refused', async () => {
    const { text } = await new Visitor(harness).get('/console');
    const other = new Visitor(harness);
    await other.get('/console');
    const refused = await other.post('/console', { ...hiddenFields(text), token: tokens.reader });
    expect([refused.status, other.cookies.has('casebridge-console')]).toEqual([403, false]);
  });

  test('leads to no other site', async () => {
    for (const to of [
      'https://evil.example.org/',
      '//evil.example.org',
      '/api/cases',
      '/console\\@evil',
      '/consolex',
    ]) {
      const visitor = new Visitor(harness);
      const { text } = await visitor.get('/console');
      const done = await visitor.post('/console', { ...hiddenFields(text), to, token: tokens.reader });
      expect([to, done.location]).toEqual([to, '/console']);
    }
  });

  test('ends after a while without a click, after some hours, and with the token', async () => {
    for (const column of ['used_at', 'begun_at']) {
      const visitor = new Visitor(harness);
      await visitor.signIn(tokens.reader);
      const set = (time: string) =>
        sql`update operator_session set ${sql.ref(column)} = now() - ${time}::interval`.execute(harness.store.db);
      await set(column === 'used_at' ? '29 minutes' : '7 hours');
      expect((await visitor.get('/console')).status).toBe(200);
      await set(column === 'used_at' ? '31 minutes' : '9 hours');
      expect((await visitor.get('/console')).status).toBe(401);
      await sql`update operator_session set begun_at = now(), used_at = now()`.execute(harness.store.db);
    }
    const visitor = new Visitor(harness);
    await visitor.signIn(tokens.reader);
    await sql`update operator_session set token_hash = 'of another token'`.execute(harness.store.db);
    expect((await visitor.get('/console')).status).toBe(401);
    await sql`delete from operator_session`.execute(harness.store.db);
    await reader.signIn(tokens.reader);
  });

  test('out ends it, by its form only', async () => {
    const visitor = new Visitor(harness);
    await visitor.signIn(tokens.reader);
    const secret = visitor.cookies.get('casebridge-console') ?? '';
    expect((await visitor.post('/console/sign-out', { form: 'x' })).status).toBe(403);
    const { text } = await visitor.get('/console');
    expect((await visitor.post('/console/sign-out', hiddenFields(text))).location).toBe('/console');
    visitor.cookies.set('casebridge-console', secret);
    expect((await visitor.get('/console')).status).toBe(401);
  });

  test('is kept, in and out, with what came of it, and so is who it was in the log', async () => {
    await sql`delete from audit`.execute(harness.store.db);
    const visitor = new Visitor(harness);
    for (const token of ['nobody', tokens.county, tokens.runner, tokens.reader]) await visitor.signIn(token);
    const { text } = await visitor.get('/console');
    await visitor.post('/console/sign-out', hiddenFields(text));
    const kept = await harness.store.db.selectFrom('audit').selectAll().orderBy('id').execute();
    expect(kept.map(({ actor, action, outcome }) => `${actor} ${action} ${outcome}`)).toEqual([
      'operator:unknown sign-in token-unknown',
      'operator:unknown sign-in operators-only',
      'operator:runner sign-in permission-missing',
      'operator:reader sign-in done',
      'operator:reader sign-out done',
    ]);
    expect(kept.every(({ resource_type, resource_id }) => resource_type === 'session' && resource_id === null)).toBe(
      true,
    );
    const logged = harness.log.flatMap((line) => line.split('\n')).filter((line) => line.includes('POST /console'));
    for (const { request_id, actor } of kept.slice(2)) {
      const line = logged.find((one) => one.includes(`"requestId":"${request_id}"`)) ?? '{}';
      expect(JSON.parse(line)).toMatchObject({ caller: actor.replace('operator:', '') });
    }
  });

  test('keeps of many refusals no more than sixty a minute', async () => {
    await sql`delete from audit`.execute(harness.store.db);
    for (let times = 0; times < 70; times += 1)
      await harness.send(undefined, 'POST', '/console', asForm({ token: 'x' }));
    const { rows } = await sql<{ kept: number }>`select count(*)::integer as kept from audit`.execute(harness.store.db);
    expect(rows[0]?.kept).toBeGreaterThan(50);
    expect(rows[0]?.kept).toBeLessThan(65);
  });

  test('is refused for a while after many attempts, with the right token too', async () => {
    const guarded = await startHarness({ signInsPerMinute: 3 });
    const visitor = new Visitor(guarded);
    for (let times = 0; times < 3; times += 1) expect((await visitor.signIn('wrong')).status).toBe(401);
    const refused = await visitor.signIn(tokens.reader);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    await guarded.stop();
  });
});

describe('a case', () => {
  const path = '/console/cases/case-rosa?source=county';

  test('shows what needs somebody on top, then what happened, by side, in the zone of its organization', async () => {
    const { text, headers } = await reader.get(path);
    const page = words(text.slice(text.indexOf('<main')));
    const places = [
      'Times are in America/Chicago, the zone of the case',
      'Clocks',
      'Open decisions',
      'Lanes',
      'Timeline',
    ];
    const found = places.map((place) => page.indexOf(place));
    expect(found).toEqual([...found].sort((one, other) => one - other));
    expect(found).not.toContain(-1);
    expect(page).toContain('first-contact-72h breached due Sat 7 Feb 2026, 09:00 CST');
    expect(page).toContain('Link the client to Patient/1.');
    expect(page).toContain(
      'Thursday 5 February 2026 04:00:00 CST Hospital general Changed referral referral-pantry: status to accepted; comments.',
    );
    expect(page).toMatch(/Agency county Sent referral referral-pantry, status sent\./);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toBe(
      "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    );
  });

  test('what others have written is text, and nothing of a page runs or is styled inline', async () => {
    const { text } = await reader.get(path);
    expect(words(text)).toContain(script);
    expect(words(text)).toContain(`Rosa ${script}`);
    expect(text).not.toMatch(/<script|<style|\son\w+=|\sstyle=|javascript:/i);
  });

  test('each look is kept: who, what and when', async () => {
    await sql`delete from audit`.execute(harness.store.db);
    const { headers } = await reader.get(path);
    await reader.get('/console/decisions/1');
    await reader.get('/console/cases');
    const rows = await harness.store.db.selectFrom('audit').selectAll().orderBy('id').execute();
    expect(rows).toMatchObject([
      {
        actor: 'operator:reader',
        action: 'read',
        resource_type: 'case',
        resource_id: 'county/case-rosa',
        outcome: 'done',
        request_id: headers.get('x-request-id'),
        at: expect.any(Date),
      },
      { resource_type: 'decision', resource_id: '1' },
    ]);
  });

  test('filters are links, and lead to what they say', async () => {
    const { text } = await reader.get(path);
    const links = addressesIn(text);
    expect(links).toContain('/console/cases/case-rosa?source=county&kind=change#timeline');
    expect(links).toContain('/console/cases/case-rosa?source=county&connection=general#timeline');
    const shown = words((await reader.get(`${path}&kind=change`)).text);
    expect(shown).toContain('status to accepted');
    expect(shown).not.toContain('Sent referral');
  });

  test('is read in pages', async () => {
    const { db } = harness.store;
    await sql`insert into change (source, cursor, connection, subject, op, type, id, body, at)
      select 'county', 1000 + n, 'general', 'county.case.quiet', 'patch', 'case', 'quiet', '{}', timestamptz '2026-03-01' + n * interval '1 minute'
      from generate_series(1, 150) n`.execute(db);
    const first = await reader.get('/console/cases/quiet?source=county');
    const [older] = addressesIn(first.text).filter((address) => address.includes('after='));
    const second = await reader.get((older ?? '').replace('#timeline', ''));
    const count = (page: string) => page.match(/<p class="what">/g)?.length;
    expect([count(first.text), count(second.text)]).toEqual([100, 51]);
    expect(words(second.text)).toContain('Back to the newest');
    expect(second.text).not.toContain('after=');
  });

  test('of an id that two sources have: asks which; of one that is there once: shows it', async () => {
    const { text } = await reader.get('/console/cases/twice');
    expect(addressesIn(text)).toEqual(
      expect.arrayContaining(['/console/cases/twice?source=county', '/console/cases/twice?source=town']),
    );
    expect(words((await reader.get('/console/cases/case-rosa')).text)).toContain('Sent referral referral-pantry');
  });

  test.each([
    ['/console/cases/nobody', 404],
    ['/console/cases/case-rosa?source=nowhere', 404],
    ['/console/cases/case-rosa?kind=none', 400],
    ['/console/cases/case-rosa?after=nonsense', 400],
    ['/console/cases/%3Cscript%3E', 400],
    ['/console/decisions/99', 404],
  ])('%s is answered %i with a page', async (address, status) => {
    const refused = await reader.get(address);
    expect([refused.status, refused.headers.get('content-type')]).toEqual([status, 'text/html; charset=utf-8']);
    expect(refused.text).not.toContain('<script');
  });
});

describe('lists', () => {
  test('cases: what needs attention first, and why; all of them where that is asked for', async () => {
    const page = words((await reader.get('/console/cases')).text);
    expect(page).toMatch(/case-rosa county 2 breached 1 to decide 1 parked due .* ago/);
    expect(page.indexOf('case-rosa')).toBeLessThan(page.indexOf('twice'));
    expect(page).not.toContain('quiet');
    expect(words((await reader.get('/console/cases?kind=all')).text)).toContain('quiet');
  });

  test('connections: each number leads to its list', async () => {
    const { text } = await reader.get('/console');
    const links = addressesIn(text);
    expect(words(text)).toMatch(/1 internal : why it is so/);
    for (const address of [
      '/console/lanes?connection=general&state=parked',
      '/console/lanes?connection=general&state=parked&reason=internal',
      '/console/alerts?connection=general&state=open',
      '/console/decisions',
    ]) {
      expect(links).toContain(address);
      expect(words((await reader.get(address)).text)).toContain('why it is so');
    }
  });

  test('nothing of a person stands in an address', async () => {
    const pages = ['/console', '/console/cases', '/console/cases?kind=all', '/console/decisions', '/console/lanes'];
    const client = aClient();
    const personal = ['Rosa Delgado', String(client.birthDate), 'Delgado', 'accepted', 'groceries'];
    for (const path of [
      ...pages,
      '/console/alerts',
      '/console/cases/case-rosa?source=county',
      '/console/decisions/1',
    ]) {
      const addresses = addressesIn((await reader.get(path)).text)
        .map(decodeURIComponent)
        .join('\n');
      for (const word of personal) expect(addresses).not.toContain(word);
    }
  });
});

describe('deciding', () => {
  test('whoever may only read sees what each choice would do, and cannot choose', async () => {
    const { text } = await reader.get('/console/decisions/1');
    expect(text).not.toContain('name="choose"');
    const { form = '' } = hiddenFields((await reader.get('/console')).text);
    const refused = await reader.post('/console/decisions/1', { form, choose: 'create' });
    expect([refused.status, words(refused.text)]).toEqual([403, expect.stringContaining('may not decide')]);
  });

  test('by the form of the page, once', async () => {
    const decider = new Visitor(deciding);
    await decider.signIn(tokens.reader);
    const { text } = await decider.get('/console/cases/case-rosa?source=county');
    const form = hiddenFields(text);
    const forged = await decider.post('/console/decisions/1', { ...form, form: 'x', choose: 'create' });
    expect(forged.status).toBe(403);
    const unknown = await decider.post('/console/decisions/1', { ...form, choose: 'other' });
    expect(unknown.status).toBe(400);
    const odd = await decider.post('/console/decisions/1', { ...form, choose: 'create', note: 'a\u0000b' });
    expect(odd.status).toBe(400);
    const long = await decider.post('/console/decisions/1', { ...form, choose: 'create', note: 'a'.repeat(2001) });
    expect(long.status).toBe(400);
    const huge = await decider.post('/console/decisions/1', { ...form, choose: 'create', note: 'a'.repeat(30_000) });
    expect([huge.status, huge.headers.get('content-type')]).toEqual([413, 'text/html; charset=utf-8']);
    const two = { ...form, choose: 'create', 'choose ': 'keep' };
    expect((await decider.post('/console/decisions/1', two)).status).toBe(400);
    expect(await decisionState()).toMatchObject({ state: 'open' });
    const done = await decider.post('/console/decisions/1', { ...form, choose: 'create', note: script });
    expect([done.status, done.location]).toEqual([303, '/console/cases/case-rosa?source=county']);
    expect(await decisionState()).toMatchObject({
      state: 'decided',
      choice: 'create',
      decided_by: 'reader',
      note: script,
    });
    const kept = await harness.store.db.selectFrom('audit').selectAll().where('action', '=', 'decide').execute();
    expect(kept).toMatchObject([{ actor: 'operator:reader', resource_type: 'decision', resource_id: '1' }]);
    expect((await decider.post('/console/decisions/1', { ...form, choose: 'link:1' })).status).toBe(409);
    expect(words((await decider.get(done.location ?? '')).text)).toContain(
      `Decision 1 was answered by reader: create. Create a patient.`,
    );
  });
});

async function sessions(): Promise<number> {
  return (await harness.store.db.selectFrom('operator_session').selectAll().execute()).length;
}

async function decisionState(): Promise<object> {
  return harness.store.db.selectFrom('decision').selectAll().where('id', '=', 1).executeTakeFirstOrThrow();
}

/** Of links and forms. */
function addressesIn(page: string): string[] {
  return [...page.matchAll(/(?:href|action)="([^"]+)"/g)].map(([, address = '']) => address.replaceAll('&#38;', '&'));
}
